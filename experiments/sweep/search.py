"""Try many settings: `python -m experiments.sweep.search`.

In: `experiments/sweep/sweep.yaml`, `params.yaml`, the training reviews in `data/reviews/`. Out:
`results/experiments/sweep.csv`, a row per trial, best first. Prints the best trials as Markdown.

Ray runs the trials, on this machine or on the cluster at the address in the environment variable `SWEEP_ADDRESS`.
Optuna proposes their settings. ASHA stops a trial after an epoch when most other trials were better by then. A sweep
that was stopped resumes where it was.
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
from experiments.sweep import trial
from experiments.sweep.plan import FOLDER, PLAN, SECTIONS, Domain, Plan, read_plan, rounded
from imdb_rnn.core import cluster, files, frames
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.core.params import Params, load_params
from imdb_rnn.reporting.sweep_results import N_BEST, Trial, rank
from imdb_rnn.text.corpus import Reviews, read_reviews, read_vocabulary

ADDRESS = "SWEEP_ADDRESS"
STATE = FOLDER / "state"
RETRIES = 3  # of a trial whose machine was lost
SETTINGS = {
    "RAY_AIR_NEW_OUTPUT": "0",  # a table now and then, instead of a line at the end of each trial
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # with Ray's handler, Ctrl-C would end the sweep as if it was finished
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


def main(root: Path) -> None:
    params = load_params(root)
    plan = read_plan(root, params)
    reviews, vocabulary = read_reviews(root / files.REVIEWS, "train"), read_vocabulary(root / files.REVIEWS)
    name = fingerprint(
        plan, params, reviews, files.require(root / files.CODE / "sweep-search.txt", "check").read_text()
    )
    storage = storage_of(plan, root)
    code = [Path(experiments.__path__[0])]
    with cluster.joined(os.environ.get(ADDRESS) or cluster.LOCAL, code, plan.threads) as ray:
        check_machines(plan, [node for node in ray.nodes() if node["Alive"]])
        results = search(plan, params, reviews, vocabulary, storage, name)
    errors = [" ".join(str(result.error).split())[-200:] for result in results if result.error]
    if errors:
        raise UserError(f"{len(errors)} trials were not finished; run the same again to redo them ({errors[0]})")
    write_trials(root / files.SWEEP, collect(results, plan.space))
    shutil.rmtree(root / STATE, ignore_errors=True)


def fingerprint(plan: Plan, params: Params, reviews: Reviews, code: str) -> str:
    """16 hexadecimal digits of all that decides the trials' results, so that a sweep resumes only its own trials."""
    settings = plan.model_copy(update={"storage": None}), params.model_dump(include=set(SECTIONS))
    digest = hashlib.sha256(repr((settings, code)).encode())
    for array in (reviews.ranks.flat(), reviews.ranks.lengths, reviews.labels):
        digest.update(array.data)
    return digest.hexdigest()[:16]


def storage_of(plan: Plan, root: Path) -> str:
    """The folder or address where Ray keeps the trials' state. Raises `UserError` when it cannot be used."""
    storage = plan.storage or str(STATE)
    storage = storage if "://" in storage else str((root / storage).resolve())
    try:
        if "?" in storage:  # Ray appends the sweep's name to the address
            raise ValueError("an address cannot have a question mark")
        pa.fs.FileSystem.from_uri(storage)
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise UserError(f"{PLAN}: storage is {plan.storage!r}, which cannot be used ({error})") from error
    return storage


def check_machines(plan: Plan, machines: list[dict[str, Any]]) -> None:
    """Raise `UserError` when the machines of a cluster, as `ray.nodes()` describes them, cannot run the plan."""
    processors = max(machine["Resources"].get("CPU", 0) for machine in machines)
    if processors < plan.threads:
        raise UserError(f"{PLAN}: threads is {plan.threads}, and no machine has more than {processors:.0f} processors")
    if plan.storage is None and len({machine["NodeManagerHostname"] for machine in machines}) > 1:
        raise UserError(f"{PLAN}: with several machines, storage should be a place that all of them reach")


def search(plan: Plan, params: Params, reviews: Reviews, vocabulary: list[str], storage: str, name: str) -> Any:
    """Run all trials, or those that an earlier call has left, on the cluster that was joined.

    Args:
        storage: folder or address, which all machines reach, for the trials' state.
        name: of the sweep there.

    Returns:
        Ray's `ResultGrid`.
    """
    os.environ |= SETTINGS
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search.optuna import OptunaSearch

    path = f"{storage}/{name}"
    given = {"params": params, "space": plan.space, "reviews": reviews, "vocabulary": vocabulary}
    trainable = tune.with_parameters(trial.run, **given)
    trainable = tune.with_resources(trainable, {"cpu": plan.threads})
    if tune.Tuner.can_restore(path):
        print(f"resuming the sweep in {path}", flush=True)
        return tune.Tuner.restore(path, trainable, resume_unfinished=True, resume_errored=True).fit()
    in_space = plan.space.get("train.epochs")
    epochs = max([params.train.epochs, *map(int, in_space.samples())]) if in_space else params.train.epochs
    tuner = tune.Tuner(
        trainable,
        param_space={key: distribution(domain) for key, domain in plan.space.items()},
        tune_config=tune.TuneConfig(
            metric=trial.LOSS,
            mode="min",
            search_alg=OptunaSearch(seed=plan.seed),
            scheduler=ASHAScheduler(
                max_t=epochs, grace_period=min(plan.epochs_at_least, epochs), reduction_factor=plan.keep_one_of
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


def distribution(domain: Domain) -> Any:
    """A domain as Ray Tune has it."""
    from ray import tune

    if domain.choice:
        return tune.choice(domain.choice)
    if domain.integer:
        return tune.randint(domain.integer[0], domain.integer[1] + 1)
    return tune.uniform(*domain.uniform) if domain.uniform else tune.loguniform(*(domain.loguniform or ()))


def collect(results: Any, space: dict[str, Domain]) -> list[Trial]:
    """The trials of a `ResultGrid`, best first.

    A trial is `stopped` if others were better by then, or the time was over. `ended` is the time of its last epoch, in
    seconds since the first trial began.
    """
    measured = [result.metrics or {} for result in results]
    begun = min((row["timestamp"] - row["time_total_s"] for row in measured if row.get("timestamp")), default=0)
    trials = []
    for number, (result, row) in enumerate(zip(results, measured, strict=True), start=1):
        error = row.get("error")
        trials.append(
            Trial(
                trial=number,
                status="failed" if error else "finished" if row.get("is_over") else "stopped",
                epochs=row.get("epoch", 0),
                best_epoch=row.get("best_epoch", 0),
                val_loss=None if error else row.get("val_loss"),
                val_accuracy=row.get("val_accuracy"),
                ended=max(0, round(row["timestamp"] - begun)) if row.get("timestamp") else None,
                seconds=round(row.get("time_total_s", 0), 1),
                error=error,
                settings=rounded({key: result.config[key] for key in space}, space),
            )
        )
    return sorted(trials, key=rank)


def write_trials(path: Path, trials: list[Trial]) -> None:
    """Write the table of the trials, and print the best as Markdown. Raises `UserError` if no trial was finished."""
    counts = pd.Series([trial.status for trial in trials], dtype=object).value_counts()
    if "finished" not in counts:
        reasons = ", ".join(sorted({trial.error for trial in trials if trial.error})) or "all were stopped early"
        raise UserError(f"no trial was finished ({reasons}); change {PLAN} or {files.PARAMS}")
    rows = [trial.model_dump(exclude={"settings"}) | trial.settings for trial in trials]
    frames.write_csv(path, pd.DataFrame(rows, dtype=object))  # `object`: integers stay integers next to null
    columns = ["trial", "status", "epochs", "val_loss", "val_accuracy", *trials[0].settings]
    print(frames.markdown(columns, [[row[column] for column in columns] for row in rows[:N_BEST]]))
    print(f"{len(trials)} trials: {', '.join(f'{count} {status}' for status, count in counts.items())}")


if __name__ == "__main__":
    run_command(lambda: main(Path()))
