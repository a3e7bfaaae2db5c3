import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from material import ROOT, contents
from pydantic import BaseModel

from imdb_rnn.core import files, frames
from imdb_rnn.core.errors import UserError

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


def test_a_full_disk_is_named_by_the_folder_whose_file_was_written(tmp_path):
    target = tmp_path / "run"
    with pytest.raises(UserError) as error, files.replacing(target) as new:
        new.mkdir()
        files.write_text(new / "run.json", "{}")
        with files.replacing(new / "model"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert str(error.value).startswith(f"{target} cannot be written (No space left on device)")
    assert contents(tmp_path) == {}


def test_a_folder_that_is_in_the_way_is_named(tmp_path):
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(UserError, match="cannot be written"), files.replacing(tmp_path / "data/reviews") as new:
        new.mkdir()
    assert contents(tmp_path) == {"data": b"a file where a folder should be"}


def start(folder: Path, script: str, *arguments: str) -> subprocess.Popen:
    """Start Python in `folder` with `files`, `os`, `sys` and `Path` at hand, and pipes to talk to it."""
    head = "import os, sys\nfrom pathlib import Path\nfrom imdb_rnn.core import files\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + script, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_writers_do_not_disturb_each_other(tmp_path):
    """Each of two processes writes the same folder many times; what is there at the end is one of them, whole."""
    script = """
for _ in range(30):
    try:
        with files.replacing(Path("x")) as new:
            new.mkdir()
            for name in "ab":
                (new / name).write_text(sys.argv[1])
    except files.UserError:
        pass
"""
    with start(tmp_path, script, "1") as one, start(tmp_path, script, "2") as other:
        assert (one.wait(60), other.wait(60)) == (0, 0)
    assert contents(tmp_path) in ({"x/a": b"1", "x/b": b"1"}, {"x/a": b"2", "x/b": b"2"})


def test_what_another_process_is_writing_stays(tmp_path):
    """Wherever that process runs: in a container, or on another machine with the same disk, its number says nothing."""
    script = """
with files.replacing(Path("x")) as new:
    new.write_text("theirs")
    print("begun", flush=True)
    sys.stdin.read()
"""
    with start(tmp_path, script) as other:
        assert other.stdout.readline() == "begun\n"
        files.write_text(tmp_path / "x", "ours")
        assert (tmp_path / "x").read_text() == "ours"
        other.communicate()
    assert other.returncode == 0
    assert contents(tmp_path) == {"x": b"theirs"}


def test_what_a_killed_process_left_is_removed_a_day_later_and_nothing_else(tmp_path):
    script = """
with files.replacing(Path("x")) as new:
    new.write_text("half")
    os.kill(os.getpid(), 9)
"""
    with start(tmp_path, script) as killed:
        assert killed.wait(60) == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    (tmp_path / ".notes").mkdir()
    files.write_text(tmp_path / "y", "whole")
    assert left.exists()
    for path in (*left.rglob("*"), left, tmp_path / ".notes"):
        os.utime(path, (1e9, 1e9))
    with pytest.raises(ValueError, match="ours"), files.replacing(tmp_path / "y"):
        raise ValueError("ours")
    assert left.exists(), "removed though nothing was written in its place"
    files.write_text(tmp_path / "y", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".notes", "y"]


def test_a_kill_while_a_folder_is_replaced_loses_neither_the_older_nor_the_newer(tmp_path):
    """Between the two renames, where no other moment is as bad."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x/old").write_text("old")
    script = """
def kill(*_):
    os.kill(os.getpid(), 9)
Path.replace = kill
with files.replacing(Path("x")) as new:
    new.mkdir()
    (new / "new").write_text("new")
"""
    with start(tmp_path, script) as killed:
        assert killed.wait(60) == -signal.SIGKILL
    files.write_text(tmp_path / "y", "whole")
    (left,) = tmp_path.glob(f"{files.TEMPORARY}*")
    assert contents(left) == {"old/old": b"old", "new/x/new": b"new"}


@pytest.mark.parametrize("name", ["影" * 84 + ".x", "x" * 255], ids=["chinese", "latin"])
def test_a_name_may_be_as_long_as_the_system_allows(tmp_path, name):
    files.write_text(tmp_path / name, "text")
    assert [path.name for path in tmp_path.iterdir()] == [name]


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
    assert line.endswith("; run `dvc repro evaluate` to rebuild it")


@pytest.mark.parametrize(
    "read",
    [
        lambda path: files.read_json(Score, path, "evaluate"),
        lambda path: files.read_array(path, "evaluate"),
        lambda path: frames.read_points(path, ("fpr",), "evaluate"),
    ],
    ids=["json", "array", "points"],
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


@pytest.mark.parametrize("memory_map", [False, True])
def test_a_damaged_array_is_named(tmp_path, memory_map):
    """Cut short; one of objects, which would be unpickled; and an archive of arrays."""
    path = tmp_path / "x.npy"
    np.save(path, np.arange(6))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"x\.npy is damaged .*run `dvc repro pad`"):
        files.read_array(path, "pad", memory_map=memory_map)
    np.save(path, np.array([{}], object), allow_pickle=True)
    with pytest.raises(UserError, match=r"x\.npy is damaged .*run `dvc repro pad`"):
        files.read_array(path, "pad", memory_map=memory_map)
    with path.open("wb") as file:
        np.savez(file, x=[1])
    with pytest.raises(UserError, match=r"x\.npy is damaged .*run `dvc repro pad`"):
        files.read_array(path, "pad", memory_map=memory_map)
