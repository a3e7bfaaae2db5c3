import errno
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from material import ROOT, changed, contents, run_stage, write_params

from stages import files
from imdb_rnn.base.errors import UserError
from stages.reviews import Corpus, check, from_lists, write_corpus


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


def test_json_refuses_what_is_not_a_number(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        files.write_json(tmp_path / "metrics.json", {"loss": float("nan")})
    assert contents(tmp_path) == {}


def test_object_arrays_are_not_read(tmp_path):
    np.save(tmp_path / "x.npy", np.array([print], object), allow_pickle=True)
    with pytest.raises(UserError, match=r"x\.npy is damaged .*run `dvc repro pad`"):
        files.read_array(tmp_path / "x.npy", "pad")


def test_an_archive_is_not_taken_for_an_array(tmp_path):
    np.savez(tmp_path / "x.npz", x=[1])
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    with pytest.raises(UserError, match=r"x\.npy is damaged .*run `dvc repro pad`"):
        files.read_array(tmp_path / "x.npy", "pad")


@pytest.mark.parametrize("limit", [10_000, 3_000_000])
def test_a_stage_that_cannot_write_everything_leaves_the_older_result(params, corpus, tmp_path, limit):
    """A limit on file size stands in for a full disk: the write fails half-way, as it does there."""
    write_params(tmp_path, changed(params, pad={"maxlen": 500}))
    write_corpus(corpus, tmp_path / "data/reviews")
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
        import sys
        from pathlib import Path
        from stages import files
        for _ in range(30):
            try:
                with files.replacing(Path("out")) as new:
                    new.mkdir()
                    for name in "ab":
                        (new / name).write_text(sys.argv[1])
            except files.UserError:
                pass
    """
    writers = [
        subprocess.Popen([sys.executable, "-c", script, who], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)})
        for who in "12"
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    found = contents(tmp_path)
    assert found in ({"out/a": b"1", "out/b": b"1"}, {"out/a": b"2", "out/b": b"2"})


def test_the_corpus_is_written_all_or_none(tmp_path):
    reviews = check(from_lists([[1], [1]], np.array([0, 1])), "train", 1)
    write_corpus(Corpus(reviews, reviews, ["the"], {}), tmp_path / "reviews")
    before = contents(tmp_path)
    with pytest.raises(TypeError):
        write_corpus(Corpus(reviews, reviews, ["the"], {"not": {"json"}}), tmp_path / "reviews")
    assert contents(tmp_path) == before
