"""One finished run of the comparison: a folder with `run.json` and `probability.npy`, written and read."""

import json
from pathlib import Path

import numpy as np
from sklearn import metrics

from stages import files
from stages.errors import UserError

PLAN, RUNS = Path("compare/params.yaml"), Path("compare/runs")


def write_run(
    name: str, y: np.ndarray, probability: np.ndarray, parameters: int, training: float, prediction: float, **facts
) -> None:
    """Write a run.

    Args:
        name: of the run's folder.
        y: (reviews,), labels of the test reviews, 0 or 1.
        probability: (reviews,), that the review is positive.
        parameters: trained numbers.
        training, prediction: seconds from word ranks to the trained model, and to the probabilities; compilation
            counts.
        facts: what else is worth knowing, as JSON.
    """
    probability = probability.astype(np.float32)
    with files.replacing(RUNS / name) as new:
        new.mkdir()
        np.save(new / "probability.npy", probability)
        values = {
            "accuracy": float(np.mean((probability > 0.5) == y)),
            "roc_auc": float(metrics.roc_auc_score(y, probability)),
            "parameters": parameters,
            "training_seconds": round(training, 2),
            "reviews_per_second": round(len(y) / prediction),
            **facts,
        }
        files.write_json(new / "run.json", values)
    print(f"{name}: test accuracy {values['accuracy']:.4f}, trained in {training:.0f} s")


def read_run(name: str, reviews: int) -> tuple[dict, np.ndarray]:
    """Read the values and the probabilities of a run on `reviews` test reviews.

    Raises:
        UserError: when the run is missing or damaged.
    """
    folder = RUNS / name
    if not folder.exists():
        raise UserError(f"{folder} is missing; run `make compare`")
    try:
        values = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        probability = np.load(folder / "probability.npy", allow_pickle=False)
        if probability.shape != (reviews,) or not np.isfinite(probability).all():
            raise ValueError(f"probability.npy should hold {reviews} finite numbers")
        numbers = ("accuracy", "roc_auc", "parameters", "training_seconds", "reviews_per_second")
        if not all(np.isfinite(values[key]) for key in numbers):
            raise ValueError(f"run.json should hold {', '.join(numbers)}")
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise UserError(f"{folder} is damaged ({error}); remove it and run `make compare`") from error
    return values, probability
