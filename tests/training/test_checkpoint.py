import json
import signal
import zipfile

import numpy as np
import pytest
from material import changed, model_params
from test_train import VOCAB_SIZE, task

from stages import checkpoint, network, train
from stages.batches import unpad
from imdb_rnn.base.params import Params

FACTS = {"epoch": 2, "drawn": {"state": 2**120}, "loss": 0.1}
ARRAYS = {"variables": [np.arange(3, dtype=np.float32), np.array(5, np.int64)] + [np.zeros(2)] * 9}


class StoppedError(Exception):
    pass


def values_of(params: Params, **kind) -> Params:
    model = model_params(embedding_dim=6, **kind.pop("model", {})).model_dump()
    defaults = {"epochs": 3, "batch_size": 32, "learning_rate": 0.01, "seed": 4}
    return changed(params, model=model, train=defaults | kind)


def run(values: Params, kept_at=None):
    (x, y), (held_out, y_held_out) = task(200, 1), task(80, 2)
    model, course = train.train(
        unpad(x, True), y, unpad(held_out, True), y_held_out, VOCAB_SIZE, values.model, values.train, kept_at
    )
    return model.get_weights(), course


KINDS = {
    "simple_rnn": {},
    "dropout": {"model": {"cell": "gru", "dropout": 0.3, "embedding_dropout": 0.3}},
    "averaged n-grams": {"model": {"ngrams": 2}, "weight_averaging": 0.9, "schedule": "cosine"},
    "momentum": {"optimizer": "sgd", "patience": 1, "learning_rate": 0.5},
}


@pytest.mark.parametrize("kind", KINDS)
def test_training_that_was_stopped_ends_as_if_it_was_not(params, kind, tmp_path, monkeypatch):
    """Stopped again and again, after a few batches each time, with a checkpoint after every batch."""
    values = values_of(params, **KINDS[kind])
    weights, course = run(values)
    monkeypatch.setattr(train, "CHECKPOINT_SECONDS", -1)
    kept_at, training_step, stops = tmp_path / "checkpoint.npz", network.training_step, 0

    def stopping_step(*arguments):
        step, variables = training_step(*arguments)
        left = 4

        def stop_soon(*batch):
            nonlocal left
            left -= 1
            if left < 0:
                raise StoppedError
            return step(*batch)

        return stop_soon, variables

    monkeypatch.setattr(network, "training_step", stopping_step)
    while True:
        try:
            again, course_again = run(values, kept_at)
            break
        except StoppedError:
            stops += 1
    assert stops >= 3
    assert course_again.equals(course)
    for one, other in zip(again, weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_ctrl_c_loses_no_batch(params, tmp_path, monkeypatch):
    values, kept_at = values_of(params), tmp_path / "checkpoint.npz"
    training_step, seen = network.training_step, []

    def interrupted_step(*arguments):
        step, variables = training_step(*arguments)

        def press(*batch):
            seen.append(len(batch))
            result = step(*batch)
            if len(seen) == 9:
                signal.raise_signal(signal.SIGINT)
            return result

        return press, variables

    monkeypatch.setattr(network, "training_step", interrupted_step)
    with pytest.raises(KeyboardInterrupt):
        run(values, kept_at)
    run(values, kept_at)
    assert len(seen) == 3 * 7  # 200 reviews in batches of 32, three epochs, none of them twice


def test_a_finished_checkpoint_trains_no_more(params, tmp_path, monkeypatch):
    values, kept_at = values_of(params), tmp_path / "checkpoint.npz"
    weights, course = run(values, kept_at)

    def no_step(*arguments):
        def step(*batch):
            raise AssertionError

        return step, training_step(*arguments)[1]

    training_step = network.training_step
    monkeypatch.setattr(network, "training_step", no_step)
    again, course_again = run(values, kept_at)
    assert course_again.equals(course)
    for one, other in zip(again, weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_checkpoint_is_read_as_written(tmp_path):
    path = tmp_path / "new/checkpoint.npz"
    assert checkpoint.read(path, ARRAYS) is None
    checkpoint.write(path, FACTS, ARRAYS)
    facts, arrays = checkpoint.read(path, ARRAYS)
    assert facts == FACTS
    assert arrays.keys() == {"variables"}
    for one, other in zip(arrays["variables"], ARRAYS["variables"], strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.npz"]


def test_a_damaged_checkpoint_is_told_and_set_aside(tmp_path):
    """Bits of every byte of the first header, of the directory and of the end; and cut off every so many bytes."""
    path = tmp_path / "checkpoint.npz"
    checkpoint.write(path, FACTS, ARRAYS)
    whole = path.read_bytes()
    directory = whole.index(b"PK\x01\x02")
    damaged = [whole[:length] for length in range(0, len(whole), 97)]
    for place in [*range(200), *range(directory, len(whole))]:
        for bit in (place % 8, (place + 3) % 8):
            content = bytearray(whole)
            content[place] ^= 1 << bit
            damaged.append(bytes(content))
    set_aside = 0
    for content in damaged:
        path.write_bytes(content)
        found = checkpoint.read(path, ARRAYS)
        if found is None:
            assert not path.exists()
            set_aside += 1
        else:  # a bit that nothing depends on, of a time stamp, say
            assert found[0] == FACTS
            for one, other in zip(found[1]["variables"], ARRAYS["variables"], strict=True):
                np.testing.assert_array_equal(one, other)
    assert set_aside > len(damaged) / 2


@pytest.mark.parametrize(
    "arrays",
    [
        {"variables": ARRAYS["variables"][:-1]},
        {"variables": [*ARRAYS["variables"], np.zeros(1)]},
        {"variables": [np.zeros(4, np.float32), *ARRAYS["variables"][1:]]},
        {"variables": [ARRAYS["variables"][0].astype(np.float64), *ARRAYS["variables"][1:]]},
        {"others": ARRAYS["variables"]},
    ],
    ids=["fewer", "more", "longer", "wider", "others"],
)
def test_a_checkpoint_of_other_arrays_is_set_aside(tmp_path, arrays):
    path = tmp_path / "checkpoint.npz"
    checkpoint.write(path, FACTS, arrays)
    assert checkpoint.read(path, ARRAYS) is None
    assert (tmp_path / "checkpoint.damaged").exists()


def test_a_compressed_checkpoint_is_refused(tmp_path, capsys):
    """It could be a bomb: little on disk, much in memory."""
    path = tmp_path / "checkpoint.npz"
    np.savez_compressed(path, **{"facts": np.array(json.dumps(FACTS)), "variables.0": ARRAYS["variables"][0]})
    assert zipfile.ZipFile(path).infolist()[0].compress_type == zipfile.ZIP_DEFLATED
    assert checkpoint.read(path, ARRAYS) is None
    assert "the checkpoint is damaged (it is compressed)" in capsys.readouterr().err


def test_the_fingerprint_tells_runs_apart(params, tmp_path):
    code = tmp_path / "train.py"
    code.write_text("a = 1")
    one = checkpoint.fingerprint(code)
    code.write_text("a = 2")
    assert checkpoint.fingerprint(code) != one
    x = np.arange(6, dtype=np.int32)
    same = checkpoint.fingerprint(5, params.model, x)
    assert checkpoint.fingerprint(5, params.model, x.copy()) == same
    others = [
        checkpoint.fingerprint(6, params.model, x),
        checkpoint.fingerprint(5, changed(params, model={"units": 7}).model, x),
        checkpoint.fingerprint(5, params.model, x[::-1]),
        checkpoint.fingerprint(5, params.model, x.astype(np.int64)),
        checkpoint.fingerprint(5, params.model, x.reshape(2, 3)),
    ]
    assert len({same, *others}) == 6
