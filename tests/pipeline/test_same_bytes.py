"""The same bytes whatever a bit could depend on: processor, threads, and the user's settings."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from llvmlite import binding
from material import ROOT, changed, contents, keras_source, write_params
from project import SMALL

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("same bytes")]

# All stages in one process, for DVC and the start of a process for each would take most of the time; then a network of
# three classes that reads padding, and the vectors that the pipeline's network, which learns its own, does not have.
PROGRAM = """
import importlib, pathlib
import numpy
from imdb_rnn.core.params import ModelParams, load_params
from imdb_rnn.engine.weights import named
from imdb_rnn.text.encode import Labelled, unpad
from imdb_rnn.training.loop import train
from imdb_rnn.engine.ppmi_svd import word_vectors
for stage in ("check", "download", "pad", "baseline", "folds", "train", "evaluate", "plot", "report", "export"):
    importlib.import_module(f"stages.{stage}").main(load_params(pathlib.Path()), pathlib.Path())
x, params = numpy.load("data/padded/x_test.npy"), load_params(pathlib.Path())
reviews = Labelled(unpad(x), numpy.arange(len(x)) % 3)
model = ModelParams(cell="gru", units=24, embedding_dim=24, ngrams=1, mask_padding=False)  # the 2nd vector part-filled
trained = train(reviews, reviews, model, params.pad, params.train)
trained.history.to_csv("data/history.csv")
for name, array in named(trained.weights).items():
    numpy.save(f"data/{name}.npy", array)
numpy.save("data/vectors.npy", word_vectors(unpad(numpy.load("data/padded/x_train.npy")), 2000, 20, seed=1))
"""
SETTINGS = {
    "explain": {"reviews": 5},  # few, for without fused multiply-add each product takes many times as long
    "pad": {},
    "model": {
        "cell": "gru",
        "layers": 2,
        "bidirectional": True,
        "pooling": "max+mean",
        "ngrams": 2,
        "word_dropout": 0.1,
        "dropout": 0.2,
    },
    "train": {"schedule": "cosine", "weight_averaging": 0.9, "folds": 2},
}
PROCESSORS = {
    "haswell": "+avx,+avx2,+fma,+bmi,+bmi2,+sse4.2",
    "skylake-avx512": "+avx,+avx2,+fma,+bmi,+bmi2,+sse4.2,+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl",
    "generic": "",  # any x86-64 at all, without fused multiply-add
    "other": "",  # none of these
}
# The C library has its exp, log and the like once for every kind of processor.
PLAIN_C = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4,-AVX"}
USER = {"LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}


def can_run(processor: str) -> bool:
    host, is_x86 = binding.get_host_cpu_features(), binding.get_process_triple().startswith("x86_64")
    return is_x86 == (processor != "other") and all(
        host.get(feature[1:], False) for feature in PROCESSORS[processor].split(",") if feature
    )


def usual() -> str:
    """The processor that code is compiled for here, of the two that are not generic."""
    return "skylake-avx512" if can_run("skylake-avx512") else "haswell"


def hashes(folder: Path, archive: dict, params, **surroundings: str) -> dict[str, str]:
    """Run the pipeline in a folder, and return the hash of every file that it wrote."""
    for name in ("data", "home"):
        (folder / name).mkdir(parents=True)
    shutil.copytree(ROOT / "results/experiments", folder / "results/experiments")
    settings = {name: SMALL.get(name, {}) | values for name, values in SETTINGS.items()}
    write_params(folder, changed(params, data=archive, **settings))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(folder / "home")} | surroundings
    subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", PROGRAM],
        cwd=folder,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    written = {**contents(folder / "data"), **contents(folder / "results")}
    return {
        name: hashlib.sha256(content).hexdigest()
        for name, content in written.items()
        if not name.startswith(("checkpoints/", "downloads/", "experiments/"))
    }


@pytest.fixture(scope="module")
def archive(small_archive, tmp_path_factory) -> dict:
    """A third of `small_archive`, its reviews cut to 1 to 60 words, so that some are padded."""
    arrays = dict(np.load(unquote(urlsplit(small_archive["keras"]["url"]).path), allow_pickle=True))
    arrays = {name: values[::3] for name, values in arrays.items()}
    for name in ("x_train", "x_test"):
        arrays[name] = [ranks[: 1 + 7 * row % 60] for row, ranks in enumerate(arrays[name])]
    cut = keras_source(tmp_path_factory.mktemp("cut"), {}, **arrays)["keras"]
    return small_archive | {"keras": small_archive["keras"] | {key: cut[key] for key in ("url", "sha256")}}


@pytest.fixture(scope="module")
def expected(tmp_path_factory, archive, params) -> dict[str, str]:
    return hashes(tmp_path_factory.mktemp("here") / "project", archive, params, NUMBA_NUM_THREADS="2")


@pytest.mark.parametrize(
    ("processor", "threads"), [("haswell", "1"), ("skylake-avx512", "7"), ("generic", "7"), ("other", "1")]
)
def test_every_file_is_the_same(expected, tmp_path, archive, params, processor, threads):
    if not can_run(processor) or processor == usual():
        pytest.skip(f"this machine cannot run code for {processor}, or does so anyway")
    kind = {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": PROCESSORS[processor]}
    surroundings = (kind if processor != "other" else {}) | {
        "NUMBA_NUM_THREADS": threads,
        "OPENBLAS_CORETYPE": "Haswell" if processor == "haswell" else "Prescott",
        "OPENBLAS_NUM_THREADS": threads,
        "NPY_DISABLE_CPU_FEATURES": " ".join(np.show_config(mode="dicts")["SIMD Extensions"]["found"]),
    }
    found = hashes(tmp_path / "elsewhere", archive, params, **surroundings, **USER, **PLAIN_C)
    assert len(expected) > 20
    assert found == expected
