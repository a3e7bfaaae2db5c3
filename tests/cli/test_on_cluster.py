import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from material import ROOT, contents

from imdb_rnn import model_file
from imdb_rnn.core import files

pytest.importorskip("ray.data", reason="needs the extra cluster")

from machines import NODE, machines

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.xdist_group("predict on a cluster")]
TABLES, ROWS = 6, 20_000


@pytest.fixture(scope="module")
def cluster():
    """Two machines of one processor each."""
    with machines(2) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def expected(tmp_path_factory, model):
    """A project with tables, and as one process writes them to `one`."""
    folder = tmp_path_factory.mktemp("project")
    model_file.save(model, folder / files.MODEL)
    (folder / "in").mkdir()
    for table in range(TABLES):
        texts = (f"A {'wonderful' if row % (table + 2) else 'terrible'} film {row}" for row in range(ROWS))
        (folder / f"in/t{table}.csv").write_text("text\n" + "\n".join(texts) + "\n")
    out, _ = finish(start(folder, "one"))
    assert out == "120,000 reviews, 88,141 of them positive, in one\n"
    return folder


def start(folder, out: str, *arguments: str) -> subprocess.Popen:
    """Start the command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "imdb_rnn", "predict", "--table", "in/*.csv", "--out", out, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # also where the tests do not heed it
    )


def finish(process: subprocess.Popen, status: int = 0) -> tuple[str, str]:
    out, err = process.communicate(timeout=90)
    assert process.returncode == status, err
    return out, err


def working(folder) -> list[int]:
    """Wait for workers in the middle of tables, and give their processes."""
    psutil = pytest.importorskip("psutil")
    deadline = time.monotonic() + 60
    while True:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if any(str(folder / ".imdb-rnn/unfinished") in file.path for file in process.open_files()):
                    found.append(process.pid)
        if found:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.005)


def assert_same(expected, out: str) -> None:
    """The tables, and the names of all files in their folder."""
    assert contents(expected / out) == contents(expected / "one")


def test_two_machines_write_what_one_process_writes(cluster, expected):
    out, err = finish(start(expected, "two", "--cluster", cluster.address))
    assert out == "120,000 reviews, 88,141 of them positive, in two\n"
    assert err == "text column: text\n"
    assert_same(expected, "two")


def test_so_do_the_processors_of_this_machine_as_a_cluster_of_its_own(expected):
    out, err = finish(start(expected, "local", "--cluster", "local"))
    assert (out.split(",")[0], err) == ("120", "text column: text\n")
    assert_same(expected, "local")


def test_a_worker_that_is_killed_changes_nothing(cluster, expected):
    process = start(expected, "killed", "--cluster", cluster.address)
    os.kill(working(expected / "killed")[0], signal.SIGKILL)
    out, _ = finish(process)
    assert out == "120,000 reviews, 88,141 of them positive, in killed\n"
    assert_same(expected, "killed")


def test_a_machine_that_leaves_changes_nothing(cluster, expected):
    node = cluster.add_node(**NODE)
    process = start(expected, "left", "--cluster", cluster.address)
    working(expected / "left")
    cluster.remove_node(node, allow_graceful=False)
    finish(process)
    assert_same(expected, "left")


def test_ctrl_c_leaves_whole_tables_and_the_next_run_does_the_rest(cluster, expected):
    process, folder = start(expected, "stopped", "--cluster", cluster.address), expected / "stopped"
    while not list(folder.glob(".imdb-rnn/*.json")):  # the record of a table, which is written after it
        working(folder)
    process.send_signal(signal.SIGINT)
    _, err = finish(process, status=130)
    assert err.splitlines()[-1].startswith("interrupted: ")
    whole = {name for name in contents(folder) if not name.startswith(".")}
    assert 0 < len(whole) < TABLES
    assert all((folder / name).read_bytes() == (expected / "one" / name).read_bytes() for name in whole)
    _, err = finish(start(expected, "stopped", "--cluster", cluster.address))
    assert re.search("^done already: [1-5] of 6 tables$", err, re.MULTILINE)
    assert_same(expected, "stopped")


def test_a_fault_of_a_table_is_one_line(cluster, expected):
    (expected / "bad").mkdir()
    for table in range(3):
        (expected / f"bad/t{table}.csv").write_text("text\ngood\n" + "\0\n" * (table == 1))
    process = start(expected, "faulty", "--table", "bad", "--cluster", cluster.address)
    _, err = finish(process, status=1)
    line = f"error: {expected}/bad/t1.csv, line 3: NUL bytes: damaged, or no text; save it as UTF-8 text"
    assert err.splitlines() == ["text column: text", line]
    assert not (expected / "faulty/t1.csv").exists()


FAULT = """
from pathlib import Path
from imdb_rnn import load
from imdb_rnn.core.errors import run_command
from imdb_rnn.cli import on_cluster, parts
planned = parts.plan(parts.find_tables(["in/t0.csv"], Path("fault")), Path("fault"), None)
def score():
    with parts.scratch_folder(Path("fault")) as scratch:
        {}
        on_cluster.score_parts(load(), "1", planned, scratch, "{}", print)
run_command(score)
"""


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            "scratch = scratch / 'elsewhere'",
            "elsewhere does not exist on .*; put the tables and --out on storage that all",
        ),
        ("Path('in/t0.csv').rename('in/t9.csv')", "in/t0.csv does not exist on .*; put the tables and --out"),
        ("(scratch / 't0.csv.starts').write_bytes(b'.' * 10)", "in/t0.csv: 10 workers died over it; is it too large"),
    ],
)
def test_what_a_worker_cannot_do_is_one_line(cluster, expected, statement, fault):
    process = subprocess.run(
        [sys.executable, "-c", FAULT.format(statement, cluster.address)],
        cwd=expected,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "rename" in statement:
        (expected / "in/t9.csv").rename(expected / "in/t0.csv")
    assert (process.returncode, process.stdout) == (1, "")
    assert re.match(f"error: .*{fault}", process.stderr)
    assert len(process.stderr.splitlines()) == 1
