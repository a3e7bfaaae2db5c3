"""Put everything on one page that works offline, with the trained network in it.

In: the parameters, `data/model.keras`, what `train`, `evaluate` and `explain` found, and what is in git: the memory of
the comparison's networks, and the trials of the last sweep. Out: `results/report/index.html`. What the page looks like
and does stands in `imdb_rnn/reporting/page/`.
"""

from pathlib import Path

from imdb_rnn import model_file
from imdb_rnn.core import files, frames
from imdb_rnn.core.params import Params
from imdb_rnn.core.stage import run
from imdb_rnn.engine.kernels.arithmetic import expit
from imdb_rnn.evaluation import intervals, metrics, results
from imdb_rnn.evaluation.calibration import calibration
from imdb_rnn.evaluation.sensitivity import half_life
from imdb_rnn.reporting.card_text import TESTS
from imdb_rnn.reporting.comparison_results import read_comparison
from imdb_rnn.reporting.report import page, stored_network
from imdb_rnn.reporting.sweep_results import read_sweep, summarize
from imdb_rnn.training.decision import THRESHOLD
from imdb_rnn.training.history import read_history


def main(params: Params, root: Path) -> None:
    network = model_file.load(root / files.MODEL)
    measured = files.read_json(results.Metrics, root / files.METRICS, "evaluate")
    y, logits = results.read_predictions(root / files.PREDICTIONS)
    probability = expit(logits)
    explanation = root / files.EXPLANATION
    gradient = frames.read_points(explanation / "gradient.csv", ("k", "gradient", "reviews"), "explain")
    last_words = frames.read_points(explanation / "last_words.csv", ("words", "accuracy"), "explain")
    found = intervals.of_metrics(y, logits)
    contents = {
        "parameters": {
            "data": {"source": params.data.source, params.data.source: params.data.of_source()},
            "pad": params.pad,
            "model": params.model,
            "train": params.train,
            "explain": params.explain,
        },
        "provenance": {key: value for key, value in network.provenance.items() if key != "data_report"},
        "tokenizer": network.tokenizer,
        "threshold": THRESHOLD,
        "confidence": intervals.CONFIDENCE,
        "weights": network.count_weights(),
        "data_report": network.provenance["data_report"],
        "behaviour": [
            {**row.model_dump(), "name": list(TESTS[row.test].values())}
            for row in results.read_behaviour(explanation / "behaviour.csv")
        ],
        "metrics": measured.model_dump(exclude_none=True),
        "intervals": {name: ends and [round(end, 6) for end in ends] for name, ends in found.items()},
        "history": read_history(root / files.HISTORY).to_dict("list"),
        "confusion": metrics.confusion(y, logits).to_dict("records"),
        "roc": metrics.roc(y, probability).to_dict("list"),
        "calibration": calibration(y, probability).round(6).to_dict("list"),
        "half_life_words": half_life(gradient["gradient"].to_numpy()),
        "gradient": gradient.to_dict("list"),
        "last_words": last_words.to_dict("list"),
        "traces": files.read_json(results.Traces, explanation / "traces.json", "explain").model_dump()["traces"],
        "compared": read_comparison(root / files.COMPARE_SENSITIVITY).model_dump(),
        "swept": summarize(read_sweep(root / files.SWEEP)),
        "network": stored_network(network),
    }
    text = page(contents, network.params.cell)
    with files.replacing(root / files.REPORT) as new:
        new.mkdir()
        (new / "index.html").write_text(text, encoding="utf-8", newline="\n")
    print(f"open {files.REPORT / 'index.html'} in a browser ({len(text.encode()) / 1e6:.1f} MB)")


if __name__ == "__main__":
    run(main, reads=("data.source", "data.${data.source}", "explain", "model", "pad", "train"))
