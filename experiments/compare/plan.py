"""What the comparison trains, as `params.yaml` beside it says."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from experiments.compare.runs import PLAN
from imdb_rnn.core import files
from imdb_rnn.core.params import Section, parse_yaml, validate


class Plan(Section):
    networks: Annotated[list[str], Field(min_length=1)]
    seeds: Annotated[list[int], Field(min_length=1)]


def read_plan(root: Path) -> Plan:
    """Read and check it. Raises `UserError` where it is missing or something else."""
    return validate(Plan, parse_yaml(files.read_text(root / PLAN), PLAN), PLAN)
