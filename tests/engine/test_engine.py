import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from material import ROOT, model_params, network_of
from networks import (
    ALL_AT_ONCE,
    CELLS,
    NETWORKS,
    arrays_of,
    assert_learns_as_reference,
    changed,
    draw,
    learnt_by_engine,
    ragged,
    reviews_of,
)

from imdb_rnn.core.params import TrainParams
from imdb_rnn.engine.engine import Engine, Masks, prefetch
from imdb_rnn.engine.kernels import optimizer
from imdb_rnn.engine.kernels.batch import share_padding as share
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.model import as_read

# Parameters, and what `reviews_of` takes. Between them: one to three layers, both directions, all poolings, widths that
# fill whole vectors and that do not, several tiles with a short last one, more distinct words than a thread takes at
# once, reviews without words, padding that is read, and dropout of both kinds.
KINDS = {
    "all at once": (ALL_AT_ONCE, (30, 37, 6)),
    "many words": ({"embedding_dim": 16, "units": 16, "word_dropout": 0.5}, (700, 60, 25)),
    "padding": (
        {
            "layers": 2,
            "bidirectional": True,
            "embedding_dim": 17,
            "units": 33,
            "pooling": "mean",
            "mask_padding": False,
        },
        (20, 20, 7),
    ),
    "shared padding": ({"layers": 2, "dropout": 0.5, "mask_padding": False}, (20, 37, 9)),
    "small": ({"bidirectional": True, "pooling": "max", "dropout": 0.5}, (20, 16, 8)),
}


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", CELLS)
def test_logits_losses_and_gradients_of_a_batch_are_those_of_the_reference(cell, kind, classes):
    values, sizes = KINDS[kind]
    network = network_of(model_params(cell=cell, **values), sizes[0], classes=classes, maxlen=sizes[2] + 1)
    assert_learns_as_reference(network, reviews_of(*sizes))


@pytest.mark.parametrize("cell", CELLS)
def test_reviews_without_words_teach_the_last_bias_alone(cell):
    network = network_of(model_params(cell=cell, **ALL_AT_ONCE))
    drawn = draw(network, 3)
    engine, logits, _, square = learnt_by_engine(network, ragged([], [], []), drawn)
    np.testing.assert_array_equal(logits, np.repeat(network.weights.head_bias, 3))
    gradient = engine.layout.split(engine.gradient)
    bias = gradient.head_bias
    assert not any(array.any() for array in arrays_of(gradient._replace(head_bias=np.zeros(1))))
    np.testing.assert_allclose(bias, np.mean(1 / (1 + np.exp(-logits)) - drawn.y), rtol=1e-6)
    assert square == pytest.approx(float(bias[0]) ** 2)


ALL_KINDS = NETWORKS | {"padding read": model_params(cell="lstm", layers=2, mask_padding=False)}


def prepared(kind: str, classes: int = 2) -> tuple[Engine, np.ndarray, Ragged, np.ndarray]:
    """An engine and weights of a network without n-grams, reviews in order, and their labels."""
    network = network_of(ALL_KINDS[kind].model_copy(update={"ngrams": 0}), classes=classes)
    engine = Engine(Layout(network.params, 20, 0, len(network.weights.head_bias)))
    ids = reviews_of(20, 40, 9)
    ids = as_read(ids.rows(np.argsort(-ids.lengths)), network.params, network.encoding)
    return engine, engine.layout.flatten(network.weights), ids, draw(network, 40).y


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("kind", [*CELLS, "everything", "padding read"])
def test_reading_and_learning_find_the_same_logits(kind, classes):
    engine, flat, ids, y = prepared(kind, classes)
    batch = engine.prepare(ids)
    logits, _, _ = engine.learn(flat, batch, y, np.ones(len(y)), Masks())
    np.testing.assert_array_equal(engine.logits(flat, batch), logits)


@pytest.mark.parametrize("cell", CELLS)
def test_padding_read_once_for_all_reviews_teaches_what_it_does_read_for_each(monkeypatch, cell):
    """The reviews have 0 to 9 words, of 9, so that they begin after 0 to 8 times padding."""
    network = network_of(model_params(cell=cell, layers=2, mask_padding=False), 20, maxlen=9)
    ids, shared = reviews_of(20, 37, 9), []
    monkeypatch.setattr("imdb_rnn.engine.engine.share_padding", lambda batch: shared.append(batch) or share(batch))
    engine, logits, _, square = learnt_by_engine(network, ids, draw(network, 37))
    assert len(shared) == 1
    assert sorted(set(share(shared[0])[1])) == list(range(9))
    monkeypatch.setattr("imdb_rnn.engine.engine.share_padding", lambda batch: (batch, np.empty(0, np.int64)))
    for_each, expected, _, expected_square = learnt_by_engine(network, ids, draw(network, 37))
    np.testing.assert_array_equal(logits, expected)
    largest = np.abs(for_each.gradient).max()
    np.testing.assert_allclose(engine.gradient, for_each.gradient, rtol=0, atol=1e-6 * largest)
    assert square == pytest.approx(expected_square, rel=1e-5)


@pytest.mark.parametrize("kind", [*CELLS, "everything", "padding read"])
def test_the_gradient_that_explains_is_that_of_the_sum_of_the_logits(kind):
    """What one review teaches is the gradient of its logit, times what its loss changes with the logit."""
    engine, flat, ids, _ = prepared(kind)
    total = np.zeros(len(flat))
    for row in range(len(ids)):
        logits, _, _ = engine.learn(
            flat, engine.prepare(ids.rows(np.array([row]))), np.zeros(1, np.float32), np.ones(1), Masks()
        )
        total += engine.gradient * (1 + np.exp(-np.float64(logits[0])))
    engine.explain(flat, engine.prepare(ids), np.zeros(len(ids), np.float32))
    np.testing.assert_allclose(engine.gradient, total, rtol=0, atol=1e-5 * np.abs(total).max())


@pytest.mark.parametrize("kind", [*CELLS, "everything", "padding read"])
def test_nothing_of_a_batch_stays_for_the_next_one(kind):
    """Not even of a larger one that was computed with weights that are no numbers."""
    network, fewer = network_of(ALL_KINDS[kind]), reviews_of(20, 20, 6)
    weights = changed(network.weights, lambda array: array * np.float32(np.nan))
    drawn = draw(network, 20)
    engine, *_ = learnt_by_engine(replace(network, weights=weights), reviews_of(20, 40, 9), draw(network, 40))
    assert np.isnan(engine.gradient).mean() > 0.1
    fresh, *expected = learnt_by_engine(network, fewer, drawn)
    _, *results = learnt_by_engine(network, fewer, drawn, engine)
    for result, same in zip([engine.gradient, *results], [fresh.gradient, *expected], strict=True):
        np.testing.assert_array_equal(result, same)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", optimizer.METHODS)
@pytest.mark.parametrize("cell", CELLS)
def test_what_fills_a_row_stays_zero_while_a_network_learns(cell, name, classes):
    engine, flat, ids, y = prepared(cell, classes)
    first, layout = flat.copy(), engine.layout
    learning = optimizer.start(flat, TrainParams(optimizer=name, learning_rate=0.1, weight_averaging=0.9), 5)
    for _ in range(5):
        _, _, square = engine.learn(learning.weights, engine.prepare(ids), y, np.ones(len(y)), Masks())
        np.testing.assert_array_equal(layout.flatten(layout.split(engine.gradient)), engine.gradient)
        learning.apply(engine.gradient, square)
    for weights in (learning.weights, learning.averaged_or_raw_weights()):
        np.testing.assert_array_equal(layout.flatten(layout.split(weights)), weights)
        assert (weights != first).any()


@pytest.mark.slow
def test_the_bits_do_not_depend_on_the_number_of_threads():
    """Of batches of many tiles, and of more words than a thread takes at once."""
    script = """if True:
        import hashlib, sys, numpy
        from material import model_params, network_of
        from networks import ALL_AT_ONCE, draw, learnt_by_engine, reviews_of
        from imdb_rnn.engine import threads
        threads.count = lambda: int(sys.argv[1])
        digest = hashlib.sha256()
        for cell, vocab_size, classes in (("gru", 30, 2), ("gru", 30, 5), ("lstm", 1200, 2)):
            params = model_params(**ALL_AT_ONCE | {"cell": cell, "ngrams": 0})
            network = network_of(params, vocab_size, classes=classes)
            ids = reviews_of(vocab_size, 150, 30)
            for seed in range(5):
                engine, *results = learnt_by_engine(network, ids, draw(network, len(ids), seed))
                for result in (engine.gradient, *results):
                    digest.update(numpy.asarray(result).tobytes())
        print(digest.hexdigest())
    """
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, threads],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads in ("1", "7")
    ]
    one, seven = (process.communicate(timeout=120)[0] for process in processes)
    assert one == seven != ""


def test_batches_are_prepared_in_order_each_while_the_one_before_it_is_computed():
    events = []

    def prepare(key):
        events.append(f"prepare {key}")
        return f"batch {key}"

    for key, batch, prefetch_next in prefetch("abc", prepare):
        events.append(f"begin {key}, {batch}")
        prefetch_next()
        events.append(f"end {key}")
    assert events == [
        "prepare a",
        *("begin a, batch a", "prepare b", "end a"),
        *("begin b, batch b", "prepare c", "end b"),
        *("begin c, batch c", "end c"),
    ]
    assert list(prefetch([], prepare)) == []
