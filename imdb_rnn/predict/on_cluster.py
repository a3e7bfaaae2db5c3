"""Tables scored by the machines of a Ray cluster: a table at a time on each processor, by Ray Data."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imdb_rnn.base.cluster import joined
from imdb_rnn.base.errors import UserError
from imdb_rnn.predict.model import Model
from imdb_rnn.predict.parts import Part, done, score_part
from imdb_rnn.predict.scoring import Counts


class Scorer:
    def __init__(self, work: Any) -> None:
        import ray
        self.work = ray.get(work)

    def __call__(self, row: dict[str, int]) -> dict[str, Any]:
        model, digest_of_model, parts, place = self.work
        part = parts[row["part"]]
        try:
            if not place.is_dir():
                raise UserError(f"{socket.gethostname()} does not see {place}")
            counts = done(part, digest_of_model) or score_part(model, digest_of_model, part, place, lambda rows: None)
        except UserError as error:
            return {"rows": 0, "positive": 0, "fault": str(error)}
        return counts._asdict() | {"fault": ""}


def score_parts(model: Model, digest_of_model: str, parts: list[Part], place: Path, address: str) -> Iterator[Counts]:
    parts = [part._replace(table=part.table.absolute(), out=part.out.absolute()) for part in parts]
    with joined(address) as ray:
        import ray.data as data
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        work = ray.put((model, digest_of_model, parts, place.absolute()))
        items = data.from_items([{"part": number} for number in range(len(parts))], override_num_blocks=len(parts))
        scored = items.map(Scorer, fn_constructor_args=(work,), concurrency=(1, len(parts)), num_cpus=1)
        for row in scored.iter_rows():
            if row["fault"]:
                raise UserError(row["fault"])
            yield Counts(row["rows"], row["positive"])
