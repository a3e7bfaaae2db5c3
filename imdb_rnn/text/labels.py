"""What the label values of user-supplied tables mean: the classes and their names, as configured or inferred."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import LabelParams, in_yaml

NEGATIVE = (
    "neg", "negative", "bad", "no", "n", "false", "f", "rotten", "dislike", "unfavorable", "unfavourable",
    "not recommended", "差评", "负面", "消极", "差", "负向", "负", "不推荐", "不好", "踩",
)  # fmt: skip
POSITIVE = (
    "pos", "positive", "good", "yes", "y", "true", "t", "fresh", "like", "favorable", "favourable",
    "recommended", "好评", "正面", "积极", "好", "正向", "正", "推荐", "赞",
)  # fmt: skip
NEUTRAL = ("neu", "neutral", "mixed", "objective", "中性", "中评", "中立", "一般")
SIDE = dict.fromkeys(NEGATIVE, 0.0) | dict.fromkeys(POSITIVE, 1.0) | dict.fromkeys(NEUTRAL, 0.5)  # without case
WORDS = {"很差": 1, "较差": 2, "还行": 3, "推荐": 4, "力荐": 5}  # Douban's stars
COUNTS = ("one", "two", "three", "four", "five")
WORDS |= {f"{count} star{'s' * (number > 1)}": number for number, count in enumerate(COUNTS, 1)}
WORDS |= {f"{count}星": number for number, count in enumerate("一二三四五", 1)}
PREFIX = "__label__"  # before the label in fastText's lines
MISSING = frozenset(["", "nan", "null", "na", "n/a", "<na>", "?", "unsup", "unsupervised", "unlabeled", "unlabelled"])
# 4, "4.0 out of 5 stars", 4/5, 4星
RATING = re.compile(
    r"(?:rated )?(-?\d+(?:\.\d+)?)(?: ?(?:out of|/) ?\d+(?:\.\d+)?)?(?: ?(?:stars?|points?|颗?星|分))?", re.I
)
PAIRS = ((0, 1), (-1, 1), (1, 2), (0, 2), (0, 4), (1, 5), (1, 10), (0, 10), (0, 100))  # the worst and the best alone
RATINGS = ((5, 5, 0.5, 2, 4), (8, 10, 0, 4, 7), (90, 100, 0, 40, 60))  # highest from, to; lowest; the two bounds
TYPOS = 0.05  # share of the rows that may have other values when a pair is recognised
MAX_CLASSES = 100
LEFT_OUT, UNKNOWN_LABEL, UNLABELLED = -1, -2, -3


@dataclass(frozen=True)
class Labels:
    """What each value means.

    meaning: the number of its class, `LEFT_OUT` (between two bounds, or not listed), `UNKNOWN_LABEL` (a typing
        error), or `UNLABELLED`
    names: of the classes, as predictions show them; of two, the second is the positive one
    rule: in words
    is_sure: whether the values alone tell, as 0 and 1 do; `4` and `5` could be part of a scale
    """

    meaning: dict[str, int]
    names: tuple[str, ...]
    rule: str
    is_sure: bool = True


def canonical(value: Any) -> str:
    """One text for a value however its table stores it: 1, 1.0, [1] and "__label__1" are "1"; no value is empty.

    Of a mapping of labels to scores, it is the label with the highest; of "4.0 out of 5 stars" the 4.
    """
    while isinstance(value, list | tuple | dict) and len(value) > 0:
        if isinstance(value, dict) and len(value) > 1:
            best = max(value, key=lambda name: value[name] if isinstance(value[name], int | float) else 0)
            value = best if isinstance(value[best], int | float) else str(value)
        elif len(value) == 1:
            value = next(iter(value.values() if isinstance(value, dict) else value))
        else:
            break
    return _canonical("" if value is None or value == [] or value == {} else str(value))


@lru_cache(10_000)
def _canonical(text: str) -> str:
    text = " ".join(text.split()).removeprefix(PREFIX)
    if text[:2] in ("['", '["') and "," not in text:  # a list of one, written into a CSV file
        text = text[2:-2]
    if text.lower() in MISSING or text == "None":
        return ""
    if text[:1] in ("★", "⭐"):
        return str(text.count(text[0]))
    match = RATING.fullmatch(text)
    number = _number(match[1] if match else text)
    if number is None:
        return text
    return str(int(number)) if number.is_integer() else repr(number)


def bounded(value: str, params: LabelParams | None) -> str:
    """A number for all on the same side of configured bounds: a score may have more values than are worth counting."""
    if params is None or params.negative_max is None or params.positive_min is None:
        return value
    number = _number(value)
    if number is None:
        return value
    low, high = params.negative_max, params.positive_min
    return repr(low if number <= low else high if number >= high else (low + high) / 2)


def infer_of_tables(
    counts: Mapping[str, Mapping[str, int]], scales: Mapping[str, str], params: LabelParams | None
) -> dict[str, Labels]:
    """What the labels of each table mean: by the tables of its scale if they tell, or else by all tables together.

    Args:
        counts: of each table, how many rows have each value, `canonical`.
        scales: of each table; those of the same scale, such as the parts of a data set, are read as one.

    Raises:
        UserError: as `infer_label_mapping` does.
    """
    bare = {table for table, values in counts.items() if set(values) == {"-1"}}
    if any("-1" in counts[table] for table in counts.keys() - bare) or len(bare) == len(counts):
        bare = set()
    by_scale: dict[str, Counter[str]] = defaultdict(Counter)
    for table in counts.keys() - bare:
        by_scale[scales[table]].update(counts[table])
    try:
        found = {scale: infer_label_mapping(values, params) for scale, values in by_scale.items()}
    except UserError:
        found = {}
    if not all(labels.is_sure for labels in found.values()) or not found:
        together = infer_label_mapping(sum(by_scale.values(), Counter()), params)
        found = dict.fromkeys(by_scale, together)
    if len({labels.names for labels in found.values()}) > 1:  # pos and neg in one table, 1 to 5 in another
        found = {scale: replace(labels, names=("negative", "positive")) for scale, labels in found.items()}
    unlabelled = Labels({"-1": UNLABELLED}, next(iter(found.values())).names, "no label: -1")
    return {table: unlabelled if table in bare else found[scales[table]] for table in counts}


def infer_label_mapping(counts: Mapping[str, int], params: LabelParams | None) -> Labels:
    """Decide which class each value of the label is.

    Args:
        counts: how many rows have each value, `canonical`.
        params: what the user configured; None: it is inferred from the values.

    Raises:
        UserError: when it cannot be inferred; it names the setting.
    """
    if params and params.negative is not None:
        return _as_said(counts, params)
    if params and params.negative_max is not None and params.positive_min is not None:
        return _of_bounds(counts, params.negative_max, params.positive_min)
    numbers = {value: _number(str(WORDS.get(value.lower(), value))) for value in counts}
    if None in numbers.values() or not numbers:
        return _of_words(counts)
    return _of_numbers(counts, numbers)  # type: ignore[arg-type]


def require_two_classes(labels: Labels, counts: Mapping[str, int]) -> None:
    """Raise a `UserError` unless there are two, with a setting that makes them two."""
    names, shown = labels.names, ", ".join(sorted(counts, key=lambda value: (-counts[value], value))[:8])[:200]
    if len(names) < 2:
        raise UserError(f"all labels are {shown or 'missing'}; add reviews with another label")
    if len(names) > 2:
        sides = f"{{negative: [{in_yaml(names[0])}], positive: [{in_yaml(names[-1])}]}}"
        raise UserError(
            f"{len(names)} labels, {shown}, of which two are needed; set for example data.own.labels: {sides}; "
            "reviews with other labels are left out"
        )


def _as_said(counts: Mapping[str, int], params: LabelParams) -> Labels:
    negative, positive = ([canonical(value) for value in side or ()] for side in (params.negative, params.positive))
    side = {value.casefold(): 0 for value in negative} | {value.casefold(): 1 for value in positive}
    if len(side) < len(negative) + len(positive):
        raise UserError("params.yaml: data.own.labels: a value is both negative and positive; keep it in one list")
    meaning = {value: side.get(value.casefold(), LEFT_OUT) for value in counts}
    rest = [value for value, number in meaning.items() if number == LEFT_OUT]
    rule = f"negative: {', '.join(negative)}; positive: {', '.join(positive)}" + _left_out(rest)
    return Labels(meaning, _spoken(negative[0], positive[0]), rule)


def _of_words(counts: Mapping[str, int]) -> Labels:
    sides: dict[float | None, list[str]] = defaultdict(list)
    for value in sorted(counts, key=lambda value: (-counts[value], value)):
        sides[_side(value)].append(value)
    negative, positive, rest = sides[0], sides[1], sides[0.5] + sides[None]
    known = sum(counts[value] for value in negative + positive)
    if negative and positive and not sides[0.5] and known >= (1 - TYPOS) * sum(counts.values()):
        meaning = dict.fromkeys(negative, 0) | dict.fromkeys(positive, 1) | dict.fromkeys(rest, UNKNOWN_LABEL)
        rule = f"negative: {', '.join(negative)}; positive: {', '.join(positive)}"
        return Labels(meaning, _spoken(negative[0], positive[0]), rule)
    spellings: dict[str, list[str]] = defaultdict(list)
    for value in sorted(counts, key=lambda value: (-counts[value], value)):
        spellings[value.casefold()].append(value)
    order = sorted(spellings, key=lambda word: word if sides[None] else (_side(word), word))
    return _classes([spellings[word] for word in order])


def _of_numbers(counts: Mapping[str, int], numbers: dict[str, float]) -> Labels:
    values = sorted(set(numbers.values()))
    lowest, highest = values[0], values[-1]
    if len(values) == 2 and (lowest, highest) in PAIRS:
        return _pair(numbers, lowest, highest)
    for low, high in ((0, 1), (-1, 1)):  # 0, 1 and a few 9; but -1 to 1 are three values
        share = sum(counts[value] for value, number in numbers.items() if number in (low, high)) / sum(counts.values())
        if {low, high} < set(values) and not {-1, 0, 1} <= set(values) and share >= 1 - TYPOS / 5:
            return _pair(numbers, low, high)
    if len(values) > 2:
        for least, most, start, negative_max, positive_min in RATINGS:
            many = len(values) >= 5 or highest == most
            if least <= highest <= most and lowest >= start and many and all(2 * v == int(2 * v) for v in values):
                return _of_bounds(counts, negative_max, positive_min, numbers)
    if len(values) > MAX_CLASSES or any(value != int(value) for value in values):
        fifth = (highest - lowest) / 5
        bounds = f"{{negative_max: {lowest + 2 * fifth:.3g}, positive_min: {lowest + 3 * fifth:.3g}}}"
        raise UserError(
            f"the labels are {len(values)} numbers from {lowest:g} to {highest:g}; set the bounds, for example "
            f"data.own.labels: {bounds}"
        )
    return _classes([[text for text, number in numbers.items() if number == value] for value in values])


def _pair(numbers: dict[str, float], low: float, high: float) -> Labels:
    meaning = {value: {low: 0, high: 1}.get(number, UNKNOWN_LABEL) for value, number in numbers.items()}
    return Labels(meaning, ("negative", "positive"), f"negative: {low:g}; positive: {high:g}")


def _classes(spellings: list[list[str]]) -> Labels:
    """Classes of any meaning, in natural order: numbers ascending, negative to positive, or by the alphabet."""
    names = tuple(values[0] for values in spellings)
    meaning = {value: number for number, values in enumerate(spellings) for value in values}
    return Labels(meaning, names, f"classes: {', '.join(names[:20])}{', …' * (len(names) > 20)}", is_sure=False)


def _of_bounds(
    counts: Mapping[str, int], negative_max: float, positive_min: float, numbers: Mapping[str, float] | None = None
) -> Labels:
    meaning = {}
    for value in counts:
        number = numbers[value] if numbers else _number(value)
        if number is None:
            meaning[value] = UNKNOWN_LABEL
        else:
            meaning[value] = 0 if number <= negative_max else 1 if number >= positive_min else LEFT_OUT
    rule = f"negative: at most {negative_max:g}; positive: at least {positive_min:g}; left out: between them"
    return Labels(meaning, ("negative", "positive"), rule)


def _side(value: str) -> float | None:
    return SIDE.get(re.sub("[-_]", " ", value.casefold()), {"0": 0, "-1": 0, "1": 1}.get(value))


def _spoken(negative: str, positive: str) -> tuple[str, str]:
    speak = _number(negative) is None and _number(positive) is None
    return (negative, positive) if speak else ("negative", "positive")


def _left_out(values: list[str]) -> str:
    return f"; left out: {', '.join(values[:8])}" if values else ""


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None  # nor infinity, nor NaN
