import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import model_params, network_of
from networks import CELLS, ragged

from imdb_rnn.engine import threads
from imdb_rnn.engine.engine import Engine
from imdb_rnn.engine.kernels.words import (
    CHUNK,
    GROUP,
    TILE,
    add_up_words,
    fill_table,
    lay_out,
    memory_of,
    scratch_size,
    share_padding,
    table_sizes,
)
from imdb_rnn.engine.threads import share_out
from imdb_rnn.engine.weights import Layout

VOCAB_SIZE = 9
# Longest first, as the engine wants them
batches = st.lists(st.lists(st.integers(1, VOCAB_SIZE - 1), max_size=7), min_size=1, max_size=40).map(
    lambda reviews: sorted(reviews, key=len, reverse=True)
)


def engine_of(cell: str, vocab_size: int = VOCAB_SIZE, **values) -> Engine:
    return Engine(Layout(model_params(cell=cell, bidirectional=True, **values), vocab_size, 0))


@given(batches)
def test_each_step_of_a_tile_has_the_words_that_its_reviews_have_there(reviews):
    """The second direction reads each review from its own end."""
    laid = lay_out(ragged(*reviews), np.empty(0, np.int64), engine_of("lstm").shape, VOCAB_SIZE)
    tiles = [reviews[i : i + TILE] for i in range(0, len(reviews), TILE)]
    assert np.diff(laid.bases).tolist() == [len(tile[0]) for tile in tiles]
    ids = laid.distinct[laid.numbers].reshape(2, -1, TILE)
    for tile, base in zip(tiles, laid.bases, strict=False):
        for row, review in enumerate(tile):
            assert ids[0, base : base + len(review), row].tolist() == review
            assert ids[1, base : base + len(review), row].tolist() == review[::-1]


@given(batches, st.integers(1, 9))
def test_padding_is_shared_and_every_review_goes_on_where_its_own_padding_ends(reviews, longest):
    padded = [[0] * max(0, longest - len(review)) + review for review in reviews]
    rows, shared = share_padding(ragged(*padded))
    if not len(shared):
        assert len(reviews[-1]) >= longest - (not reviews[-1])
        assert [list(rows[r]) for r in range(len(rows))] == padded
        return
    assert not rows[0].any()
    assert not rows.lengths[1:TILE].any()
    assert not shared[:TILE].any()
    assert len(rows[0]) == shared.max()
    for review, before, row in zip(padded, shared[TILE:], range(TILE, len(rows)), strict=True):
        assert [*rows[0][:before], *rows[row]] == review
        assert 1 <= len(rows[row]) <= max(1, np.count_nonzero(review))


def test_padding_of_reviews_in_another_order_is_not_shared():
    batch = ragged([0, 0, 3], [0, 4, 5])
    rows, shared = share_padding(batch)
    assert rows is batch
    assert not len(shared)


@given(reviews=batches, cell=st.sampled_from(CELLS))
def test_the_places_of_a_word_are_those_of_its_occurrences_in_the_memory_of_the_tiles(reviews, cell):
    """Each occurrence has blocks of its own in each direction, and no two share a number of the memory."""
    shape = engine_of(cell, units=5).shape
    batch = ragged(*reviews)
    laid = lay_out(batch, np.empty(0, np.int64), shape, VOCAB_SIZE)
    occurring, counts = np.unique(batch.values, return_counts=True)
    if len(batch.values):
        assert laid.distinct.tolist() == occurring.tolist()
        assert np.diff(laid.firsts).tolist() == counts.tolist()
    size = TILE * shape.units
    of_blocks = laid.places.ravel()[:, None] + size * np.arange(shape.blocks)
    numbers = (of_blocks[:, :, None] + np.arange(shape.units)).ravel()
    assert len(np.unique(numbers)) == len(numbers)
    if len(numbers):
        assert 0 <= numbers.min() <= numbers.max() < memory_of(shape, laid.bases[-1], len(laid.bases) - 1)


@pytest.mark.parametrize("hides", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_the_table_and_the_way_back_through_it_are_matrix_products(cell, hides):
    """Of more words than a thread takes at once, in number no multiple of anything."""
    random, vocab_size = np.random.default_rng(1), 2 * CHUNK + GROUP + 7
    network = network_of(model_params(cell=cell, bidirectional=True, units=16, embedding_dim=16), vocab_size)
    engine = engine_of(cell, vocab_size, units=16, embedding_dim=16)
    shape, starts, flat = engine.shape, engine.layout.starts, engine.layout.flatten(network.weights)
    columns, together = shape.gates * 16, shape.gates - shape.apart
    words = random.integers(3, vocab_size, 8000)
    batch = ragged(*(words[i : i + 200] for i in range(0, 8000, 200)))
    laid = lay_out(batch, np.empty(0, np.int64), shape, vocab_size)
    count = len(laid.distinct)
    assert count > 2 * CHUNK and count % 8
    seen = (2 * random.integers(0, 2, vocab_size * hides)).astype(np.float32)
    factors = seen[laid.distinct, None] if hides else np.float32(1)
    kernels, _, biases = zip(*network.weights.layers[0], strict=True)
    vectors, table, of_kernels = (np.empty(size, np.float32) for size in table_sizes(shape, count))
    scratch = np.empty((threads.count(), scratch_size(shape)), np.float32)

    share_out(fill_table, shape, flat, starts, seen, laid.distinct, vectors, table, scratch)
    hidden = network.weights.embeddings[laid.distinct] * factors
    np.testing.assert_array_equal(vectors[: count * 16].reshape(count, 16), hidden)
    for rows, kernel, bias in zip(table.reshape(2, count, columns), kernels, biases, strict=True):
        if shape.apart:  # only the gates that get their product apart have the recurrent bias apart
            bias = bias[0] + bias[1] * (np.arange(columns) < together * 16)
        np.testing.assert_allclose(rows, hidden @ kernel + bias, atol=1e-5)

    memory = random.normal(size=memory_of(shape, laid.bases[-1], len(laid.bases) - 1)).astype(np.float32)
    inputs = [gate + (gate >= together) * shape.apart for gate in range(shape.gates)]
    within = (TILE * 16 * np.array(inputs)[:, None] + np.arange(16)).ravel()
    drows = np.add.reduceat(memory[laid.places[:, :, None] + within].astype(np.float64), laid.firsts[:-1], axis=1)
    transposed = np.zeros(starts[-1] - starts[1], np.float32)
    for way, kernel in enumerate(kernels):
        transposed[starts[1 + 3 * way] - starts[1] :][: kernel.size] = kernel.T.ravel()
    gradient, squares = np.full_like(flat, np.nan), np.empty(-(-count // CHUNK))
    share_out(
        add_up_words,
        *(shape, transposed, starts, seen, laid.distinct, laid.firsts, laid.places),
        *(vectors, memory, gradient, of_kernels, squares, scratch),
    )
    dvectors = sum(rows @ kernel.T for rows, kernel in zip(drows, kernels, strict=True)) * factors
    written = gradient[: vocab_size * 16].reshape(vocab_size, 16)[laid.distinct]
    np.testing.assert_allclose(written, dvectors, atol=1e-4)
    assert squares.sum() == pytest.approx((written.astype(np.float64) ** 2).sum())
    of_ways = of_kernels.reshape(-1, 2, 17, columns).astype(np.float64).sum(axis=0)
    for of_way, rows in zip(of_ways, drows, strict=True):
        np.testing.assert_allclose(of_way[:16], hidden.T @ rows, atol=1e-3)
        np.testing.assert_allclose(of_way[16], rows.sum(axis=0), atol=1e-3)
