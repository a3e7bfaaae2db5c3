import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from material import model_params
from networks import CELLS, ragged

from imdb_rnn.engine.engine import Engine
from imdb_rnn.engine.kernels.batch import pack, share_padding
from imdb_rnn.engine.kernels.network import TILE, Dims, workspace_size
from imdb_rnn.engine.layout import Layout

VOCAB_SIZE, NONE = 9, np.empty(0, np.int64)
# Longest first, as the engine expects them
batches = st.lists(st.lists(st.integers(1, VOCAB_SIZE - 1), max_size=7), min_size=1, max_size=40).map(
    lambda reviews: sorted(reviews, key=len, reverse=True)
)


def dims_of(cell: str) -> Dims:
    return Engine(Layout(model_params(cell=cell, bidirectional=True), VOCAB_SIZE, 0)).dims


@given(batches)
def test_each_step_of_a_tile_has_the_words_that_its_reviews_have_there(reviews):
    """The second direction reads each review from its own end."""
    packed = pack(ragged(*reviews), NONE, dims_of("lstm"), VOCAB_SIZE)
    tiles = [reviews[i : i + TILE] for i in range(0, len(reviews), TILE)]
    assert np.diff(packed.step_offsets).tolist() == [len(tile[0]) for tile in tiles]
    ids = packed.words[packed.word_index].reshape(2, -1, TILE)
    for tile, first in zip(tiles, packed.step_offsets, strict=False):
        for row, review in enumerate(tile):
            assert ids[0, first : first + len(review), row].tolist() == review
            assert ids[1, first : first + len(review), row].tolist() == review[::-1]


@given(reviews=batches, cell=st.sampled_from(CELLS))
def test_each_occurrence_of_a_word_has_blocks_of_its_own(reviews, cell):
    """In each direction, and no two share a number of the activations."""
    dims, batch = dims_of(cell), ragged(*reviews)
    packed = pack(batch, NONE, dims, VOCAB_SIZE)
    words, counts = np.unique(batch.values, return_counts=True)
    if len(batch.values):
        assert packed.words.tolist() == words.tolist()
        assert np.diff(packed.occurrence_offsets).tolist() == counts.tolist()
    blocks = packed.activation_offsets.ravel()[:, None] + TILE * dims.units * np.arange(dims.num_blocks)
    numbers = (blocks[:, :, None] + np.arange(dims.units)).ravel()
    assert len(np.unique(numbers)) == len(numbers)
    if len(numbers):
        size = workspace_size(dims, int(packed.step_offsets[-1]), len(packed.step_offsets) - 1)
        assert 0 <= numbers.min() <= numbers.max() < size


@given(batches, st.integers(1, 9))
def test_padding_is_shared_and_every_review_starts_where_its_own_padding_ends(reviews, longest):
    padded = [[0] * max(0, longest - len(review)) + review for review in reviews]
    rows, padding = share_padding(ragged(*padded))
    if not len(padding):
        assert len(reviews[-1]) >= longest - (not reviews[-1])
        assert [list(rows[r]) for r in range(len(rows))] == padded
        return
    assert not rows[0].any()
    assert not rows.lengths[1:TILE].any()
    assert not padding[:TILE].any()
    assert len(rows[0]) == padding.max()
    for review, before, row in zip(padded, padding[TILE:], range(TILE, len(rows)), strict=True):
        assert [*rows[0][:before], *rows[row]] == review
        assert 1 <= len(rows[row]) <= max(1, np.count_nonzero(review))


def test_padding_of_reviews_in_another_order_is_not_shared():
    batch = ragged([0, 0, 3], [0, 4, 5])
    rows, padding = share_padding(batch)
    assert rows is batch
    assert not len(padding)
