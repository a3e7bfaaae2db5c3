"""The page of a run: one HTML file with the trained network in it, which loads nothing."""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template

import numpy as np

from imdb_rnn.engine.weights import named
from imdb_rnn.model import Model
from imdb_rnn.reporting.small_networks import SmallNetwork, integers
from imdb_rnn.text.jieba_tables import jieba_tables
from imdb_rnn.text.vocabulary import RANK_OFFSET

PAGE = Path(__file__).parent / "page"
STYLES = ("uPlot.min.css", "page.css")
SCRIPTS = (  # each may use what those before it define
    "uPlot.iife.min.js",
    "jieba.js",
    "cells.js",
    "network.js",
    "elements.js",
    "charts.js",
    "reading.js",
    "sections.js",
    "try.js",
    "side_by_side.js",
    "tables.js",
    "scoring.js",
    "page.js",
)


def stored_network(network: Model) -> dict:
    """What `page/network.js` needs to read as the network does.

    Raises:
        UserError: when jieba splits the text and is not installed.
    """
    arrays = named(network.weights)
    arrays["embeddings"] = arrays["embeddings"][: RANK_OFFSET + 1 + len(network.vocabulary)]  # of a word each
    shape = {"cell", "layers", "bidirectional", "embedding_dim", "units", "pooling", "ngrams", "mask_padding"}
    first = network.weights.layers[0][0]
    return {
        **network.params.model_dump(include=shape),
        **network.encoding.model_dump(),
        "gates": first.kernel.shape[1] // network.params.units,
        "recurrent_bias": first.bias.ndim == 2,
        "num_logits": len(network.weights.head_bias),
        "tokenizer": network.tokenizer,
        "jieba": jieba_tables() if network.tokenizer == "jieba" else None,
        "vocabulary": network.vocabulary,
        "ngram_count": len(network.weights.ngrams),
        "weights": _numbers(arrays),
        "ngram_codes": _base64(network.ngram_codes, "<i8"),
    }


def stored_small_networks(networks: Sequence[SmallNetwork]) -> dict:
    """The same for networks that share their vocabulary, with their epochs and accuracies; embeddings are integers."""
    stored = []
    for network, validation, test in networks:
        arrays = named(network.weights)
        codes, scale = integers(arrays.pop("embeddings"))
        one = stored_network(network) | {"weights": _numbers(arrays)}
        del one["vocabulary"]
        accuracies = {"validation_accuracy": validation, "test_accuracy": test}
        one |= {"embeddings": _base64(codes, "<i2"), "scale": float(scale)}
        stored.append(one | {"epoch": network.best_epoch} | accuracies)
    return {"vocabulary": networks[0].network.vocabulary, "networks": stored}


def page(contents: dict) -> str:
    """Make the page of its parts: one HTML file that loads nothing and runs no script but its own.

    The worker that scores a table is made of the page's scripts, by their ids.

    Args:
        contents: what `page/sections.js` and `page/try.js` show, values of JSON and parameters; whatever text it holds
            stays text.
    """
    scripts = [_part(name) for name in SCRIPTS]
    styles = [_part(name) for name in STYLES]
    # In a data block only "<" could become markup.
    data = json.dumps(contents, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=dict)
    licences = "".join(f"<!--\n{name}\n{_part(f'{name}.LICENSE')}-->" for name in ("uPlot", "jieba"))
    parts = {
        "policy": f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes(styles)}; img-src data:; "
        "worker-src blob:",
        "styles": "".join(f"<style>{style}</style>" for style in styles),
        "data": data.replace("<", "\\u003c"),
        "scripts": licences
        + "".join(f'<script id="{name}">{script}</script>' for name, script in zip(SCRIPTS, scripts, strict=True)),
    }
    return Template(_part("index.html")).substitute(parts)


def _numbers(arrays: dict[str, np.ndarray]) -> str:
    return _base64(np.concatenate([np.ravel(array) for array in arrays.values()]), "<f4")


def _base64(array: np.ndarray, form: str) -> str:
    return base64.b64encode(array.astype(form).tobytes()).decode()


def _part(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def _hashes(parts: list[str]) -> str:
    """The parts as a content-security policy names them."""
    digests = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts]
    return " ".join(f"'sha256-{digest}'" for digest in digests)
