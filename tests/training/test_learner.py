import numpy as np
import pytest
from material import needs_tensorflow
from networks import arrays_of
from tasks import VOCAB_SIZE, small, task

from imdb_rnn.core.params import PadParams, TrainParams
from imdb_rnn.text.encode import Labelled, unpad
from imdb_rnn.training.compiled_learner import CompiledLearner
from imdb_rnn.training.keras_learner import KerasLearner
from imdb_rnn.training.learner import learner

pytestmark = pytest.mark.xdist_group("keras")

ENGINES = {"compiled": CompiledLearner, "keras": KerasLearner}


def make(engine: str, **model):
    x, y = task(40, 1)
    encoding = PadParams(vocab_size=VOCAB_SIZE, maxlen=x.shape[1])
    return learner(Labelled(unpad(x), y), small(**model), encoding, TrainParams(engine=engine), 10)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["compiled", pytest.param("keras", marks=needs_tensorflow)])
def test_the_learner_is_of_the_engine_that_is_asked_for_and_its_state_is_copies(engine):
    learning = make(engine)
    assert type(learning) is ENGINES[engine]
    before = learning.state()
    for array in (*arrays_of(learning.weights()), *learning.state()):
        array[...] = 1
    for array, same in zip(learning.state(), before, strict=True):
        np.testing.assert_array_equal(array, same)
