"""Many tables, scored on a Ray cluster: Ray Data gives each CPU one table at a time."""

import json
import logging
import socket
import sys
from contextlib import redirect_stdout
from functools import cache, partial
from pathlib import Path
from typing import Any

from imdb_rnn.cli.parts import Part, done, score_part
from imdb_rnn.cli.scoring import Counts, OnProgress
from imdb_rnn.core.cluster import joined
from imdb_rnn.core.errors import UserError
from imdb_rnn.model import Model

MAX_STARTS = 10  # of one table whose workers die; Ray Data retries for ever


def score_parts(
    model: Model, model_digest: str, parts: list[Part], scratch: Path, address: str, on_progress: OnProgress
) -> list[Counts]:
    """Score tables as `parts.score_part` does, many at a time, and return the counts of all, in any order.

    The tables and their output folder are on storage that all machines share; the model need not be. When a machine
    leaves or a worker dies, its tables are scored again by the others. Machines that join get their share.

    Args:
        address: see `joined`.

    Raises:
        UserError: as `score_part` and `joined` do; when a machine does not see the files; and when workers die again
            and again while they score the same table.
    """
    parts = [
        part._replace(table=part.table._replace(path=part.table.path.absolute()), out=part.out.absolute())
        for part in parts
    ]
    found = []
    # Ray reports the death of a worker on standard output, where the answer goes
    with joined(address) as ray, redirect_stdout(sys.stderr):
        import ray.data as ray_data

        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray_data.DataContext.get_current().enable_progress_bars = False
        work = ray.put((model, model_digest, parts, scratch.absolute()))
        # Tasks, not actors, which wait for their machine to come back; a process that ends a task is given the next
        items = ray_data.from_items([{"part": number} for number in range(len(parts))], override_num_blocks=len(parts))
        for row in items.map(partial(_score, work), num_cpus=1).iter_rows():
            if row["fault"]:
                raise UserError(row["fault"])
            found.append(Counts(**json.loads(row["counts"])))
            on_progress(found[-1].rows)
    return found


def _score(work: Any, row: dict[str, Any]) -> dict[str, Any]:
    """Score a part in a worker, unless a worker that died had finished it; a fault is returned as text."""
    model, model_digest, parts, scratch = _get(work)
    part = parts[row["part"]]
    counts, fault = "", ""
    try:
        for path in (scratch, part.table.path):
            if not path.exists():
                where = f"{path} does not exist on {socket.gethostname()}"
                raise UserError(f"{where}; put the tables and --out on storage that all machines share")
        _count_start(scratch / f"{part.out.name}.starts", part.table.path)
        found = done(part, model_digest) or score_part(model, model_digest, part, scratch, lambda rows: None)
        counts = json.dumps(found._asdict())
    except (OSError, UserError) as error:  # the storage may fail at any time
        fault = str(error)
    return {"counts": counts, "fault": fault}


def _count_start(path: Path, table: Path) -> None:
    with path.open("ab") as file:
        file.write(b".")
        if file.tell() > MAX_STARTS:
            raise UserError(f"{table}: {MAX_STARTS} workers died over it; is it too large for the memory of a machine?")


@cache
def _get(work: Any) -> Any:
    """What all tasks share; a process that does several tasks gets it once, and with it the model."""
    import ray

    return ray.get(work)
