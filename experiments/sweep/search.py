"""Try many settings: `python -m experiments.sweep.search`.

In: `experiments/sweep/sweep.yaml`, `params.yaml`, the training reviews in `data/reviews/`. Out:
`experiments/sweep/trials.csv`, a row for each trial, in the order in which they began. Ray runs the trials, on this
machine or on the cluster whose address the environment variable `SWEEP_ADDRESS` has; Optuna proposes their settings; a
trial is stopped after an epoch when most others were better by then (ASHA). A sweep that was stopped goes on where it
was.
"""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.fs

import experiments
import tools
from experiments.sweep import trial
from experiments.sweep.plan import FOLDER, PLAN, SECTIONS, Domain, Plan, read_plan, rounded
from imdb_rnn.core import cluster, files, frames
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import Params, load_params
from imdb_rnn.text.corpus import Reviews, read_reviews

ADDRESS = "SWEEP_ADDRESS"
TRIALS, STATE = FOLDER / "trials.csv", FOLDER / "state"
RETRIES = 3  # of a trial whose machine was lost
SETTINGS = {
    "RAY_AIR_NEW_OUTPUT": "0",  # a table now and then, and not each trial's end besides
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # with it, Ctrl-C would end the sweep as if it was over
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


def main(root: Path) -> None:
    params = load_params(root)
    plan = read_plan(root, params)
    reviews = read_reviews(root / files.REVIEWS, "train")
    address = os.environ.get(ADDRESS) or cluster.LOCAL
    code = [Path(package.__path__[0]) for package in (experiments, tools)]
    name = fingerprint(plan, params, reviews, files.read_text(root / files.CODE / "sweep-search.txt"))
    storage = storage_of(plan, root)
    with cluster.joined(address, code, plan.threads) as ray:
        check_machines(plan, [node for node in ray.nodes() if node["Alive"]])
        results = search(plan, params, reviews, storage, name)
    errors = [" ".join(str(result.error).split())[-200:] for result in results if result.error]
    if errors:
        raise UserError(f"{len(errors)} trials were not done; run the same again, and they alone are ({errors[0]})")
    trials = table(results, plan.space)
    frames.write_csv(root / TRIALS, trials)
    shutil.rmtree(root / STATE, ignore_errors=True)
    counts = ", ".join(f"{count} {status}" for status, count in trials["status"].value_counts().items())
    print(f"{len(trials)} trials: {counts}")


def fingerprint(plan: Plan, params: Params, reviews: Reviews, code: str) -> str:
    """Tell sweeps apart: of another one no trial may be taken over."""
    settings = plan.model_copy(update={"storage": None}), params.model_dump(include=set(SECTIONS))
    digest = hashlib.sha256(repr((settings, code)).encode())
    for array in (reviews.ranks.flat(), reviews.ranks.lengths, reviews.labels):
        digest.update(array.data)
    return digest.hexdigest()[:16]


def storage_of(plan: Plan, root: Path) -> str:
    """Where Ray keeps the trials' state. Raises `UserError` when there is no such place."""
    if plan.storage is None:
        return str((root / STATE).resolve())
    storage = plan.storage if "://" in plan.storage else str((root / plan.storage).resolve())
    try:
        if "?" in storage:
            raise ValueError("an address with a question mark is not understood")
        pa.fs.FileSystem.from_uri(storage)
    except (OSError, ValueError) as error:  # pyarrow's own are ValueErrors
        raise UserError(f"{PLAN}: storage is {plan.storage!r}, which cannot be used ({error})") from error
    return storage


def check_machines(plan: Plan, machines: list[dict[str, Any]]) -> None:
    """Raise `UserError` when the machines of a cluster, as Ray describes them, cannot do what is planned."""
    processors = max(machine["Resources"].get("CPU", 0) for machine in machines)
    if processors < plan.threads:
        raise UserError(f"{PLAN}: threads is {plan.threads}, and no machine has more than {processors:.0f} processors")
    if len(machines) > 1 and plan.storage is None and len({machine["NodeManagerHostname"] for machine in machines}) > 1:
        raise UserError(f"{PLAN}: with several machines, storage should be a place that all of them reach")


def search(plan: Plan, params: Params, reviews: Reviews, storage: str, name: str) -> Any:
    """Run all trials, or those that an earlier call has left, on the cluster that was joined.

    Args:
        storage: folder or address where Ray keeps the trials' state, which all machines reach.
        name: of the sweep there.

    Returns:
        Ray's `ResultGrid`.
    """
    os.environ |= SETTINGS
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search.optuna import OptunaSearch

    path = f"{storage}/{name}"
    trainable = tune.with_parameters(trial.run, params=params, space=plan.space, reviews=reviews)
    trainable = tune.with_resources(trainable, {"cpu": plan.threads})
    if tune.Tuner.can_restore(path):
        print(f"going on with the sweep in {path}", flush=True)
        return tune.Tuner.restore(path, trainable, resume_unfinished=True, resume_errored=True).fit()
    epochs = largest(params.train.epochs, plan.space.get("train.epochs"))
    tuner = tune.Tuner(
        trainable,
        param_space={key: domain_of(domain) for key, domain in plan.space.items()},
        tune_config=tune.TuneConfig(
            metric=trial.LOSS,
            mode="min",
            search_alg=OptunaSearch(seed=plan.seed),
            scheduler=ASHAScheduler(
                max_t=epochs,
                grace_period=min(plan.epochs_at_least, epochs),
                reduction_factor=plan.keep_one_of,
            ),
            num_samples=plan.trials,
            time_budget_s=plan.minutes and plan.minutes * 60,
            trial_dirname_creator=lambda of: of.trial_id,
        ),
        run_config=tune.RunConfig(
            name=name,
            storage_path=storage,
            failure_config=tune.FailureConfig(max_failures=RETRIES),
            checkpoint_config=tune.CheckpointConfig(num_to_keep=1),
            verbose=1,
            progress_reporter=tune.CLIReporter(
                metric_columns=["epoch", "val_loss", "val_accuracy"],
                max_report_frequency=20,
                max_progress_rows=20,
                sort_by_metric=True,
            ),
        ),
    )
    return tuner.fit()


def largest(epochs: int, domain: Domain | None) -> int:
    """How many epochs a trial can have."""
    return max([epochs, *map(int, domain.samples())]) if domain else epochs  # type: ignore[arg-type]


def domain_of(domain: Domain) -> Any:
    """A domain as Ray knows it."""
    from ray import tune

    if domain.choice:
        return tune.choice(domain.choice)
    if domain.integer:
        return tune.randint(domain.integer[0], domain.integer[1] + 1)
    return tune.uniform(*domain.uniform) if domain.uniform else tune.loguniform(*(domain.loguniform or ()))


def table(results: Any, space: dict[str, Domain]) -> pd.DataFrame:
    """A row for each trial: what came of it, and the value of each key.

    status: finished, stopped (others were better by then, or the time was over) or failed
    ended: seconds after the first began; the time of its last epoch
    """
    rows = []
    for number, result in enumerate(results, start=1):
        metrics = result.metrics or {}
        error = metrics.get("error", "")
        ended = metrics.get("timestamp", 0)
        rows.append(
            {
                "trial": number,
                "status": "failed" if error else "finished" if metrics.get("is_over") else "stopped",
                "epochs": metrics.get("epoch", 0),
                "best_epoch": metrics.get("best_epoch", 0),
                "val_loss": None if error else metrics.get("val_loss"),
                "val_accuracy": metrics.get("val_accuracy"),
                "ended": ended,
                "seconds": round(metrics.get("time_total_s", 0), 1),
                "error": error,
                **rounded({key: result.config[key] for key in space}, space),
            }
        )
    found = pd.DataFrame(rows, dtype=object)  # so that integers beside null stay such
    begun = (found["ended"] - found["seconds"])[found["ended"] > 0].min()
    found["ended"] = [max(0, round(ended - begun)) if ended else None for ended in found["ended"]]
    return found


if __name__ == "__main__":
    run_command(lambda: main(Path()))
