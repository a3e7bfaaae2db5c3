import pytest
import yaml

from tools.verify import different


def lock(**hashes: str) -> str:
    """A `dvc.lock` of the stages `first`, with two outs, and `second`."""
    outs = {"first": ["a", "b"], "second": ["c"]}
    return yaml.safe_dump(
        {
            "stages": {
                name: {"outs": [{"path": path, "md5": hashes.get(path, "0")} for path in paths]}
                for name, paths in outs.items()
            }
        }
    )


@pytest.mark.parametrize(
    ("hashes", "expected"),
    [
        ({}, []),
        ({"b": "1"}, [("first", ["b"])]),
        ({"a": "1", "b": "1", "c": "1"}, [("first", ["a", "b"]), ("second", ["c"])]),
    ],
)
def test_the_stages_with_other_outs_are_named_in_order(hashes, expected):
    assert list(different(lock(), lock(**hashes))) == expected


def test_a_stage_that_did_not_run_has_other_outs():
    assert list(different(lock(), "stages: {}")) == [("first", ["a", "b"]), ("second", ["c"])]


@pytest.mark.slow
def test_the_committed_pipeline_gives_the_same_bytes_in_other_surroundings(project):
    """In another folder, without a cache, with other settings of the user; what is not committed does not count."""
    (project.folder / "results/metrics.json").write_text("{}")
    surroundings = {"LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    printed = project.run("python", "-m", "tools.verify", **surroundings, NUMBA_NUM_THREADS="1")
    assert "every hash in dvc.lock is the same" in printed
    assert not list(project.folder.parent.glob("verify-*"))


@pytest.mark.slow
def test_the_first_stage_that_differs_is_named(project):
    path = project.folder / "dvc.lock"
    text = path.read_text()
    (stage,) = (out for out in yaml.safe_load(text)["stages"]["download"]["outs"])
    path.write_text(text.replace(stage["md5"], "0" * 32 + ".dir"))
    project.commit()
    printed = project.run("python", "-m", "tools.verify", status=1)
    assert "the first are those of the stage download: data/reviews" in printed
    assert "Traceback" not in printed
