"""What the tests work with: small sets made from real reviews, and stages run as processes of their own."""

import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from imdb_rnn.core.params import ModelParams, PadParams, Params
from imdb_rnn.decision import num_logits
from imdb_rnn.engine.layout import Layout
from imdb_rnn.engine.weights import DirectionWeights, Weights, from_named
from imdb_rnn.model import Model

ROOT = Path(__file__).resolve().parent.parent
# By version, as in pyproject.toml: on an older Python a missing TensorFlow fails tests, and skips none.
HAS_TENSORFLOW = sys.version_info < (3, 14)
needs_tensorflow = pytest.mark.skipif(not HAS_TENSORFLOW, reason="TensorFlow has no packages for this Python")

# The most frequent word of `small_archive`: text that would change the title of a page that took it for markup
HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=document.title='taken'>"


def tracked(suffix: str) -> list[str]:
    """The files of the project whose names end like this: those in git, and those that would be."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", f"*{suffix}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()


def as_lists(reviews) -> list[list[int]]:
    """The ranks of each review as a list, as Keras' archive has them."""
    return [reviews.ranks[row].tolist() for row in range(len(reviews))]


def peak_memory(call: Callable[[], object]) -> int:
    """The bytes that `call` has in memory at its peak: of two calls, the one that takes less.

    Now and then one name more makes Python double its table of interned strings: four megabytes in a process that has
    run many tests. It happens in one of two calls at most.
    """
    peaks = []
    for _ in range(2):
        tracemalloc.start()
        try:
            call()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return min(peaks)


def keras_source(folder: Path, index: object, **arrays) -> dict:
    """Write an archive in the layout of Keras' `imdb.npz` (lists become object arrays) and a word index.

    Returns:
        The values of `data` that lead to them.
    """
    for name, values in arrays.items():
        if isinstance(values, list):
            arrays[name] = np.empty(len(values), object)
            arrays[name][:] = values
    np.savez(folder / "imdb.npz", **arrays)
    (folder / "index.json").write_text(json.dumps(index))
    values = {}
    for prefix, path in (("", folder / "imdb.npz"), ("word_index_", folder / "index.json")):
        values |= {f"{prefix}url": path.as_uri(), f"{prefix}sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return {"source": "keras", "keras": values}


def changed(params: Params, **sections) -> Params:
    """`params` with some values replaced: `changed(params, pad={"maxlen": 20})`; groups are replaced key by key."""

    def replace(values: dict, replacements: dict) -> dict:
        return values | {
            name: replace(values[name], value) if isinstance(value, dict) else value
            for name, value in replacements.items()
        }

    return Params.model_validate(replace(params.model_dump(), sections))


def model_params(**values) -> ModelParams:
    """The parameters of a very small network, SimpleRNN unless `values` say otherwise."""
    cell = {"cell": values.pop("cell")} if "cell" in values else {}  # not checked: a test may bring its own
    return ModelParams(**{"embedding_dim": 4, "units": 5} | values).model_copy(update=cell)


def network_of(params: ModelParams, vocab_size: int = 20, seed: int = 5, classes: int = 2, **encoding) -> Model:
    """A network with weights, biases too, of which none is zero; half of all n-grams that there are have a score."""
    random = np.random.default_rng(seed)
    logits = num_logits(classes)
    blocks = Layout(params, vocab_size, 0, logits).blocks
    weights = {name: random.normal(0, 0.5, block.shape).astype(np.float32) for name, block in blocks.items()}
    codes = np.empty(0, np.int64)
    if params.ngrams:
        codes = np.sort(random.choice(np.arange(1, vocab_size**3), vocab_size**3 // 2, replace=False))
    shape = Layout(params, vocab_size, len(codes), logits).blocks["ngrams"].shape
    weights["ngrams"] = random.normal(0, 0.5, shape).astype(np.float32)
    vocabulary = [f"word{rank}" for rank in range(1, vocab_size - 3)]
    pad = PadParams(**{"vocab_size": vocab_size, "maxlen": 12} | encoding)
    provenance = {"source": "bundled"}
    labels = ("negative", "positive") if classes == 2 else tuple(f"class {k}" for k in range(classes))
    texts = vocabulary, "word", labels
    return Model(params, pad, from_named(weights), codes, *texts, best_epoch=3, provenance=provenance)


def model_of_two_words() -> Model:
    """A model for which "wonderful" is positive and "terrible" negative, the word that it read last most of all."""
    embeddings = np.zeros((8, 1), np.float32)
    embeddings[6:] = [[3], [-3]]
    kernel, recurrent_kernel, head_kernel = np.float32([[[1]], [[2]], [[3]]])
    layer, bias = DirectionWeights(kernel, recurrent_kernel, np.zeros(1, np.float32)), np.zeros(1, np.float32)
    params, encoding = model_params(embedding_dim=1, units=1), PadParams(vocab_size=8, maxlen=6)
    weights, words = Weights(embeddings, ((layer,),), head_kernel, bias), ["a", "film", "wonderful", "terrible"]
    texts = words, "word", ("negative", "positive")
    return Model(params, encoding, weights, np.empty(0, np.int64), *texts, 3, {"source": "bundled"})


def write_params(folder: Path, params: Params) -> None:
    # JSON is YAML
    (folder / "params.yaml").write_text(json.dumps(params.model_dump(), indent=2))


def run_stage(name: str, folder: Path, **options) -> subprocess.CompletedProcess:
    """Run a stage in `folder` as DVC does, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "stages", name],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        **options,
    )


def run_limited(code: str, mebibytes: int) -> subprocess.CompletedProcess:
    """Run Python with so much memory, and no more than a minute of the processor."""
    head = f"import resource\nresource.setrlimit(resource.RLIMIT_AS, ({mebibytes << 20}, {mebibytes << 20}))\n"
    head += "resource.setrlimit(resource.RLIMIT_CPU, (60, 60))\n"
    return subprocess.run(
        [sys.executable, "-c", head + code],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # each thread takes address space
        capture_output=True,
        text=True,
        timeout=120,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def complaints(browser) -> list[str]:
    """What the browser's console found severe since it was last asked, and every request that was not for a file."""
    severe = [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    events = [json.loads(line["message"])["message"] for line in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    # What Chromium's own first tab loads is of the scheme chrome.
    return severe + [url for url in asked if urlsplit(url).scheme not in ("file", "data", "blob", "chrome")]
