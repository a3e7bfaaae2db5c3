"""What the tests share: real reviews, the project in which DVC runs for real, and a browser."""

import fcntl
import importlib.util
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from material import HOSTILE, ROOT, as_lists, changed, keras_source, write_params
from project import SMALL, TRACER, Project, copy_checkout, environment, share_machine_code
from selenium import webdriver

from imdb_rnn.core.params import Params, parse_params
from imdb_rnn.text.corpus import Corpus
from imdb_rnn.text.encode import Labelled, encode
from imdb_rnn.text.sources import bundled
from imdb_rnn.training.loop import train

# The same examples at every run, and no time limit on one of them: machines are noisy.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("quick", settings.get_profile("steady"), max_examples=20)  # of `make check`
settings.load_profile("steady")


@pytest.hookimpl(tryfirst=True)  # before pytest and xdist look at the marks
def pytest_collection_modifyitems(items):
    """Tests that read all the bundled reviews are slow; those that share a slow fixture run in one process."""
    for item in items:
        if "corpus" in item.fixturenames:
            item.add_marker(pytest.mark.slow)
        for name in ("compared", "finished"):
            if name in item.fixturenames:
                item.add_marker(pytest.mark.xdist_group(name))
                break


@pytest.fixture(scope="session")
def shared(request, tmp_path_factory) -> Path:
    """A folder of all the processes that run the tests."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own  # of pytest-xdist


@pytest.fixture(scope="session")
def once(shared) -> Callable[[str, Callable[[], Any]], Any]:
    """Have one of these processes make what takes long, while the others wait for it."""

    def once(name: str, make: Callable[[], Any]) -> Any:
        made = shared / f"{name}.pickle"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                made.with_suffix(".new").write_bytes(pickle.dumps(make()))
                made.with_suffix(".new").rename(made)
        return pickle.loads(made.read_bytes())

    return once


@pytest.fixture(scope="session")
def params() -> Params:
    """The parameters as the project ships them."""
    return parse_params((ROOT / "params.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def corpus(params, once) -> Corpus:
    """The 25,000 bundled reviews."""
    return once("corpus", lambda: bundled.read(params.data.bundled, ROOT, params.data.tokenizer))


@pytest.fixture(scope="session")
def small_archive(corpus, tmp_path_factory) -> dict:
    """600 training and 200 test reviews in Keras' layout, as the parameters that lead to them.

    They come from all over the bundled reviews, so both labels are there. Only the 5,000 most frequent words are
    kept: Keras' archive has no word outside its index.
    """
    folder = tmp_path_factory.mktemp("archive")

    def cut(reviews, count):
        lists = as_lists(reviews)
        rows = range(0, len(reviews), len(reviews) // count)
        return [[rank for rank in lists[row] if 0 < rank <= 5000] for row in rows], reviews.labels[list(rows)]

    x_train, y_train = cut(corpus.train, 600)
    x_test, y_test = cut(corpus.test, 200)
    words = [HOSTILE, *corpus.vocabulary[1:5000]]  # an index may hold anything, and this stands for "the"
    index = {word: rank for rank, word in enumerate(words, start=1)}
    labels = {"y_train": y_train.astype(np.int64), "y_test": y_test.astype(np.int64)}
    return keras_source(folder, index, x_train=x_train, x_test=x_test, **labels)


@pytest.fixture(scope="session")
def fresh(params, corpus, small_archive, tmp_path_factory, once) -> Project:
    """The project as it stands here, committed, with the parameters of a small run and no results."""

    def make() -> Project:
        place = tmp_path_factory.mktemp("fresh")
        project = Project(place / "project", environment(place))
        copy_checkout(project.folder)
        small = changed(params, data=small_archive, **SMALL)
        few = np.arange(4)
        reviews = Labelled(encode(corpus.train.ranks.rows(few), small.pad), corpus.train.labels[few])
        # Compiles, so that not every copy does it again.
        train(reviews, reviews, small.model, small.pad, small.train)
        share_machine_code(ROOT, project.folder)
        write_params(project.folder, small)
        project.run("git", "init", "--quiet")
        project.commit()
        return project

    return once("fresh", make)


@pytest.fixture(scope="session")
def finished(fresh, tmp_path_factory) -> Project:
    """The same after one `dvc repro`, its results committed. `trace` next to it lists the files each stage opened."""
    place = tmp_path_factory.mktemp("finished")
    project = Project(place / "project", environment(place))
    shutil.copytree(fresh.folder, project.folder)
    (place / "tracer").mkdir()
    (place / "tracer/sitecustomize.py").write_text(TRACER)
    ran = project.repro(PYTHONPATH=str(place / "tracer"), TRACE=str(place / "trace"))
    assert ran == ["check", "download", "pad", "baseline", "folds", "train", "evaluate", "plot", "report", "export"]
    project.commit()
    return project


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A copy of the finished project for one test to change."""
    project = Project(tmp_path / "project", environment(tmp_path))
    shutil.copytree(finished.folder, project.folder)
    return project


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium without a window, a profile or a network but loopback, that keeps what console and requests say."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("chromium and chromedriver are not installed")
    place = tmp_path_factory.mktemp("chromium")
    fonts = importlib.util.find_spec("mplfonts")
    if fonts:  # the machine may have no Chinese font
        (place / "fonts").symlink_to(Path(fonts.submodule_search_locations[0]) / "fonts")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "no-proxy-server",
        "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"user-data-dir={place / 'profile'}",
    ):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(driver, env=os.environ | {"XDG_DATA_HOME": str(place)})
    browser = webdriver.Chrome(options, service)
    yield browser
    browser.quit()
