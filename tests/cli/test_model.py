import doctest
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from material import ROOT

import imdb_rnn
from imdb_rnn.cli import model as module
from imdb_rnn.cli.model import Model
from imdb_rnn.core.errors import UserError

TEXTS = ["A wonderful film.", "a TERRIBLE film!", "", "Terrible? Wonderful!", "wonderful"]


@pytest.fixture
def model(network) -> Model:
    return Model(network)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("documented", [imdb_rnn.load, Model])
def test_what_the_documentation_shows_is_so(documented, model):
    (example,) = doctest.DocTestFinder(recurse=False).find(documented, globs={"model": model})
    assert doctest.DocTestRunner().run(example).failed == 0
    assert len(example.examples) >= 3


def test_a_text_has_the_probability_of_its_ids(model, network):
    probability = model.predict_proba(TEXTS)
    assert (probability.dtype, probability.shape) == (np.float64, (5,))
    np.testing.assert_array_equal(probability, network.predict_proba(network.encode(TEXTS)))
    assert probability[2] == 0.5
    assert model.predict(TEXTS) == ["positive", "negative", "negative", "positive", "positive"]


def test_no_texts_have_no_probabilities(model):
    assert model.predict_proba([]).shape == (0,)
    assert model.predict(iter([])) == []


def test_an_answer_does_not_depend_on_what_else_is_asked(model, monkeypatch):
    together = model.predict_proba(TEXTS * 3)
    monkeypatch.setattr(module, "AT_ONCE", 4)
    np.testing.assert_array_equal(model.predict_proba(text for text in TEXTS * 3), together)
    np.testing.assert_array_equal([model.predict_proba([text])[0] for text in TEXTS * 3], together)


def test_texts_are_named_as_their_owner_names_them(network):
    assert Model(replace(network, labels=("差评", "好评"))).predict(TEXTS[:2]) == ["好评", "差评"]


@pytest.mark.parametrize("wrong", ["A wonderful film.", ["a film", None], [b"a film"], [["a", "film"]]])
def test_what_is_no_list_of_texts_is_refused(model, wrong):
    with pytest.raises(TypeError, match="not "):
        model.predict_proba(wrong)


def test_threads_get_the_answers_that_one_gets(model):
    alone = [model.predict_proba(TEXTS[number % 5 :] * 50) for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda number: model.predict_proba(TEXTS[number % 5 :] * 50), range(40)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_trace_says_what_would_be_said_if_the_text_ended(model):
    trace = model.trace("A wonderful, splendid film")
    assert trace.tokens == ["a", "wonderful", "splendid", "film"]
    assert trace.known.tolist() == [True, True, False, True]
    beginnings = ["", "a", "a wonderful", "a wonderful splendid", "a wonderful splendid film"]
    np.testing.assert_array_equal(trace.probability, model.predict_proba(beginnings))


@pytest.mark.parametrize(("cut", "read"), [("pre", "c d e f g h"), ("post", "a b c d e")])
def test_a_trace_is_of_the_words_that_are_read(network, cut, read):
    """Six ids, one of them the start mark if the text is cut at its end."""
    encoding = network.encoding.model_copy(update={"truncating": cut})
    trace = Model(replace(network, encoding=encoding)).trace("a b c d e f g h")
    assert trace.tokens == read.split()
    assert len(trace.known) == len(trace.probability) - 1 == len(trace.tokens)


def test_a_trace_of_nothing_is_one_probability(model):
    trace = model.trace("")
    assert (trace.tokens, trace.known.tolist(), trace.probability.tolist()) == ([], [], [0.5])


def test_a_missing_model_says_how_to_make_one(tmp_path):
    with pytest.raises(UserError, match=r"model\.keras is missing; run `dvc repro"):
        imdb_rnn.load(tmp_path / "model.keras")


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_nothing_that_is_slow_to_load_is_loaded():
    """Neither at import, nor to answer."""
    script = """if True:
        import sys, imdb_rnn
        print(*(name for name in sys.modules if name.startswith(("imdb_rnn.", "numpy"))))
        imdb_rnn.load().predict(["A film."])
        slow = {"keras", "tensorflow", "pandas", "sklearn", "pyarrow", "tqdm", "matplotlib", "scipy.linalg"}
        print(*slow & set(sys.modules))
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.check_output([sys.executable, "-c", script], text=True, env=environment) == "\n\n"
