"""Tables scored by the machines of a Ray cluster, a table at a time on each processor: Ray Data shares them out."""

import logging
import socket
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache, partial
from pathlib import Path
from typing import Any

from imdb_rnn.cli.parts import Part, done, score_part
from imdb_rnn.cli.scoring import Counts
from imdb_rnn.core.cluster import joined
from imdb_rnn.core.errors import UserError
from imdb_rnn.model import Model

STARTS = 10  # of one table, whose workers died; Ray Data would try for ever


def score_parts(
    model: Model, digest: str, parts: list[Part], place: Path, address: str, told: Callable[[Counts], object]
) -> None:
    """Score tables as `parts.score_part` does, many at a time, in any order.

    The tables and the folder that they are written to are on storage that all machines see; the model need not be. A
    machine that leaves or a worker that dies costs time only, and machines that join get their share.

    Args:
        digest, place: as for `score_part`.
        address: as for `joined`.
        told: is called with the counts of each table that is done.

    Raises:
        UserError: as `score_part` does; when a machine does not see the files; when workers die again and again over
            the same table; and as `joined` does.
    """
    parts = [part._replace(table=part.table.absolute(), out=part.out.absolute()) for part in parts]
    # Ray prints that a worker died where the answer goes
    with joined(address) as ray, redirect_stdout(sys.stderr):
        import ray.data as ray_data

        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray_data.DataContext.get_current().enable_progress_bars = False
        work = ray.put((model, digest, parts, place.absolute()))
        # Tasks, not actors, which wait for their machine to come back; processes that end one are given the next
        items = ray_data.from_items([{"part": number} for number in range(len(parts))], override_num_blocks=len(parts))
        for row in items.map(partial(_score, work), num_cpus=1).iter_rows():
            if row["fault"]:
                raise UserError(row["fault"])
            told(Counts(row["rows"], row["positive"]))


def _score(work: Any, row: dict[str, Any]) -> dict[str, Any]:
    """Score a part in a worker, unless one that died had done it; what is wrong with it comes back as text."""
    model, digest, parts, place = _get(work)
    part = parts[row["part"]]
    try:
        for path in (place, part.table):
            if not path.exists():
                where = f"{path} is not there on {socket.gethostname()}"
                raise UserError(f"{where}; tables and --out should be on storage that all machines share")
        _note_start(place / f"{part.out.name}.starts", part.table)
        counts = done(part, digest) or score_part(model, digest, part, place, lambda rows: None)
    except (OSError, UserError) as error:  # the storage may fail at any time
        return {"rows": 0, "positive": 0, "fault": str(error)}
    return counts._asdict() | {"fault": ""}


def _note_start(path: Path, table: Path) -> None:
    with path.open("ab") as file:
        file.write(b".")
        if file.tell() > STARTS:
            raise UserError(f"{table}: {STARTS} workers died over it; is it too large for the memory of the machines?")


@cache
def _get(work: Any) -> Any:
    """What all tasks share; a process that does several gets it once, and with it the model."""
    import ray

    return ray.get(work)
