"""Put everything on one page that needs no network, with the trained network in it.

In: the parameters, the provenance of the reviews, what `train`, `evaluate` and `explain` found, the network as
`explain` stored it, and the memory of the comparison's networks, which is in git. Out: `results/report/index.html`.
What the page looks like and does stands in `stages/page/`.
"""

import base64
import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from stages import files, history, intervals, results
from stages.errors import run
from stages.params import load_params
from stages.reviews import read_provenance

PAGE = Path(__file__).parent / "page"
PACKAGES = ("tensorflow", "keras", "numba", "numpy", "pandas", "scikit-learn", "dvc")
BINS = 10  # of the calibration


def calibration(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Compare probabilities with what came true, in `BINS` bins of equal width, those without reviews left out.

    Returns:
        Columns predicted (mean probability), positive (share of positive reviews), low and high (its 95 % interval),
        reviews.
    """
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    rows = []
    for chosen in np.unique(bins):
        here = bins == chosen
        low, high = intervals.of_share(y[here].sum(), here.sum())
        rows.append((probability[here].mean(), y[here].mean(), low, high, int(here.sum())))
    return pd.DataFrame(rows, columns=["predicted", "positive", "low", "high", "reviews"])


def page(contents: dict) -> str:
    """Make the page of its parts: one HTML file that loads nothing and runs no script but its own.

    Args:
        contents: what `page/page.js` shows, values of JSON and parameters; whatever text it holds stays text.
    """
    scripts = [(PAGE / name).read_text(encoding="utf-8") for name in ("uPlot.iife.min.js", "network.js", "page.js")]
    styles = [(PAGE / name).read_text(encoding="utf-8") for name in ("uPlot.min.css", "page.css")]

    def hashes(parts: list[str]) -> str:
        digests = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts]
        return " ".join(f"'sha256-{digest}'" for digest in digests)

    # In a data block only "<" could be taken for markup.
    data = json.dumps(contents, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=dict)
    data = data.replace("<", "\\u003c")
    licence = (PAGE / "uPlot.LICENSE").read_text(encoding="utf-8")
    parts = {
        "policy": f"default-src 'none'; script-src {hashes(scripts)}; style-src {hashes(styles)}",
        "styles": "".join(f"<style>{style}</style>" for style in styles),
        "data": data,
        "scripts": f"<!--\nuPlot\n{licence}-->" + "".join(f"<script>{script}</script>" for script in scripts),
    }
    before, *pieces = (PAGE / "index.html").read_text(encoding="utf-8").split("{{")
    return before + "".join(parts[name] + rest for name, rest in (piece.split("}}", 1) for piece in pieces))


def main() -> None:
    params = load_params()
    metrics, traces, compared = results.read_metrics(), results.read_traces(), results.read_compare_memory()
    y, probability = results.read_predictions()
    stored = results.read_stored_network()
    found = intervals.of_metrics(y, probability)
    contents = {
        "parameters": {
            "data": params.data,
            "pad": params.pad,
            "model": params.model,
            "train": params.train,
            "explain": params.explain,
        },
        "provenance": read_provenance(files.REVIEWS),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "weights": stored["weights"],
        "metrics": metrics.model_dump(exclude_none=True),
        "intervals": {name: ends and [round(end, 6) for end in ends] for name, ends in found.items()},
        "history": history.read_history().to_dict("list"),
        "confusion": results.read_confusion().to_dict("records"),
        "roc": results.read_points(files.ROC, ("fpr", "tpr")).to_dict("list"),
        "calibration": calibration(y, probability).round(6).to_dict("list"),
        "memory": results.read_memory().model_dump(),
        "gradient": results.read_points(files.MEMORY, ("k", "gradient", "reviews"), "explain").to_dict("list"),
        "last_words": results.read_points(files.LAST_WORDS, ("words", "accuracy"), "explain").to_dict("list"),
        "traces": [trace.model_dump() for trace in traces],
        "compared": compared.model_dump(),
        "network": stored["network"],
    }
    text = page(contents)
    with files.replacing(files.REPORT) as new:
        new.mkdir()
        (new / "index.html").write_text(text, encoding="utf-8", newline="\n")
    print(f"open {files.REPORT / 'index.html'} in a browser ({len(text.encode()) / 1e6:.1f} MB)")


if __name__ == "__main__":
    run(main)
