"""Train on all reviews with five seeds, for lessons 5 and 7: `python lessons/five_seeds.py` writes five_seeds.json."""

import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from imdb_rnn.core.params import ModelParams, PadParams, TrainParams
from imdb_rnn.decision import is_correct
from imdb_rnn.model import compute_logits
from imdb_rnn.text.encode import read_labelled
from imdb_rnn.training.loop import hold_out_and_train

RESULTS = Path(__file__).with_suffix(".json")
SEEDS = (1, 2, 3, 4, 5)
# What is changed in `params.yaml`, and nothing else is
NETWORKS: dict[str, dict[str, Any]] = {
    f"{cell}, zeros {place}": {"cell": cell} | settings
    for cell in ("simple_rnn", "gru", "lstm")
    for place, settings in {
        "skipped": {},
        "in front": {"mask_padding": False},
        "behind": {"mask_padding": False, "padding": "post"},
    }.items()
} | {"simple_rnn, no clipping": {"clipnorm": None}}


def train(name: str, seed: int, **more: Any) -> dict[str, Any]:
    """One network: its test accuracy, and its validation accuracy after each epoch."""
    settings = NETWORKS[name] | more | {"seed": seed}
    model, encoding, params = (
        section(**{key: value for key, value in settings.items() if key in section.model_fields})
        for section in (ModelParams, PadParams, TrainParams)
    )
    training, test = (read_labelled(Path("data/padded"), part, encoding.vocab_size) for part in ("train", "test"))
    with redirect_stdout(io.StringIO()):
        trained = hold_out_and_train(training, test, model, encoding, params)
    logits = compute_logits(trained.weights, trained.ngram_codes, model, encoding, test.ids)
    accuracy = round(float(is_correct(test.y, logits).mean()), 4)
    return {"accuracy": accuracy, "val_accuracy": trained.history.val_accuracy.round(4).tolist()}


if __name__ == "__main__":
    results: dict[str, list[dict[str, Any]]] = {}
    for name in NETWORKS:
        results[name] = []
        for seed in SEEDS:
            results[name].append(train(name, seed))
            print(name, seed, results[name][-1]["accuracy"], file=sys.stderr)
    lines = (
        f"{json.dumps(name)}: [\n  " + ",\n  ".join(map(json.dumps, runs)) + "\n ]" for name, runs in results.items()
    )
    RESULTS.write_text("{\n " + ",\n ".join(lines) + "\n}\n", encoding="utf-8")
