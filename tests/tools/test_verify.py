import pytest
import yaml

from imdb_rnn.base.errors import UserError
from tools.verify import different, judge


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


def test_what_differs_first_is_named():
    with pytest.raises(UserError, match=r"other bytes than 1a2b; the first are those of the stage first: b; docs/"):
        judge("1a2b", lock(), lock(b="1", c="1"), "")
    with pytest.raises(UserError, match=r"the run changed what is committed: M results/metrics\.json"):
        judge("1a2b", lock(), lock(), " M results/metrics.json\n")
    assert "the bytes of 1a2b" in judge("1a2b", lock(), lock(), "")
