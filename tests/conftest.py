"""What the tests share: real reviews, small sets made from them, and stages run as their own processes."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stages import sources
from stages.params import Params, parse_params

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def params() -> Params:
    """The parameters as the project ships them."""
    return parse_params((ROOT / "params.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def corpus(params):
    """The 25,000 bundled reviews."""
    return sources.bundled(params.data)


def as_lists(reviews) -> list[list[int]]:
    """The ranks of each review as a list, as Keras' archive has them."""
    flat = reviews.ranks.tolist()
    return [flat[a:b] for a, b in zip(reviews.offsets[:-1], reviews.offsets[1:], strict=True)]


def write_archive(path: Path, **arrays) -> str:
    """Write an archive in the layout of Keras' `imdb.npz` (lists become object arrays) and return its SHA-256."""
    for name, values in arrays.items():
        if isinstance(values, list):
            arrays[name] = np.empty(len(values), object)
            arrays[name][:] = values
    np.savez(path, **arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="session")
def small_archive(corpus, tmp_path_factory) -> dict[str, str]:
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
    sha256 = write_archive(
        folder / "imdb.npz",
        x_train=x_train,
        y_train=y_train.astype(np.int64),
        x_test=x_test,
        y_test=y_test.astype(np.int64),
    )
    index = folder / "imdb_word_index.json"
    index.write_text(json.dumps({word: rank for rank, word in enumerate(corpus.vocabulary[:5000], start=1)}))
    return {
        "source": "keras",
        "url": (folder / "imdb.npz").as_uri(),
        "sha256": sha256,
        "word_index_url": index.as_uri(),
        "word_index_md5": hashlib.md5(index.read_bytes()).hexdigest(),
    }


def changed(params: Params, **sections) -> Params:
    """`params` with some values replaced: `changed(params, pad={"maxlen": 20})`."""
    values = params.model_dump()
    for section, replacements in sections.items():
        values[section] |= replacements
    return Params.model_validate(values)


def write_params(folder: Path, params: Params) -> None:
    # JSON is YAML
    (folder / "params.yaml").write_text(json.dumps(params.model_dump(), indent=2))


def run_stage(name: str, folder: Path, **options) -> subprocess.CompletedProcess:
    """Run a stage in `folder` as DVC does, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", f"stages.{name}"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        **options,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
