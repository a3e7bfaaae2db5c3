"""The model card of a run: Markdown with the metadata that Hugging Face reads, in English or Chinese.

Its format: https://huggingface.co/docs/hub/model-cards. What a card should say: Mitchell et al., Model Cards for Model
Reporting (2019). A card depends on the results of the run, not on the machine, so the same run has the same card.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import yaml

from imdb_rnn.core.params import TrainParams
from imdb_rnn.engine.kernels.cells import cell_named
from imdb_rnn.evaluation.behaviour import NEUTRAL, TOLERANCE, language_of
from imdb_rnn.evaluation.intervals import CONFIDENCE
from imdb_rnn.evaluation.results import Behaviour, Metrics, Slice
from imdb_rnn.model import Network
from imdb_rnn.reporting.card_text import EXAMPLES, HEADINGS, PHRASES, SLICES, TESTS, TEXT

IMDB = "stanfordnlp/imdb"  # Hugging Face's name of the Large Movie Review Dataset
SCORES = ("accuracy", "precision", "recall", "f1", "roc_auc")  # under the names that Hugging Face gives them
WEAK = 0.5  # a behaviour test with at most this pass rate is named among the limits


def model_card(
    network: Network,
    train: TrainParams,
    metrics: Metrics,
    half_life: float | None,
    slices: list[Slice],
    behaviour: list[Behaviour],
    language: str,
) -> str:
    """Make the card of a trained network.

    Args:
        half_life: of a word's influence, in words; None if it is longer than the reviews.
        slices: at least one.
        language: of the card, `en` or `zh`.

    Returns:
        Markdown that begins with a block of YAML and ends with a line break.
    """
    phrases, of_reviews = PHRASES[language], language_of(network)
    is_own = network.provenance["source"] == "own"
    weak = [f"“{TESTS[row.test][language]}”" for row in behaviour if row.pass_rate <= WEAK]
    weakest = min(slices, key=lambda row: row.accuracy)
    values = {
        "cell": cell_named(network.params.cell).layer,
        "weights": f"{network.count_weights():,}",
        "vocabulary": f"{len(network.vocabulary):,}",
        "tokens": phrases[network.tokenizer],
        "maxlen": network.encoding.maxlen,
        "padding": network.encoding.padding,
        "negative": _cell(network.labels[0]),
        "positive": _cell(network.labels[1]),
        "best_epoch": network.best_epoch,
        "epochs": train.epochs,
        "example": EXAMPLES[of_reviews or "en"],
        "licence": phrases["own licence" if is_own else "licence"],
        "origin": phrases["own origin" if is_own else "origin"],
        "provenance": _table(HEADINGS["provenance"][language], _flat(network.provenance)),
        "parameters": _table(HEADINGS["parameters"][language], _flat(_parameters(network, train), json.dumps)),
        "confidence": f"{CONFIDENCE:.0%}",
        "metrics": _metrics(metrics, language),
        "slices": _slices(slices, language),
        "behaviour": _behaviour(behaviour, language) if behaviour else phrases["no behaviour"],
        "tolerance": TOLERANCE,
        "neutral": " – ".join(f"{end:.2f}" for end in NEUTRAL),
        "language": phrases[of_reviews or "other language"],
        "half_life": phrases["no half-life"] if half_life is None else phrases["half-life"].format(half_life),
        "weak": phrases["weak"].format(phrases["comma"].join(weak)) if weak else phrases["no weak"],
        "weakest": phrases["weakest"].format(_slice_name(weakest, language), weakest.accuracy),
    }
    return f"---\n{_metadata(network, metrics, of_reviews)}---\n\n{TEXT[language].strip().format(**values)}\n"


def _metadata(network: Network, metrics: Metrics, language: str | None) -> str:
    """What Hugging Face reads: YAML."""
    source = network.provenance["source"]
    dataset = {
        "bundled": {"type": IMDB, "name": f"IMDb: {network.provenance['test']['reviews']} training reviews set aside"},
        "keras": {"type": IMDB, "name": "IMDb", "split": "test"},
    }.get(source, {"type": source, "name": network.provenance["description"]})
    scores = [{"type": name, "name": f"Test {name}", "value": getattr(metrics.test, name)} for name in SCORES]
    task = {"type": "text-classification", "name": "Sentiment analysis"}
    values = {
        "language": [language],
        "license": "mit",
        "library_name": "keras",
        "pipeline_tag": "text-classification",
        "tags": ["sentiment-analysis", "rnn", network.params.cell.replace("_", "-"), "keras", "onnx", "dvc"],
        "datasets": [IMDB],
        "metrics": list(SCORES),
        "model-index": [{"name": "imdb-rnn", "results": [{"task": task, "dataset": dataset, "metrics": scores}]}],
    }
    if not language:
        del values["language"]
    if dataset["type"] != IMDB:  # the owner of the reviews chooses a licence
        del values["license"], values["datasets"]
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=1000)


def _parameters(network: Network, train: TrainParams) -> dict:
    return {"pad": network.encoding.model_dump(), "model": network.params.model_dump(), "train": train.model_dump()}


def _flat(values: Mapping[str, Any], shown: Callable[[Any], str] = str, above: str = "") -> list[tuple[str, str]]:
    """Dotted keys and values."""
    rows = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            rows += _flat(value, shown, f"{above}{key}.")
        elif isinstance(value, list | tuple):
            rows.append((f"{above}{key}", ", ".join(map(str, value))))
        else:
            rows.append((f"{above}{key}", shown(value)))
    return rows


def _metrics(metrics: Metrics, language: str) -> str:
    rows = []
    for name, value in metrics.test.model_dump().items():
        row = [name, f"{value:.4f}", _interval(metrics.test_intervals[name], language)]
        if metrics.validation:
            row.append(f"{getattr(metrics.validation, name):.4f}")
        rows.append(row)
    return _table(HEADINGS["metrics"][language][: len(rows[0])], rows)


def _slices(slices: list[Slice], language: str) -> str:
    rows = []
    for row in slices:
        interval = _interval((row.low, row.high), language)
        rows.append((_slice_name(row, language), f"{row.n_reviews:,}", f"{row.accuracy:.3f}", interval))
    return _table(HEADINGS["slices"][language], rows)


def _slice_name(row: Slice, language: str) -> str:
    return SLICES[row.by][language].format(row.slice.replace(">=", "≥ ").replace("<", "< ").replace("-", "–"))


def _behaviour(behaviour: list[Behaviour], language: str) -> str:
    rows = []
    for row in behaviour:
        failure = ""
        if row.failure is not None:
            moved = [f"{value:.4g}" for value in (row.before, row.probability) if value is not None]
            failure = f"{row.failure} ({' → '.join(moved)})"
        interval = _interval((row.low, row.high), language)
        passed, name = f"{row.passed}/{row.cases}", TESTS[row.test][language]
        rows.append((row.kind, name, passed, f"{row.pass_rate:.3f}", interval, row.skipped, failure))
    return _table(HEADINGS["behaviour"][language], rows)


def _interval(interval: Sequence[float] | None, language: str) -> str:
    return PHRASES[language]["interval"].format(*interval) if interval else "–"


def _table(heading: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(heading), ["---"] * len(list(heading)), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: object) -> str:
    """Text that is no markup and stays in its cell."""
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"[\\`*|\[]", r"\\\g<0>", text)
