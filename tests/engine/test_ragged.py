import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imdb_rnn.engine.ragged import Ragged, from_lengths, from_offsets

ROWS = st.lists(st.lists(st.integers(0, 99), max_size=5), max_size=6)


def laid_out(rows: list[list[int]]) -> Ragged:
    values = np.array([value for row in rows for value in row], np.int32)
    return from_lengths(values, [len(row) for row in rows])


def as_rows(ragged: Ragged) -> list[list[int]]:
    return [ragged[row].tolist() for row in range(len(ragged))]


@given(ROWS)
def test_rows_are_given_back(rows):
    ragged = laid_out(rows)
    assert len(ragged) == len(rows)
    assert as_rows(ragged) == rows
    assert ragged.starts.dtype == ragged.lengths.dtype == np.int64


@given(ROWS, st.data())
def test_some_rows_in_any_order_and_more_than_once(rows, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8)) if rows else []
    some = laid_out(rows).rows(np.array(chosen, int))
    assert as_rows(some) == [rows[row] for row in chosen]
    assert some.flat().tolist() == [value for row in chosen for value in rows[row]]


@given(ROWS, st.integers(0, 7), st.integers(0, 7))
def test_rows_are_cut_at_either_end(rows, first, last):
    ragged = laid_out(rows)
    assert as_rows(ragged.first(first)) == [row[:first] for row in rows]
    assert as_rows(ragged.last(last)) == [row[max(len(row) - last, 0) :] for row in rows]
    cut = ragged.first(first).last(last)
    assert cut.flat().tolist() == [value for row in rows for value in row[:first][max(len(row[:first]) - last, 0) :]]


def test_what_is_cut_is_not_copied_and_what_is_laid_flat_is():
    ragged = laid_out([[1, 2], [3], [4, 5]])
    for part in (ragged[2], ragged.rows(np.array([2, 0])).values, ragged.first(1).values, ragged.last(1).values):
        assert np.shares_memory(part, ragged.values)
    flat = ragged.flat()
    assert flat.dtype == np.int32
    assert not np.shares_memory(flat, ragged.values)


@given(ROWS)
def test_offsets_say_the_same_as_lengths(rows):
    ragged = laid_out(rows)
    again = from_offsets(ragged.values, np.append(0, np.cumsum(ragged.lengths)))
    assert as_rows(again) == rows
    np.testing.assert_array_equal(again.starts, ragged.starts)


def test_offsets_that_fall_give_a_negative_length_whatever_their_type():
    for dtype in (np.int32, np.int64, np.uint8, np.uint64):
        assert from_offsets(np.arange(3), np.array([0, 2, 1, 3], dtype)).lengths.tolist() == [2, -1, 2]
