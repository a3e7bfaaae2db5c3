import numpy as np
import pytest
from networks import arrays_of
from tasks import VOCAB_SIZE, WORDS, small, stop_again_and_again, task

from imdb_rnn.core.params import PadParams, TrainParams
from imdb_rnn.engine.weights import named
from imdb_rnn.model import compute_logits
from imdb_rnn.text.encode import Labelled, unpad
from imdb_rnn.training import linear
from imdb_rnn.training.compiled_learner import CompiledLearner
from imdb_rnn.training.fit import fit
from imdb_rnn.training.loop import Trained
from imdb_rnn.training.out_of_fold import OutOfFold

pytestmark = pytest.mark.slow

ENCODING = PadParams(vocab_size=VOCAB_SIZE, maxlen=WORDS)


def run(ngrams: int, classes: int = 2, checkpoints=None, **train_params: object) -> tuple[Trained, OutOfFold | None]:
    training, test = (Labelled(unpad(x), y) for x, y in (task(240, 1, classes), task(60, 2, classes)))
    values = {"epochs": 2, "batch_size": 32, "learning_rate": 0.01, "folds": 3, "validation": "test"} | train_params
    return fit(training, test, small(ngrams=ngrams), ENCODING, TrainParams(**values), checkpoints=checkpoints)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_network_and_the_linear_part_are_combined_as_the_folds_say(classes):
    """The linear part is fitted once, with what the folds chose."""
    (trained, found), (alone, none) = run(2, classes), run(0, classes, folds=None)
    assert none is None
    ids, params, num_logits = unpad(task(60, 3, classes)[0]), small(ngrams=2), 1 if classes == 2 else classes
    training = Labelled(unpad((drawn := task(240, 1, classes))[0]), drawn[1])
    problem = linear.problem(training, (), VOCAB_SIZE, params, np.ones(240), 42)
    scores, bias = linear.fit(problem, found.combination.choice)[1:3]
    only = alone.weights._replace(
        head_kernel=0 * alone.weights.head_kernel, head_bias=bias, ngrams=scores if classes > 2 else scores[:, 0]
    )
    network, of_linear, combined = (
        compute_logits(weights, codes, model, ENCODING, ids).reshape(60, num_logits)
        for weights, codes, model in (
            (alone.weights, alone.ngram_codes, small()),
            (only, trained.ngram_codes, params),
            (trained.weights, trained.ngram_codes, params),
        )
    )
    np.testing.assert_allclose(combined, found.combination.logits(network, of_linear), atol=1e-5)
    assert np.abs(combined - (network + of_linear) / 2).max() > 0.1


def test_without_ngrams_the_network_gets_a_temperature_and_a_bias():
    (trained, found), (alone, _) = run(0), run(0, folds=None)
    combination = found.combination
    np.testing.assert_allclose(trained.weights.head_kernel, alone.weights.head_kernel * combination.network_weight)
    for name in set(named(alone.weights)) - {"head.kernel", "head.bias"}:
        np.testing.assert_array_equal(named(trained.weights)[name], named(alone.weights)[name])


def test_stopped_in_any_fold_it_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    """And then nothing is trained again, nor with another threshold."""
    expected = arrays_of(run(2, validation="holdout")[0].weights)
    (trained, _), stops = stop_again_and_again(
        monkeypatch, 9, lambda: run(2, validation="holdout", checkpoints=tmp_path)
    )
    assert stops >= 4
    monkeypatch.setattr(CompiledLearner, "learn", None)
    again, _ = run(2, validation="holdout", checkpoints=tmp_path, threshold="f1")
    for array, same, once in zip(expected, arrays_of(trained.weights), arrays_of(again.weights), strict=True):
        np.testing.assert_array_equal(array, same)
        np.testing.assert_array_equal(array, once)
