"""What the label values of user-supplied tables mean: the classes and their names, as configured or inferred."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import LabelParams, in_yaml

NEGATIVE = (
    "neg", "negative", "bad", "no", "n", "false", "f", "rotten", "dislike", "unfavorable", "unfavourable",
    "not recommended", "差评", "负面", "消极", "差", "负向", "负", "不推荐", "不好", "踩",
    "negativ", "negativo", "négatif",
    "schlecht", "坏", "👎", "-", "unhappy", "not happy",
)  # fmt: skip
POSITIVE = (
    "pos", "positive", "good", "yes", "y", "true", "t", "fresh", "like", "favorable", "favourable",
    "recommended", "好评", "正面", "积极", "好", "正向", "正", "推荐", "赞",
    "positiv", "positivo", "positif", "gut", "👍", "+", "happy",
)  # fmt: skip
NEUTRAL = ("neu", "neutral", "mixed", "objective", "中性", "中评", "中立", "一般")
SIDE = dict.fromkeys(NEGATIVE, 0.0) | dict.fromkeys(POSITIVE, 1.0) | dict.fromkeys(NEUTRAL, 0.5)  # without case
WORDS = {"很差": 1, "较差": 2, "还行": 3, "推荐": 4, "力荐": 5}  # Douban's stars
DEGREES = {"extremely": 1.5, "very": 1.5, "strongly": 1.5, "somewhat": 0.5, "slightly": 0.5, "weakly": 0.5}
COUNTS = ("one", "two", "three", "four", "five")
WORDS |= {f"{count}{end}": number for number, count in enumerate(COUNTS, 1) for end in ("", " star", " stars")}
WORDS |= {"terrible": 1, "poor": 2, "average": 3, "good": 4, "very good": 4, "excellent": 5}
WORDS |= {f"{count}星": number for number, count in enumerate("一二三四五", 1)}
PREFIX = "__label__"  # before the label in fastText's lines
MISSING = frozenset(["", "nan", "null", "na", "n/a", "<na>", "?", "unsup", "unsupervised", "unlabeled", "unlabelled"])
# 4, "4,0 out of 5 stars", 4/5, 80 %, 4星, and Douban's allstar40
RATING = re.compile(
    r"(?:rated )?(-?\d+(?:[.,]\d+)?)(?: ?(?:out of|of|/) ?\d+(?:[.,]\d+)?)?(?: ?(?:stars?|points?|bubbles|颗?星|分|%))?"
    r"|allstar(\d)0",
    re.IGNORECASE,
)
PAIRS = ((0, 1), (-1, 1), (1, 2), (0, 2), (0, 4), (1, 5), (1, 10), (0, 10), (0, 100))  # the worst and the best alone
RATINGS = ((5, 5, 0.5, 2, 4), (8, 10, 0, 4, 7), (90, 100, 0, 40, 60))
# of each: the highest value from, to; the lowest; the two bounds
TYPOS = 0.05  # share of the rows that may have other values when a pair is recognised
MAX_CLASSES = 100
MAX_SCORES = 20  # more numbers with gaps are scores, not classes
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
    number = _number((match[1] or match[2]).replace(",", ".") if match else text)
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
    if any("-1" in values for table, values in counts.items() if table not in bare) or len(bare) == len(counts):
        bare = set()
    by_scale: dict[str, Counter[str]] = defaultdict(Counter)
    for table, values in counts.items():
        if table not in bare:
            by_scale["" if params else scales[table]].update(values)
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
    return {table: unlabelled if table in bare else found["" if params else scales[table]] for table in counts}


def infer_label_mapping(counts: Mapping[str, int], params: LabelParams | None) -> Labels:
    """Decide which class each value of the label is.

    Args:
        counts: how many rows have each value, `canonical`.
        params: what the user configured; None: it is inferred from the values.

    Raises:
        UserError: when it cannot be inferred; it names the setting.
    """
    values = sorted(counts, key=lambda value: (-counts[value], value))
    if params and params.negative is not None:
        said = [[canonical(value) for value in side or ()] for side in (params.negative, params.positive)]
        side = {value.casefold(): number for number, of_side in enumerate(said) for value in of_side}
        if len(side) < len(said[0]) + len(said[1]):
            raise UserError("params.yaml: data.own.labels: a value is both negative and positive; keep it in one list")
        return _two({value: side.get(value.casefold(), LEFT_OUT) for value in values}, (said[0][0], said[1][0]))
    if params and params.negative_max is not None and params.positive_min is not None:
        numbers = {value: _number(value) for value in values}
        return _of_bounds(numbers, params.negative_max, params.positive_min)
    if params and params.classes == "all":
        return _classes(_spellings(values))
    if params and params.classes:
        said = [[value for value in values if value.casefold() == canonical(of).casefold()] for of in params.classes]
        labels = _classes([of or [canonical(name)] for of, name in zip(said, params.classes, strict=True)])
        return replace(labels, meaning=dict.fromkeys(values, LEFT_OUT) | labels.meaning, is_sure=True)
    numbers = {value: _number(str(WORDS.get(value.lower(), value))) for value in values}
    known = {value: number for value, number in numbers.items() if number is not None}
    return _of_numbers(counts, known) if len(known) == len(values) > 0 else _of_words(counts, values)


def require_classes(names: Sequence[str], counts: Mapping[str, int]) -> None:
    """Raise a `UserError` unless there are two classes, or a few more."""
    if len(names) < 2:
        raise UserError(f"all labels are {', '.join(counts) or 'missing'}; add reviews with another label")
    if len(names) > MAX_CLASSES:
        most = ", ".join(map(in_yaml, sorted(counts, key=lambda name: -counts[name])[:3]))
        raise UserError(
            f"{len(names)} different labels, more than {MAX_CLASSES}; keep at most so many, for example "
            f"data.own.labels: {{classes: [{most}]}}, or name another column in data.own.label_column"
        )


def _of_words(counts: Mapping[str, int], values: Sequence[str]) -> Labels:
    side = {value: _side(value) for value in values}
    known = {value: int(number) for value, number in side.items() if number in (0, 1)}
    share = sum(counts[value] for value in known) / max(1, sum(counts.values()))
    if len(set(known.values())) == 2 and 0.5 not in side.values() and share >= 1 - TYPOS:
        return _two({value: known.get(value, UNKNOWN_LABEL) for value in values})
    return _classes(_spellings(values))


def _of_numbers(counts: Mapping[str, int], numbers: Mapping[str, float]) -> Labels:
    values = sorted(set(numbers.values()))
    lowest, highest = values[0], values[-1]
    for low, high in PAIRS:
        known = sum(counts[value] for value, number in numbers.items() if number in (low, high)) / sum(counts.values())
        has_typos = high == 1 and not {-1, 0, 1} <= set(values) and known >= 1 - TYPOS / 5  # 0, 1 and a few 9
        if values == [low, high] or ({low, high} < set(values) and has_typos):
            pair = {float(low): 0, float(high): 1}
            return _two({value: pair.get(number, UNKNOWN_LABEL) for value, number in numbers.items()})
    step = (highest - lowest) / 4
    is_even = len(values) == 5 and all(abs(value - lowest - n * step) < 1e-9 for n, value in enumerate(values))
    if is_even and values != [0, 1, 2, 3, 4]:  # the middle one is neutral; 0 to 4 are rather topics
        return _of_bounds(numbers, values[1], values[3])
    numbered = values == [lowest + n for n in range(len(values))] and len(values) <= MAX_CLASSES  # as topics are
    is_rating = len(values) > 2 and (not numbered or (lowest, highest) in ((1, 10), (0, 10)))
    for least, most, start, negative_max, positive_min in RATINGS if is_rating else ():
        many = len(values) >= 5 or highest == most
        if least <= highest <= most and lowest >= start and many and all((2 * value).is_integer() for value in values):
            return _of_bounds(numbers, negative_max, positive_min)
    if (len(values) > MAX_SCORES and not numbered) or not all(value.is_integer() for value in values):
        raise UserError(
            f"the labels are {len(values)} numbers from {lowest:g} to {highest:g}; set the bounds, for example "
            f"data.own.labels: {_bounds_between(lowest, highest)}"
        )
    return _classes(_spellings(list(numbers)))


def _two(side: Mapping[str, int], names: tuple[str, str] | None = None) -> Labels:
    """Two classes, called by their first values unless these are numbers."""
    of = {number: [value for value, other in side.items() if other == number] for number in (0, 1, LEFT_OUT)}
    names = names or (of[0][0], of[1][0])
    if any(_number(name) is not None for name in names):
        names = ("negative", "positive")
    said = {"negative": of[0], "positive": of[1], "left out": of[LEFT_OUT]}
    rule = "; ".join(f"{what}: {', '.join(values[:8])}" for what, values in said.items() if values)
    return Labels(dict(side), names, rule)


def _spellings(values: Sequence[str]) -> list[list[str]]:
    """Values that differ in case only, together; in natural order: numbers, negative to positive, or the alphabet."""
    alike: dict[str, list[str]] = defaultdict(list)
    for value in values:
        alike[value.casefold()].append(value)
    for rank in (lambda word: _number(str(WORDS.get(word, word))), _side):
        ranks = {word: number for word in alike if (number := rank(word)) is not None}
        if len(ranks) == len(alike):
            return [alike[word] for word in sorted(alike, key=ranks.__getitem__)]
    return [alike[word] for word in sorted(alike)]


def _classes(spellings: list[list[str]]) -> Labels:
    """Classes of any meaning."""
    names = tuple(values[0] for values in spellings)
    meaning = {value: number for number, values in enumerate(spellings) for value in values}
    rule = f"in this order: {', '.join(names[:20])}" + ", …" * (len(names) > 20)
    return Labels(meaning, names, rule, is_sure=False)


def _of_bounds(numbers: Mapping[str, float | None], negative_max: float, positive_min: float) -> Labels:
    def side(number: float) -> int:
        return 0 if number <= negative_max else 1 if number >= positive_min else LEFT_OUT

    meaning = {value: UNKNOWN_LABEL if number is None else side(number) for value, number in numbers.items()}
    rule = f"negative: at most {negative_max:g}; positive: at least {positive_min:g}; left out: between them"
    return Labels(meaning, ("negative", "positive"), rule)


def _bounds_between(low: float, high: float) -> str:
    fifth = (high - low) / 5
    return f"{{negative_max: {low + 2 * fifth:.3g}, positive_min: {low + 3 * fifth:.3g}}}"


def _side(value: str) -> float | None:
    words = re.sub(r"(?<=\w)[-_]", " ", value.casefold())
    degree, _, word = words.partition(" ")
    if degree in DEGREES and SIDE.get(word) in (0, 1):
        return 0.5 + DEGREES[degree] * (SIDE[word] - 0.5)
    return SIDE.get(words, {"0": 0, "-1": 0, "1": 1}.get(value))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None  # nor infinity, nor NaN
