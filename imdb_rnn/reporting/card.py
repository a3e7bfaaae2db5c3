"""The model card of a run: Markdown with the metadata that Hugging Face reads, in English or Chinese.

Its format: https://huggingface.co/docs/hub/model-cards. What a card should say: Mitchell et al., Model Cards for Model
Reporting (2019). A card depends on the results of the run, not on the machine, so the same run has the same card.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

import yaml

from imdb_rnn.core.params import TrainParams
from imdb_rnn.evaluation.behaviour import NEUTRAL, TOLERANCE, language_of, sides
from imdb_rnn.evaluation.intervals import CONFIDENCE
from imdb_rnn.evaluation.results import Behaviour, ClassScores, Metrics, Slice
from imdb_rnn.keras_model import LAYERS
from imdb_rnn.model import Model
from imdb_rnn.reporting.texts import HEADINGS, PHRASES, SLICES, TESTS, in_language

IMDB = "stanfordnlp/imdb"  # Hugging Face's name of the Large Movie Review Dataset
# Under the names that Hugging Face gives them
SCORES = {name: name for name in ("accuracy", "precision", "recall", "f1", "roc_auc")} | {"macro_f1": "f1"}
WEAK = 0.5  # a behaviour test with at most this pass rate is named among the limits


def model_card(
    network: Model,
    train: TrainParams,
    metrics: Metrics,
    half_life: float | None,
    classes: list[ClassScores],
    slices: list[Slice],
    behaviour: list[Behaviour],
    language: str,
) -> str:
    """Make the card of a trained network from the template `card_en.md` or `card_zh.md`.

    Args:
        half_life: of a word's influence, in words; None if it is longer than the reviews.
        classes: of the network, in order; shown if there are more than two.
        slices: at least one.
        language: of the card, `en` or `zh`.

    Returns:
        Markdown that begins with a block of YAML and ends with a line break.
    """
    phrases, headings = in_language(PHRASES, language), in_language(HEADINGS, language)
    slice_names, tests = in_language(SLICES, language), in_language(TESTS, language)
    layer = LAYERS[network.params.cell]
    of_reviews, whose = language_of(network), "own " if network.provenance["source"] == "own" else ""

    def interval(ends: Sequence[float] | None) -> str:
        return phrases["interval"].format(*ends) if ends else "–"

    def slice_name(row: Slice) -> str:
        return slice_names[row.by].format(row.slice.replace(">=", "≥ ").replace("<", "< ").replace("-", "–"))

    scores = [
        [name, f"{score:.4f}", interval(metrics.test_intervals[name]), f"{metrics.baseline[name]:.4f}"]
        + ([f"{metrics.validation[name]:.4f}"] if metrics.validation else [])
        for name, score in metrics.test.items()
    ]
    accuracies = [
        (slice_name(row), f"{row.n_reviews:,}", f"{row.accuracy:.3f}", interval((row.low, row.high))) for row in slices
    ]
    many, three = len(network.labels) > 2, "{:.3f}".format
    by_class = [
        (
            row.label,
            f"{row.n_reviews:,}",
            *map(three, (row.precision, row.recall, row.f1)),
            interval((row.f1_low, row.f1_high)),
        )
        for row in classes
    ]
    passed = []
    for row in behaviour:
        count, ends = f"{row.passed}/{row.cases}", interval((row.low, row.high))
        passed.append((row.kind, tests[row.test], count, f"{row.pass_rate:.3f}", ends, row.skipped, _failure(row)))
    weak = [tests[row.test] for row in behaviour if row.pass_rate <= WEAK]
    weakest = min(slices, key=lambda row: row.accuracy)
    rule = train.threshold
    of_rule = ("precision", rule["precision"]) if isinstance(rule, dict) else ("highest", rule)
    why = phrases[of_rule[0]].format(of_rule[1]) if rule else ""
    groups = {"pad": network.encoding, "model": network.params, "train": train}
    parameters = _flat({name: group.model_dump() for name, group in groups.items()})
    values = {
        "cell": f"Bidirectional({layer})" if network.params.bidirectional else layer,
        "ngrams": phrases["ngrams" if network.params.ngrams else "no ngrams"],
        "weights": f"{network.count_weights():,}",
        "vocabulary": f"{len(network.vocabulary):,}",
        "tokens": phrases[network.tokenizer],
        "maxlen": network.encoding.maxlen,
        "padding": network.encoding.padding,
        "title": phrases["title" if many else "pair title"].format(len(classes)),
        "of": phrases["of" if many else "pair"].format(
            *map(_cell, network.labels), labels=_cell(", ".join(network.labels))
        ),
        "threshold": "" if many else phrases["threshold"].format(_cell(network.labels[1]), network.threshold, why),
        "classes": phrases["by class"].format(_table(headings["classes"], by_class)) if many else "",
        "against": phrases["against"] if many and behaviour else "",
        "best_epoch": network.best_epoch,
        "epochs": train.epochs,
        "example": in_language(PHRASES, of_reviews or "en")["example"],
        "licence": phrases[f"{whose}licence"],
        "origin": phrases[f"{whose}origin"],
        "provenance": _table(headings["provenance"], _flat(network.provenance)),
        "parameters": _table(headings["parameters"], parameters),
        "confidence": f"{CONFIDENCE:.0%}",
        "chance": f"{metrics.chance:.3f}",
        "worth": _compared(metrics, phrases),
        "metrics": _table(headings["metrics"][: len(scores[0])], scores),
        "slices": _table(headings["slices"], accuracies),
        "behaviour": _table(headings["behaviour"], passed)
        if behaviour
        else phrases["no behaviour" if sides(network.labels) else "no sides"],
        "tolerance": TOLERANCE,
        "neutral": phrases["range"].format(*NEUTRAL),
        "language": phrases[of_reviews or "other language"],
        "half_life": phrases[_memory(network, half_life)].format(half_life),
        "weak": phrases["weak"].format(phrases["separator"].join(weak)) if weak else phrases["no weak"],
        "weakest": phrases["weakest"].format(slice_name(weakest), weakest.accuracy),
    }
    template = Template(Path(__file__).with_name(f"card_{language}.md").read_text(encoding="utf-8"))
    return f"---\n{_metadata(network, metrics, of_reviews)}---\n\n{template.substitute(values)}"


def _compared(metrics: Metrics, phrases: Mapping[str, str]) -> str:
    """How the network compares with the linear model; a difference has a sign where it may go either way."""
    compared, ends = metrics.compared(), metrics.above_baseline_interval
    return phrases[compared].format(*(ends if compared == "level" else sorted(map(abs, ends)))).replace("-", "−")


def _memory(network: Model, half_life: float | None) -> str:
    """The name of the phrase on the half-life; combined with good n-grams a network may count nothing."""
    if network.params.ngrams and not network.weights.head_kernel.any():
        return "no influence"
    return "no half-life" if half_life is None else "half-life"


def _metadata(network: Model, metrics: Metrics, language: str | None) -> str:
    """What Hugging Face reads: YAML."""
    source = network.provenance["source"]
    dataset = {
        "bundled": {"type": IMDB, "name": f"IMDb: {network.provenance['test']['reviews']} training reviews set aside"},
        "keras": {"type": IMDB, "name": "IMDb", "split": "test"},
    }.get(source, {"type": source, "name": network.provenance["description"]})
    found = metrics.test
    scores = [{"type": SCORES[name], "name": f"Test {name}", "value": found[name]} for name in SCORES if name in found]
    is_sentiment = sides(network.labels) is not None
    task = {"type": "text-classification", "name": "Sentiment analysis" if is_sentiment else "Text classification"}
    tags = ["rnn", network.params.cell.replace("_", "-"), "keras", "onnx", "dvc"]
    values = {
        "language": [language],
        "license": "mit",
        "library_name": "keras",
        "pipeline_tag": "text-classification",
        "tags": ["sentiment-analysis"] * is_sentiment + tags,
        "datasets": [IMDB],
        "metrics": [score["type"] for score in scores],
        "model-index": [{"name": "imdb-rnn", "results": [{"task": task, "dataset": dataset, "metrics": scores}]}],
    }
    if not language:
        del values["language"]
    if dataset["type"] != IMDB:  # the owner of the reviews chooses a licence
        del values["license"], values["datasets"]
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=1000)


def _flat(values: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Dotted keys and values, which are written as in `params.yaml`."""
    rows = []
    for key, value in values.items():
        if isinstance(value, Mapping) and key == "labels":  # there may be a hundred
            rows.append((f"{above}{key}", ", ".join(f"{label}: {count}" for label, count in value.items())))
        elif isinstance(value, Mapping):
            rows += _flat(value, f"{above}{key}.")
        elif isinstance(value, list | tuple):
            rows.append((f"{above}{key}", ", ".join(map(str, value))))
        else:
            rows.append((f"{above}{key}", value if isinstance(value, str) else json.dumps(value)))
    return rows


def _failure(row: Behaviour) -> str:
    moved = [f"{value:.4g}" for value in (row.before, row.probability) if value is not None]
    return f"{row.failure} ({' → '.join(moved)})" if row.failure else ""


def _table(heading: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(heading), ["---"] * len(list(heading)), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: object) -> str:
    """Text that is no markup and stays in its cell."""
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"[\\`*|\[]", r"\\\g<0>", text)
