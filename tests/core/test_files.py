import errno
import io
import os
import pickle
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from material import ROOT, changed, contents, run_stage, write_params
from pydantic import BaseModel

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.text.corpus import from_lists, make_corpus, write_corpus


def start(folder: Path, script: str, *arguments: str) -> subprocess.Popen:
    """Start Python in `folder` with `files`, `sys` and `Path` at hand, and pipes to talk to it."""
    head = "import sys\nfrom pathlib import Path\nfrom imdb_rnn.core import files\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + script, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


# writing


def test_a_file_appears_whole(tmp_path):
    target = tmp_path / "results/metrics.json"
    with files.replacing(target) as new:
        new.write_text("half")
        assert not target.exists()
    assert contents(tmp_path) == {"results/metrics.json": b"half"}


def test_a_folder_replaces_an_older_one_whole(tmp_path):
    target = tmp_path / "figures"
    target.mkdir()
    (target / "old.png").write_text("old")
    with files.replacing(target) as new:
        new.mkdir()
        (new / "new.png").write_text("new")
        assert contents(target) == {"old.png": b"old"}
    assert contents(tmp_path) == {"figures/new.png": b"new"}


@pytest.mark.parametrize("fault", [ValueError("ours"), KeyboardInterrupt(), UserError("theirs")])
def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path, fault):
    target = tmp_path / "metrics.json"
    target.write_text("older")
    with pytest.raises(type(fault)), files.replacing(target) as new:
        new.write_text("half")
        raise fault
    assert contents(tmp_path) == {"metrics.json": b"older"}
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_named_in_one_line(tmp_path):
    target = tmp_path / "metrics.json"
    target.write_text("older")
    with pytest.raises(UserError) as error, files.replacing(target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert str(error.value).startswith(f"{target} cannot be written (No space left on device)")
    assert contents(tmp_path) == {"metrics.json": b"older"}


def test_a_folder_that_is_in_the_way_is_named(tmp_path):
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(UserError, match="cannot be written"), files.replacing(tmp_path / "data/reviews") as new:
        new.mkdir()
    assert contents(tmp_path) == {"data": b"a file where a folder should be"}


@pytest.mark.parametrize("limit", [10_000, 1_000_000])
def test_a_stage_that_cannot_write_everything_leaves_the_older_result(params, tmp_path, limit):
    """A limit on file size stands in for a full disk: the write fails half-way, as it does there."""
    write_params(tmp_path, changed(params, pad={"maxlen": 500}))
    reviews = from_lists([[1, 2, 3]] * 600, np.arange(600) % 2)
    write_corpus(make_corpus(reviews, reviews, ["the", "film", "is"], {"source": "test"}), tmp_path / "data/reviews")
    older = tmp_path / "data/padded"
    older.mkdir()
    (older / "x_train.npy").write_text("older")
    result = run_stage(
        "pad", tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: data/padded cannot be written (")
    assert contents(older) == {"x_train.npy": b"older"}
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["padded", "reviews"]


def test_two_writers_do_not_disturb_each_other(tmp_path):
    """Each of two processes writes the same folder many times; what is there at the end is one of them, whole."""
    script = """if True:
        for _ in range(30):
            try:
                with files.replacing(Path("out")) as new:
                    new.mkdir()
                    for name in "ab":
                        (new / name).write_text(sys.argv[1])
            except files.UserError:
                pass
    """
    with start(tmp_path, script, "1") as one, start(tmp_path, script, "2") as other:
        assert (one.wait(60), other.wait(60)) == (0, 0)
    assert contents(tmp_path) in ({"out/a": b"1", "out/b": b"1"}, {"out/a": b"2", "out/b": b"2"})


def scratch_folders(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


@pytest.mark.parametrize("name", ["影" * 84 + ".x", "x" * 255], ids=["chinese", "latin"])
def test_a_name_may_be_as_long_as_the_system_allows(tmp_path, name):
    files.write_text(tmp_path / name, "text")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_a_killed_process_left_is_removed_when_the_same_is_written_again(tmp_path):
    """And nothing else: neither what it left of other files, however alike their names are, nor the user's own."""
    names = ["x", "x-999999999", "x-y", "x[1]"]  # no process has that number
    script = """if True:
        import contextlib, os, signal
        with contextlib.ExitStack() as stack:
            for name in sys.argv[1:]:
                new = stack.enter_context(files.replacing(Path(name)))
                new.mkdir()
                (new / "half").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    with start(tmp_path, script, *names) as killed:
        assert killed.wait(60) == -signal.SIGKILL
    assert not psutil.pid_exists(killed.pid)
    left = scratch_folders(tmp_path)
    assert [name.split(f"-{killed.pid}-")[0] for name in left] == [f".{name}" for name in names]
    (tmp_path / ".x-notes").mkdir()

    for name in names:
        files.write_text(tmp_path / name, "whole")
        del left[0]
        assert scratch_folders(tmp_path) == sorted([*left, ".x-notes"])
    assert contents(tmp_path) == dict.fromkeys(names, b"whole")


def test_what_a_living_process_is_writing_stays(tmp_path):
    script = """if True:
        with files.replacing(Path("x")) as new:
            new.write_text("theirs")
            print("begun", flush=True)
            sys.stdin.read()
    """
    with start(tmp_path, script) as other:
        assert other.stdout.readline() == "begun\n"
        before = scratch_folders(tmp_path)
        files.write_text(tmp_path / "x", "ours")
        assert scratch_folders(tmp_path) == before != []
        assert contents(tmp_path)["x"] == b"ours"
        other.stdin.close()
        assert other.wait(60) == 0
    assert contents(tmp_path) == {"x": b"theirs"}
    assert scratch_folders(tmp_path) == []


def test_json_refuses_what_is_not_a_number(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        files.write_json(tmp_path / "metrics.json", {"loss": float("nan")})
    assert contents(tmp_path) == {}


def test_text_is_written_the_same_on_every_system(tmp_path):
    files.write_text(tmp_path / "text", "影评\nfilm\n")
    files.write_json(tmp_path / "values.json", {"词": [1]})
    assert contents(tmp_path) == {
        "text": "影评\nfilm\n".encode(),
        "values.json": '{\n  "词": [\n    1\n  ]\n}\n'.encode(),
    }
    assert files.read_text(tmp_path / "text") == "影评\nfilm\n"


# reading


def test_text_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "params.yaml").write_bytes(b"\xff")
    for name in ("params.yaml", "absent.yaml"):
        with pytest.raises(UserError, match=rf"{name}: cannot be read \(.*\); run from the project's top folder"):
            files.read_text(tmp_path / name)


class Score(BaseModel):
    accuracy: float


def test_json_is_read_as_the_form_that_is_asked_for(tmp_path):
    files.write_json(tmp_path / "metrics.json", {"accuracy": 0.5})
    assert files.read_json(Score, tmp_path / "metrics.json", "evaluate") == Score(accuracy=0.5)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"accuracy": "high"}', b"\xff", b"[" * 100_000])
def test_damaged_json_is_named(tmp_path, content):
    (tmp_path / "metrics.json").write_bytes(content)
    with pytest.raises(UserError) as error:
        files.read_json(Score, tmp_path / "metrics.json", "evaluate")
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{tmp_path / 'metrics.json'} is damaged (")
    assert line.endswith("; run `dvc repro evaluate` to make it anew")


@pytest.mark.parametrize(
    "read",
    [
        lambda path: files.read_json(Score, path, "evaluate"),
        lambda path: files.read_array(path, "evaluate"),
    ],
    ids=["json", "array"],
)
def test_a_missing_file_is_named_with_the_stage_that_makes_it(tmp_path, read):
    with pytest.raises(UserError, match=r"absent is missing; run `dvc repro evaluate` to make it$"):
        read(tmp_path / "absent")


@pytest.mark.parametrize("memory_map", [False, True])
def test_an_array_is_read_back_as_written(tmp_path, memory_map):
    np.save(tmp_path / "x.npy", np.arange(6, dtype=np.int32).reshape(2, 3))
    array = files.read_array(tmp_path / "x.npy", "pad", memory_map=memory_map)
    assert isinstance(array, np.memmap) is memory_map
    assert (array.dtype, array.tolist()) == (np.int32, [[0, 1, 2], [3, 4, 5]])


def test_an_archive_is_not_taken_for_an_array(tmp_path):
    np.savez(tmp_path / "x.npz", x=[1])
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    with pytest.raises(UserError, match=r"x\.npy is damaged .*run `dvc repro pad`"):
        files.read_array(tmp_path / "x.npy", "pad")


@pytest.mark.parametrize("shape", [(10**15,), (2**62, 4), (-1,)])
@pytest.mark.parametrize("memory_map", [False, True])
def test_an_array_that_claims_any_size_is_refused(tmp_path, shape, memory_map):
    path = tmp_path / "x.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<i8", "fortran_order": False, "shape": shape})
    with pytest.raises(UserError, match="is damaged"):
        files.read_array(path, "pad", memory_map=memory_map)


class Harmful:
    def __reduce__(self):
        return os.system, ("touch harmed",)


def test_nothing_that_an_array_asks_for_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    stream.write(pickle.dumps(np.array([Harmful()], object)))
    Path("x.npy").write_bytes(stream.getvalue())
    for memory_map in (False, True):
        with pytest.raises(UserError, match=r"x\.npy is damaged .*run `dvc repro pad`"):
            files.read_array(Path("x.npy"), "pad", memory_map=memory_map)
    assert not Path("harmed").exists()
    np.load("x.npy", allow_pickle=True)
    assert Path("harmed").exists()  # it would have harmed
