"""Which label values of user-supplied tables are negative and which positive: as configured, or inferred."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import LabelParams

PAIRS = (  # of a negative and a positive value, in lower case
    ("0", "1"),
    ("-1", "1"),
    ("neg", "pos"),
    ("negative", "positive"),
    ("false", "true"),
    ("bad", "good"),
    ("no", "yes"),
    ("差评", "好评"),
    ("负面", "正面"),
    ("消极", "积极"),
    ("差", "好"),
)
TYPOS = 0.05  # share of the rows that may have other values when a pair is recognised
RATINGS = ((5, 2, 4), (10, 4, 7))  # the highest, and the bounds: of stars, and of the Large Movie Review Dataset
LEFT_OUT, UNKNOWN_LABEL = -1, -2


@dataclass(frozen=True)
class Labels:
    """What each value means.

    meaning: 0 negative, 1 positive, `LEFT_OUT` between two bounds, `UNKNOWN_LABEL`
    names: of a negative and of a positive review, as predictions show them
    rule: in words
    """

    meaning: dict[str, int]
    names: tuple[str, str]
    rule: str


def canonical(value: Any) -> str:
    """One text for a value however its table stores it: 1, 1.0, "1" and " 1.0 " are "1"; no value is empty."""
    text = "" if value is None else str(value).strip()
    number = _number(text)
    return str(int(number)) if number is not None and number.is_integer() else text


def infer_label_mapping(counts: Mapping[str, int], params: LabelParams | None) -> Labels:
    """Decide which values of the label are negative and which positive.

    Args:
        counts: how many rows have each value, `canonical`.
        params: what the user configured; None: it is inferred from the values.

    Raises:
        UserError: when it cannot be inferred; it names the setting.
    """
    if params and params.negative is not None:
        negative, positive = ([canonical(value) for value in side or ()] for side in (params.negative, params.positive))
        if {value.casefold() for value in negative} & {value.casefold() for value in positive}:
            raise UserError("params.yaml: data.own.labels: a value is both negative and positive; keep it in one list")
        return _of_values(counts, negative, positive)
    if params and params.negative_max is not None and params.positive_min is not None:
        return _of_bounds(counts, params.negative_max, params.positive_min)
    lower: dict[str, list[str]] = {}
    for value in counts:
        lower.setdefault(value.lower(), []).append(value)
    is_pair = False
    for negative_value, positive_value in PAIRS:
        if negative_value in lower and positive_value in lower:
            known = [*lower[negative_value], *lower[positive_value]]
            share = sum(counts[value] for value in known) / sum(counts.values())
            if share >= 1 - TYPOS:
                return _of_values(counts, lower[negative_value], lower[positive_value])
            is_pair = is_pair or share > 0.5  # 0, 1 and some 9 are no rating
    numbers = [_number(value) for value in counts]
    whole = [number for number in numbers if number is not None]
    if len(whole) == len(numbers) > 2 and not is_pair:
        for highest, negative_max, positive_min in RATINGS:
            if min(whole) >= 1 and max(whole) == highest:  # other scales have other middles
                return _of_bounds(counts, negative_max, positive_min)
    shown = ", ".join(sorted(counts, key=lambda value: -counts[value])[:8])
    raise UserError(
        f"cannot tell which of these {len(counts)} label values are positive: {shown[:200]}; set data.own.labels, for "
        "example {negative: [bad], positive: [good, great]} or {negative_max: 2, positive_min: 4}"
    )


def _of_values(counts: Mapping[str, int], negative: list[str], positive: list[str]) -> Labels:
    sides = {value.casefold(): side for side, values in enumerate((negative, positive)) for value in values}
    meaning = {value: sides.get(value.casefold(), UNKNOWN_LABEL) for value in counts}
    speak = not any(_number(value) is not None for value in (negative[0], positive[0]))
    names = (negative[0], positive[0]) if speak else ("negative", "positive")
    return Labels(meaning, names, f"negative: {', '.join(negative)}; positive: {', '.join(positive)}")


def _of_bounds(counts: Mapping[str, int], negative_max: float, positive_min: float) -> Labels:
    meaning = {}
    for value in counts:
        number = _number(value)
        if number is None:
            meaning[value] = UNKNOWN_LABEL
        else:
            meaning[value] = 0 if number <= negative_max else 1 if number >= positive_min else LEFT_OUT
    rule = f"negative: at most {negative_max:g}; positive: at least {positive_min:g}; left out: between them"
    return Labels(meaning, ("negative", "positive"), rule)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None  # nor infinity, nor NaN
