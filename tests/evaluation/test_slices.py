import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import peak_memory
from networks import ragged

from imdb_rnn.core import frames
from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.evaluation import intervals, slices
from imdb_rnn.evaluation.results import Slice, read_rows


def of(table, by: str) -> dict[str, int]:
    """Reviews by part."""
    rows = table[table["by"] == by]
    return dict(zip(rows["slice"], rows["n_reviews"], strict=True))


def measured(lengths: list[int], oov: list[float]):
    """The table of reviews that are all classified correctly."""
    return slices.measure(np.ones(len(lengths), int), np.ones(len(lengths)), np.array(lengths), np.array(oov))


def test_accuracy_and_interval_of_each_part():
    lengths = np.repeat([50, 150, 300, 600], 10)
    y, logits = np.tile([0, 1], 20), np.tile([-1.0, 1.0], 20)
    logits[:4] *= -1  # of the shortest
    table = slices.measure(y, logits, lengths, np.zeros(40)).set_index("slice")
    assert table.loc["<100", "accuracy"] == 0.6
    assert table.loc[["100-199", "200-399", ">=400"], "accuracy"].tolist() == [1, 1, 1]
    assert table.loc["<2%", "accuracy"] == 0.9
    ends = table.loc["<100", ["low", "high"]].tolist()
    assert ends == pytest.approx(intervals.of_proportion(6, 10), abs=1e-6)


def test_where_the_parts_end():
    table = measured([99, 100, 199, 200, 399, 400], [0.0, 0.0199, 0.02, 0.05, 0.0999, 0.1])
    assert of(table, "words") == {"<100": 1, "100-199": 2, "200-399": 2, ">=400": 1}
    assert of(table, "oov") == {"<2%": 2, "2-5%": 1, "5-10%": 2, ">=10%": 1}


def test_reviews_of_another_length_are_cut_at_their_quartiles():
    table = measured([*range(1, 101)], [0.0] * 100)
    assert of(table, "words") == {"<25": 24, "25-49": 25, "50-74": 25, ">=75": 26}
    assert of(table, "oov") == {"<2%": 100}


def test_reviews_of_one_length_are_one_part():
    assert of(measured([7] * 9, [0.5] * 9), "words") == {">=7": 9}


@given(st.lists(st.tuples(st.integers(1, 2000), st.floats(0, 1)), min_size=1, max_size=60))
def test_every_review_is_in_one_part_whatever_their_order(rows):
    table = measured(*map(list, zip(*rows, strict=True)))
    assert sum(of(table, "words").values()) == sum(of(table, "oov").values()) == len(rows)
    assert (table["n_reviews"] > 0).all()
    assert ((table["low"] <= table["accuracy"]) & (table["accuracy"] <= table["high"])).all()
    assert measured(*map(list, zip(*rows[::-1], strict=True))).equals(table)


def test_the_share_of_oov_words_is_of_words_alone():
    ids = ragged([1, 5, 2, 2, 6], [2, 7], [1], [1, 9], [])
    assert slices.oov_rates(ids, np.array([4, 2, 0, 1, 0])).tolist() == [0.5, 0.5, 0, 0, 0]


def test_counting_oov_words_takes_little_memory():
    """Whatever the size of the ids, which may be memory-mapped."""
    ids, n_words = from_lengths(np.full(1_000_000, 2, np.int32), [500] * 2000), np.full(2000, 500)
    assert peak_memory(lambda: slices.oov_rates(ids, n_words)) < ids.values.nbytes / 20


def test_the_table_is_read_back(tmp_path):
    path = tmp_path / "slices.csv"
    frames.write_csv(path, measured([5, 9], [0.0, 0.03]))
    assert [(row.by, row.slice, row.n_reviews) for row in read_rows(Slice, path, "evaluate")] == [
        ("words", "5-8", 1),
        ("words", ">=9", 1),
        ("oov", "<2%", 1),
        ("oov", "2-5%", 1),
    ]
