import numpy as np
import pytest
from networks import arrays_of
from tasks import VOCAB_SIZE, small, task

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import PadParams, TrainParams
from imdb_rnn.text.encode import Labelled, unpad
from imdb_rnn.training.compiled_learner import CompiledLearner
from imdb_rnn.training.keras_learner import KerasLearner
from imdb_rnn.training.learner import learner, refuse

pytestmark = pytest.mark.xdist_group("keras")

ENGINES = {"compiled": CompiledLearner, "keras": KerasLearner}


def make(engine: str, **model):
    x, y = task(40, 1)
    encoding = PadParams(vocab_size=VOCAB_SIZE, maxlen=x.shape[1])
    return learner(Labelled(unpad(x), y), small(**model), encoding, TrainParams(engine=engine), 10)


@pytest.mark.parametrize(
    ("name", "value", "plain"),
    [("ngrams", 2, 0), ("word_dropout", 0.25, 0), ("embeddings", "ppmi_svd", "learned")],
)
def test_what_keras_does_not_have_is_refused_in_one_line_and_the_compiled_engine_has_it(name, value, plain):
    refuse(small(**{name: value}), TrainParams(engine="compiled"))
    refuse(small(dropout=0.5), TrainParams(engine="keras"))
    for ask in (
        lambda: refuse(small(**{name: value}), TrainParams(engine="keras")),
        lambda: make("keras", **{name: value}),
    ):
        with pytest.raises(UserError) as raised:
            ask()
        assert str(raised.value) == (
            f"params.yaml: model.{name} is {value!r}, which the engine keras does not have; "
            f"set it to {plain}, or train.engine to compiled"
        )


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_the_learner_is_of_the_engine_that_is_asked_for_and_its_state_is_copies(engine):
    learning = make(engine)
    assert type(learning) is ENGINES[engine]
    before = learning.state()
    for array in (*arrays_of(learning.weights()), *learning.state()):
        array[...] = 1
    for array, same in zip(learning.state(), before, strict=True):
        np.testing.assert_array_equal(array, same)
