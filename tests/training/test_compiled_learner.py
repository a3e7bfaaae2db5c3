import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from material import ROOT
from networks import arrays_of, ragged
from tasks import (
    SHORT,
    VOCAB_SIZE,
    assert_reference_trains_the_same,
    fit,
    run,
    small,
    task,
)

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import PadParams, TrainParams
from imdb_rnn.engine.initializers import initial_weights
from imdb_rnn.engine.weights import Weights, from_named, named
from imdb_rnn.text.encode import Labelled, unpad
from imdb_rnn.training import compiled_learner, linear
from imdb_rnn.training.batches import fold_of_each, splits
from imdb_rnn.training.compiled_learner import CompiledLearner

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras")]


@pytest.mark.parametrize(
    ("changes", "options", "classes"),
    [
        ({"cell": "lstm"}, {}, 3),
        ({"cell": "gru", "bidirectional": True, "pooling": "max+mean"}, {"class_weight": "balanced"}, 2),
        ({"cell": "simple_rnn", "layers": 3, "pooling": "mean"}, {"weight_averaging": 0.8}, 2),
        ({"cell": "gru", "bidirectional": True, "pooling": "mean", "embeddings": "ppmi_svd"}, {}, 2),
        ({"mask_padding": False, "embeddings": "ppmi_svd"}, {"weight_averaging": 0.8}, 2),
        ({"cell": "gru", "pooling": "max"}, {"class_weight": "balanced"}, 5),
    ],
)
def test_training_is_that_of_the_reference(monkeypatch, changes, options, classes):
    assert_reference_trains_the_same(monkeypatch, small(**changes), TrainParams(**SHORT, **options), classes)


PROGRAM = """
import hashlib, sys
import numpy as np
from tasks import fit, learnt
from imdb_rnn.core.params import ModelParams, TrainParams
random = np.random.default_rng(1)
x = random.integers(4, 2000, (400, 40), dtype=np.int32)
x[np.arange(40) < random.integers(0, 36, (400, 1))] = 0
sets = [(rows, np.arange(len(rows)) % int(sys.argv[1])) for rows in (x[:300], x[300:])]
model = ModelParams(
    cell="gru", layers=2, bidirectional=True, embedding_dim=20, units=18, pooling="max+mean", ngrams=2,
    ngram_min_reviews=1, word_dropout=0.2, dropout=0.2,
)
params = TrainParams(epochs=2, batch_size=100, clipnorm=0.01, weight_averaging=0.9, validation="test")
network, history = fit(*sets, model, params, vocab_size=2000)
digest = hashlib.sha256(history.to_csv().encode())
for array in learnt(network):
    digest.update(array)
loaded = sorted({"keras", "tensorflow"} & set(sys.modules))
print(len(network.weights.ngrams), digest.hexdigest(), loaded)
"""


@cache
def trained(threads: int, classes: int = 2) -> tuple[int, str, str]:
    """How many n-grams a network of everything has when so many threads have trained it, its hash, and what is loaded.

    Its batches have more words and reviews than one thread takes at once, and the network more n-grams and weights.
    """
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    env = os.environ | {"NUMBA_NUM_THREADS": str(threads), "PYTHONPATH": path}
    command = [sys.executable, "-c", PROGRAM, str(classes)]
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    ngrams, digest, loaded = ran.stdout.splitlines()[-1].split(maxsplit=2)
    return int(ngrams), digest, loaded


@pytest.mark.parametrize("classes", [2, 5])
def test_the_number_of_threads_changes_no_bit(classes):
    assert trained(1, classes) == trained(7, classes)
    assert trained(1, classes)[0] > 8192


def test_training_loads_no_tensorflow():
    """It takes seconds, and hundreds of megabytes."""
    assert trained(1)[2] == "[]"


def learner_of(x, y, **params) -> CompiledLearner:
    ids = unpad(x) if isinstance(x, np.ndarray) else x
    encoding = PadParams(vocab_size=VOCAB_SIZE, maxlen=8)
    return CompiledLearner(Labelled(ids, np.asarray(y)), small(), encoding, TrainParams(**params), 10)


def test_learning_begins_with_the_initial_weights_of_the_seed():
    weights = learner_of(*task(40, 1), seed=7).weights()
    for array, same in zip(arrays_of(weights), arrays_of(initial_weights(small(), VOCAB_SIZE, 7)), strict=True):
        np.testing.assert_array_equal(array, same)


def test_a_batch_is_the_same_whether_its_reviews_are_long_or_short_first():
    """And whether the batches before it in their epoch are of this run, or were done before it was stopped."""
    x, y = task(40, 1)
    x[np.arange(8) < np.arange(40)[:, None] % 5] = 0
    states = []
    for rows in (np.arange(40), np.arange(40)[np.argsort((x == 0).sum(axis=1), kind="stable")]):
        learning = learner_of(x, y)
        list(learning.learn(1, [rows], 0))
        states.append(learning.state())
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("bias", [-30.0, 30.0])
def test_a_sure_and_wrong_answer_is_corrected_as_fast_as_the_logit_says(monkeypatch, bias):
    """Beyond a logit of 16 a probability rounds to what clipping makes of it, which has no gradient."""

    def sure(*arguments):
        return initial_weights(*arguments)._replace(head_bias=np.array([bias], np.float32))

    monkeypatch.setattr(compiled_learner, "initial_weights", sure)
    y = [int(bias < 0)] * 2
    learning = learner_of(ragged([5, 6, 7], [8]), y, optimizer="sgd", learning_rate=1.0, clipnorm=None)
    ((loss, right),) = learning.learn(1, [np.arange(2)], 0)
    assert loss == pytest.approx(2 * 30, abs=4)
    assert right == 0
    assert learning.weights().head_bias == pytest.approx([bias - np.sign(bias)], abs=1e-5)


def after_one_step(x, y, vocab_size=VOCAB_SIZE, **model) -> Weights:
    """The change of every weight in one step of plain gradient descent (momentum has no past yet)."""
    params = TrainParams(epochs=1, batch_size=len(x), optimizer="sgd", learning_rate=1.0, clipnorm=None)
    kind = small(units=64, **model)
    before = initial_weights(kind, vocab_size, params.seed)
    after = fit((x, y), task(10, 2), kind, params, vocab_size=vocab_size)[0].weights
    return from_named({name: b - a for (name, a), b in zip(named(before).items(), arrays_of(after), strict=True)})


def test_dropout_hides_its_share_of_the_features():
    x, y = task(1, 1)
    changes = [after_one_step(x, y, dropout=rate).head_kernel for rate in (0.0, 0.75)]
    assert np.mean(changes[0] == 0) == 0
    assert 0.6 < np.mean(changes[1] == 0) < 0.9  # 64 features


def test_word_dropout_hides_its_share_of_the_words():
    x, y = np.arange(4, 196, dtype=np.int32).reshape(24, 8), np.arange(24) % 2
    changes = [after_one_step(x, y, 200, word_dropout=rate).embeddings[4:196] for rate in (0.0, 0.75)]
    assert (changes[0] != 0).all(axis=1).all()
    hidden = (changes[1] == 0).all(axis=1)
    assert 0.65 < hidden.mean() < 0.85  # 192 words
    assert (changes[1][~hidden] != 0).all()


@pytest.mark.parametrize("what", ["dropout", "word_dropout"])
def test_dropout_draws_anew_for_every_batch_and_epoch(what):
    """The same reviews before the same weights, in another batch or epoch."""
    x, y = task(40, 1)
    encoding, params = PadParams(vocab_size=VOCAB_SIZE, maxlen=8), TrainParams()
    losses = []
    for epoch, first in ((1, 0), (1, 1), (2, 0), (1, 0)):
        learning = CompiledLearner(Labelled(unpad(x), y), small(**{what: 0.5}), encoding, params, 10)
        losses += [loss for loss, _ in learning.learn(epoch, [np.arange(40)], first)]
    assert losses[0] == losses[3]
    assert len(set(losses)) == 3


@pytest.mark.parametrize("classes", [2, 3])
def test_the_recurrent_network_learns_as_if_there_were_no_ngrams_and_the_logit_is_the_mean_of_both(classes):
    model = small(cell="gru", dropout=0.3, ngram_min_reviews=1)
    alone, with_ngrams = (
        run(model.model_copy(update={"ngrams": ngrams}), classes=classes, clipnorm=None, validation="test")[0]
        for ngrams in (0, 2)
    )
    halved = alone.weights._replace(head_kernel=alone.weights.head_kernel / 2, head_bias=alone.weights.head_bias / 2)
    for name, array in named(halved._replace(ngrams=np.empty(0), head_bias=np.empty(0))).items():
        if array.size:
            np.testing.assert_array_equal(named(with_ngrams.weights)[name], array)
    x, y = task(300, 1, classes)
    training = Labelled(unpad(x), y)
    problem = linear.problem(training, (), VOCAB_SIZE, small(ngrams=2), np.ones(300), 42)
    fitted = linear.fit(problem, linear.choose(problem, splits(training, fold_of_each(training)))[0])
    np.testing.assert_allclose(with_ngrams.weights.head_bias, halved.head_bias + fitted.bias / 2, rtol=1e-6)
    np.testing.assert_array_equal(with_ngrams.weights.ngrams.ravel(), fitted.scores.ravel() / 2)


def test_ngrams_see_what_single_words_do_not():
    """Positive if words 4 and 5 stand in this order; a network of one number is too small to tell."""

    def pairs(count, seed):
        random = np.random.default_rng(seed)
        y = random.integers(0, 2, count).astype(np.uint8)
        x = random.permuted(np.tile(np.arange(6, VOCAB_SIZE, dtype=np.int32), (count, 1)), axis=1)
        place = random.integers(0, x.shape[1], count)
        rows = zip(x.tolist(), place, y, strict=True)
        return np.array([row[:i] + ([4, 5] if label else [5, 4]) + row[i:] for row, i, label in rows], np.int32), y

    def right(ngrams):
        params = TrainParams(epochs=5, batch_size=32, learning_rate=0.01)
        model = small(embedding_dim=1, units=1, ngrams=ngrams)
        network, (x, y) = fit(pairs(600, 1), pairs(200, 2), model, params)[0], pairs(400, 3)
        return np.mean((network.probabilities(unpad(x)) > 0.5) == y)

    assert right(2) > 0.95
    assert right(1) < 0.8


def test_ngrams_without_enough_reviews_are_an_error():
    with pytest.raises(UserError, match=r"no n-gram is in 10 training reviews; set model\.ngrams to 0"):
        fit(task(6, 1), task(6, 2), small(ngrams=2, ngram_min_reviews=10), TrainParams())
