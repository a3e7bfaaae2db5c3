"""One finished run of the comparison: a folder, written and read.

It holds `run.json`, `probability.npy` and, of a network, `memory.json`.
"""

import json
from pathlib import Path

import numpy as np
from sklearn import metrics

from stages import files, memory
from imdb_rnn.base.errors import UserError
from stages.reviews import Reviews

PLAN, RUNS = Path("compare/params.yaml"), Path("compare/runs")
TRACED = 300  # reviews, before those of other lengths are left out


def traced_reviews(reviews: Reviews) -> np.ndarray:
    """The test reviews that every network's reading is traced on: rows of some of those with 50 to 200 words."""
    rows = memory.sample(len(reviews), TRACED)
    lengths = np.diff(reviews.offsets)[rows]
    return rows[(lengths >= 50) & (lengths <= 200)]


def write_run(
    name: str,
    y: np.ndarray,
    probability: np.ndarray,
    parameters: int,
    training: float,
    prediction: float,
    memory: dict | None = None,
    **facts,
) -> None:
    """Write a run.

    Args:
        name: of the run's folder.
        y: (reviews,), labels of the test reviews, 0 or 1.
        probability: (reviews,), that the review is positive.
        parameters: trained numbers.
        training, prediction: seconds from word ranks to the trained model, and to the probabilities; compilation
            counts.
        memory: how far back a network remembers: `gradient` by distance; `last_words`, the accuracy by their number;
            `traces`, the probabilities along each of `traced_reviews`.
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
        if memory:
            files.write_json(new / "memory.json", memory)
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


def read_memory(name: str, traced: int) -> dict:
    """Read how far back the network of a run remembers, as `write_run` has it; `traced` reviews have a trace.

    Raises:
        UserError: when the run is missing or damaged.
    """
    path = RUNS / name / "memory.json"
    if not path.exists():
        raise UserError(f"{path} is missing; run `make compare`")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        numbers = [found["gradient"], list(found["last_words"].values()), *found["traces"]]
        if len(found["traces"]) != traced or not all(len(of) and np.isfinite(of).all() for of in numbers):
            raise ValueError(f"it should hold finite numbers, and {traced} traces")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged ({error}); remove its folder and run `make compare`") from error
    return found
