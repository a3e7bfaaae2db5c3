"""The plan of a sweep: `sweep.yaml`, checked by the rules of `params.yaml` before the first trial."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import RENAMED, Params, Section, parse_yaml, validate, value_of

FOLDER = Path("experiments/sweep")
PLAN = FOLDER / "sweep.yaml"
SECTIONS = ("model", "pad", "train")

Bounds = Annotated[list[float], Field(min_length=2, max_length=2)]
Value = bool | int | float | str | None


class Domain(Section):
    """The values of one parameter: a list of them, or two bounds, both included."""

    choice: Annotated[list[Value], Field(min_length=1)] | None = None
    uniform: Bounds | None = None
    loguniform: Bounds | None = None
    integer: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Domain":
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError(f"it should have one of {', '.join(type(self).model_fields)}")
        bounds = self.uniform or self.loguniform or self.integer
        if bounds and not bounds[0] < bounds[1]:
            raise ValueError("its first bound should be below the second")
        if self.loguniform and self.loguniform[0] <= 0:
            raise ValueError("the bounds of loguniform should be above 0")
        return self

    def samples(self) -> list[Value]:
        """Values that are valid if all values of the domain are: its list, or its bounds."""
        return self.choice or list(self.uniform or self.loguniform or self.integer or ())


class Plan(Section):
    space: Annotated[dict[str, Domain], Field(min_length=1)]
    trials: Annotated[int, Field(ge=1, le=100_000)]
    minutes: Annotated[float, Field(gt=0)] | None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)]
    threads: Annotated[int, Field(ge=1, le=1024)]
    epochs_at_least: Annotated[int, Field(ge=1, le=1000)]
    keep_one_of: Annotated[int, Field(ge=2, le=100)]
    storage: str | None


def read_plan(root: Path, params: Params) -> Plan:
    """Read the plan of the sweep, and check each value that it may try.

    Args:
        params: the parameters that the trials change.

    Raises:
        UserError: when the plan is not valid, a key is not a parameter of training, or a value is not valid.
    """
    values = parse_yaml(files.read_text(root / PLAN), PLAN)
    space = value_of("space", values)
    for key, domain in space.items() if isinstance(space, Mapping) else ():
        validate(Domain, domain, PLAN, "space", str(key))
    plan = validate(Plan, values, PLAN, complete=True)
    for key, domain in plan.space.items():
        section, _, name = key.partition(".")
        if section not in SECTIONS or name not in value_of(section, params.model_dump()):
            if key in RENAMED:
                raise UserError(f"{PLAN}: space.{key} is now {RENAMED[key]}")
            raise UserError(f"{PLAN}: space.{key} is not a parameter of {', '.join(SECTIONS)}; see {files.PARAMS}")
        for value in domain.samples():
            with_values(params, {key: value})
    for end in (0, -1):  # values that are valid alone may not be valid together
        together = with_values(params, {key: domain.samples()[end] for key, domain in plan.space.items()})
        if together.train.validation != "holdout":
            raise UserError(f"{PLAN}: trials are compared on held-out reviews; set train.validation to holdout")
    if params.train.start_from:
        raise UserError("params.yaml: trials start from random weights; set train.start_from to null")
    return plan


def rounded(values: dict[str, Any], space: dict[str, Domain]) -> dict[str, Any]:
    """Values, by dotted key, as they are tried: those drawn between bounds have three significant digits."""
    tried = dict(values)
    for key, value in values.items():
        bounds = space[key].uniform or space[key].loguniform
        if bounds:
            tried[key] = min(max(float(f"{value:.3g}"), bounds[0]), bounds[1])
    return tried


def with_values(params: Params, values: dict[str, Any]) -> Params:
    """The parameters with other values for some dotted keys. Raises `UserError` when they are not valid."""
    changed = params.model_dump()
    for key, value in values.items():
        section, _, name = key.partition(".")
        changed.setdefault(section, {})[name] = value
    try:
        return validate(Params, changed, files.PARAMS)
    except UserError as error:
        text = ", ".join(f"{key}: {value}" for key, value in values.items())
        raise UserError("\n".join(f"{PLAN}: with {text}: {fault}" for fault in str(error).splitlines())) from error
