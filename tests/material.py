"""What the tests work with: small sets made from real reviews, and stages run as processes of their own."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from stages.params import ModelParams, Params

ROOT = Path(__file__).resolve().parent.parent

# The most frequent word of `small_archive`: text that would change the title of a page that took it for markup
HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=document.title='taken'>"


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


def changed(params: Params, **sections) -> Params:
    """`params` with some values replaced: `changed(params, pad={"maxlen": 20})`."""
    values = params.model_dump()
    for section, replacements in sections.items():
        values[section] |= replacements
    return Params.model_validate(values)


def model_params(**values) -> ModelParams:
    """The parameters of a very small network, SimpleRNN unless `values` say otherwise."""
    small = {
        "cell": "simple_rnn",
        "layers": 1,
        "bidirectional": False,
        "embedding_dim": 4,
        "units": 5,
        "pooling": "last",
        "ngrams": 0,
        "embedding_dropout": 0.0,
        "dropout": 0.0,
        "mask_padding": True,
    }
    return ModelParams(**small | values)


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


def complaints(browser) -> list[str]:
    """What the browser's console found severe since it was last asked, and every request that was not for a file."""
    severe = [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    events = [json.loads(line["message"])["message"] for line in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    # What Chromium's own first tab loads is of the scheme chrome.
    return severe + [url for url in asked if urlsplit(url).scheme not in ("file", "data", "blob", "chrome")]
