"""Behaviour tests: short sentences, each a test of one ability of a network, after CheckList.

Ribeiro, Wu, Guestrin and Singh, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList (ACL 2020), describe
three kinds of test. MFT, minimum functionality: the label of a sentence is obvious. INV, invariance: a change without
meaning must not change the answer. DIR, direction: a change must not move the answer in the wrong direction.

The sentences were written before any network was tested on them.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from imdb_rnn.core.params import LANGUAGES
from imdb_rnn.decision import THRESHOLD
from imdb_rnn.evaluation import intervals
from imdb_rnn.evaluation.results import Behaviour
from imdb_rnn.model import Model

TOLERANCE = 0.1  # by which a change without meaning may move the probability
# The middle third: a network with two classes has none for a text without a judgement.
NEUTRAL = (1 / 3, 2 / 3)
DECIMALS = 6


class Case(NamedTuple):
    """A text to classify, its key words, and for INV and DIR the text before the change; or a template with `{}`."""

    text: str
    key_words: tuple[str, ...] = ()
    before: str | None = None


def _passes(expected: str, probability: np.ndarray, before: np.ndarray, threshold: float) -> np.ndarray:
    """Which cases pass, from the probabilities of the texts and of the texts before the change: bool (cases,)."""
    is_positive = probability > threshold
    moved = np.abs(probability - before).round(DECIMALS)  # 0.4 - 0.3 is above 0.1
    conditions = {
        "positive": is_positive,
        "negative": ~is_positive,
        "neutral": (probability >= NEUTRAL[0]) & (probability <= NEUTRAL[1]),
        "same": (moved <= TOLERANCE) & (is_positive == (before > threshold)),
        "not lower": probability >= before,
        "not higher": probability <= before,
    }
    return conditions[expected]


class Phrases(NamedTuple):
    """What the tests of one language are made of.

    In a text `{}` is filled with one word, `{0}` and `{1}` with two. Only key words that are not filled in are listed.
    """

    good: tuple[str, ...]
    bad: tuple[str, ...]
    good_to_negate: tuple[str, ...]  # whose negation is criticism
    bad_to_negate: tuple[str, ...]  # whose negation is praise
    plain: tuple[str, ...]
    negated: tuple[Case, ...]
    changed: tuple[str, ...]  # {0} expected, {1} found
    loved: str
    hated: str
    neutral: tuple[Case, ...]
    things: tuple[str, ...]
    person: str  # {0} name, {1} good or bad
    people: tuple[str, ...]  # the first is replaced by each other name
    place: str
    places: tuple[str, ...]
    added: tuple[str, ...]  # punctuation around the sentence
    typos: tuple[Case, ...]  # with and without the typo
    fillers: tuple[str, ...]  # sentences without a judgement
    space: str  # between sentences
    praise: str
    criticism: str


ENGLISH = Phrases(
    good=("wonderful", "excellent", "great", "brilliant", "amazing", "superb"),
    bad=("terrible", "awful", "boring", "horrible", "bad", "stupid"),
    good_to_negate=("good", "great", "funny", "interesting", "convincing", "enjoyable"),
    bad_to_negate=("bad", "boring", "stupid", "terrible", "awful", "dull"),
    plain=("This film is {}.", "The acting is {}.", "The story was {}.", "I found this movie {}."),
    negated=(
        Case("This film is not {} at all.", ("not",)),
        Case("It was never {}, not for a single minute.", ("never", "not")),
        Case("The story is anything but {}.", ("anything", "but")),
        Case("There is nothing {} about this movie.", ("nothing",)),
    ),
    changed=(
        "I expected this film to be {0}, but I {1} it.",
        "At first I thought that it was {0}, but in the end I {1} it.",
        "Everyone told me that it was {0}, and I {1} it.",
        "The reviews called it {0}, but I {1} every minute of it.",
    ),
    loved="loved",
    hated="hated",
    neutral=(
        Case("I watched this {} on Sunday.", ("watched",)),
        Case("This {} was made in the seventies.", ("made",)),
        Case("The {} is about two brothers.", ("brothers",)),
        Case("My sister has seen this {} before.", ("sister", "seen")),
        Case("We saw the {} at home.", ("saw", "home")),
        Case("The {} takes place in London.", ("place",)),
    ),
    things=("film", "movie", "series", "episode"),
    person="{0} is {1} in this film.",
    people=("John", "Peter", "Mary", "Ahmed"),
    place="The story takes place in {0}, and it is {1}.",
    places=("London", "Paris", "Texas", "India"),
    added=("({})", "- {}"),
    typos=(
        Case("This flim is {}.", before="This film is {}."),
        Case("The actng is {}.", before="The acting is {}."),
    ),
    fillers=(
        "I watched it on a Sunday with my brother.",
        "It lasts two hours. We saw it at home, and my sister came in the afternoon.",
    ),
    space=" ",
    praise="I loved it.",
    criticism="I hated it.",
)

CHINESE = Phrases(
    good=("精彩", "好看", "优秀", "感人", "完美", "出色"),
    bad=("糟糕", "无聊", "难看", "失望", "垃圾", "烂"),
    good_to_negate=("精彩", "好看", "有趣", "感人", "出色", "好"),
    bad_to_negate=("糟糕", "无聊", "难看", "差", "烂", "枯燥"),
    plain=("这部电影很{}。", "演员的表演很{}。", "故事非常{}。", "我觉得这部片子很{}。"),
    negated=(
        Case("这部电影一点也不{}。", ("不",)),
        Case("这个故事并不{}。", ("不",)),
        Case("我不觉得这部片子{}。", ("不",)),
        Case("没有人会说它{}。", ("没有",)),
    ),
    changed=(
        "我本来以为这部电影会很{0}，但是看完以后我很{1}它。",
        "一开始我觉得它很{0}，可是最后我{1}它。",
        "大家都说它很{0}，我却非常{1}它。",
        "影评说它很{0}，但我{1}它的每一分钟。",
    ),
    loved="喜欢",
    hated="讨厌",
    neutral=(
        Case("我星期天看了这部{}。", ("看",)),
        Case("这部{}是七十年代拍的。", ("拍",)),
        Case("这部{}讲的是两个兄弟。", ("兄弟",)),
        Case("我姐姐以前看过这部{}。", ("姐姐", "看")),
        Case("我们在家里看的这部{}。", ("家", "看")),
        Case("这部{}的故事发生在北京。", ("发生",)),
    ),
    things=("电影", "片子", "电视剧", "动画"),
    person="{0}在这部电影里的表演很{1}。",
    people=("张伟", "李娜", "王芳", "约翰"),
    place="故事发生在{0}，很{1}。",
    places=("北京", "上海", "巴黎", "印度"),
    added=("（{}）", "——{}"),
    typos=(Case("这步电影很{}。", before="这部电影很{}。"), Case("演圆的表演很{}。", before="演员的表演很{}。")),
    fillers=("我是星期天和弟弟一起看的。", "片长两个小时。我们在家里看的，姐姐下午也来了。"),
    space="",
    praise="我很喜欢它。",
    criticism="我很讨厌它。",
)


def _suite(language: str) -> list[tuple[str, str, str, list[Case]]]:
    """The kind, name, expectation (see `_passes`) and 24 cases or more of each test of a language."""
    phrases = {"en": ENGLISH, "zh": CHINESE}[language]
    words, space = phrases.good + phrases.bad, phrases.space
    plain, neutral = [*map(Case, phrases.plain)], _filled(phrases.neutral, phrases.things)
    judged, after = _filled(plain[:2], words), f"{{}}{space}"

    def changed(verb: str) -> list[Case]:
        return [Case(text.format("{}", verb), (verb,)) for text in phrases.changed]

    def renamed(text: str, names: tuple[str, ...]) -> list[Case]:
        return [Case(text.format(name, "{}"), before=text.format(names[0], "{}")) for name in names[1:]]

    either = judged + neutral
    tests = [
        ("MFT", "plain_positive", "positive", _filled(plain, phrases.good)),
        ("MFT", "plain_negative", "negative", _filled(plain, phrases.bad)),
        ("MFT", "negated_positive", "negative", _filled(phrases.negated, phrases.good_to_negate)),
        ("MFT", "negated_negative", "positive", _filled(phrases.negated, phrases.bad_to_negate)),
        ("MFT", "changed_to_positive", "positive", _filled(changed(phrases.loved), phrases.bad)),
        ("MFT", "changed_to_negative", "negative", _filled(changed(phrases.hated), phrases.good)),
        ("MFT", "neutral", "neutral", neutral),
        ("INV", "people", "same", _filled(renamed(phrases.person, phrases.people), words)),
        ("INV", "places", "same", _filled(renamed(phrases.place, phrases.places), words)),
        ("INV", "upper_case", "same", [Case(case.text.upper(), case.key_words, case.text) for case in judged]),
        ("INV", "punctuation", "same", _rewritten(judged, phrases.added)),
        ("INV", "typo", "same", _filled(phrases.typos, words)),
        ("INV", "filler_before", "same", _rewritten(judged, [f"{filler}{space}{{}}" for filler in phrases.fillers])),
        ("INV", "filler_after", "same", _rewritten(judged, [after + filler for filler in phrases.fillers])),
        ("DIR", "praise_added", "not lower", _rewritten(either, [after + phrases.praise], phrases.loved)),
        ("DIR", "criticism_added", "not higher", _rewritten(either, [after + phrases.criticism], phrases.hated)),
    ]
    # Chinese has no capital letters to test.
    return [test for test in tests if any(case.text != case.before for case in test[-1])]


def _filled(templates: Iterable[Case], words: Iterable[str]) -> list[Case]:
    return [
        Case(text.format(word), (word, *also), before and before.format(word))
        for (text, also, before), word in product(templates, words)
    ]


def _rewritten(cases: Iterable[Case], changes: Iterable[str], *also: str) -> list[Case]:
    return [Case(change.format(text), (*words, *also), text) for change, (text, words, _) in product(changes, cases)]


def _usable(network: Model, cases: Iterable[Case]) -> list[Case]:
    """The cases whose key words are in the network's vocabulary.

    A key word is out of vocabulary if an OOV token is equal to it, a part of it (a character), or contains it (a longer
    word that jieba found).
    """
    vocabulary = frozenset(network.vocabulary)

    def is_usable(case: Case) -> bool:
        oov = set(network.tokenize(f"{case.text} {case.before or ''}")) - vocabulary
        return not any(token in word or word in token for token in oov for word in case.key_words)

    return [case for case in cases if is_usable(case)]


MOST_FREQUENT = 200  # tokens that show the script


def language_of(network: Model) -> str | None:
    """The language, one of `LANGUAGES`, of which the network can be asked more cases; None if it knows neither.

    The tokens of a tokenizer other than `word` show Chinese only, by its characters.
    """
    if network.tokenizer != "word":
        frequent = network.vocabulary[:MOST_FREQUENT]
        chinese = sum("\u4e00" <= token[0] <= "\u9fff" for token in frequent)
        return "zh" if chinese > len(frequent) / 2 else None
    counts = {language: sum(len(_usable(network, cases)) for *_, cases in _suite(language)) for language in LANGUAGES}
    language = max(LANGUAGES, key=counts.__getitem__)
    return language if counts[language] else None


def sides(labels: Sequence[str]) -> tuple[int, int] | None:
    """Which classes are the negative and the positive one: of two 0 and 1, of more by their names; None if none are."""
    names = [label.casefold() for label in labels]
    if len(names) > 2 and not {"negative", "positive"} <= set(names):
        return None
    return (0, 1) if len(names) == 2 else (names.index("negative"), names.index("positive"))


def _probability(network: Model, texts: list[str]) -> np.ndarray:
    """The probability of positive, of more than two classes against negative alone: float64 (texts,)."""
    probability, (negative, positive) = network.predict_proba(texts), sides(network.labels) or (0, 1)
    if probability.ndim == 2:
        probability = probability[:, positive] / (probability[:, positive] + probability[:, negative])
    return probability.round(DECIMALS)  # before it is compared, so that the table shows what decided


def measure(network: Model) -> pd.DataFrame:
    """Run every test of the network's language.

    Returns:
        A row for each test that has at least one usable case: kind (MFT, INV or DIR), test, cases, skipped (cases whose
        key words are OOV), passed, pass_rate, low and high (its interval, which assumes independent cases; those of one
        template are not), failure (the text of the first case that failed), probability (of that text), before (of the
        text before its change). What does not apply is None or NaN. Six decimals. No row if the network knows no
        language of the tests, or has more than two classes without `sides`.

    Raises:
        UserError: as `Model.tokenize` does.
    """
    language, rows = language_of(network) if sides(network.labels) else None, []
    threshold = network.threshold if len(network.labels) == 2 else THRESHOLD
    for kind, name, expected, cases in _suite(language) if language else ():
        usable = _usable(network, cases)
        if not usable:
            continue
        probability = _probability(network, [case.text for case in usable])
        before = np.full(len(usable), np.nan)
        if kind != "MFT":
            before = _probability(network, [case.before or "" for case in usable])
        passed = _passes(expected, probability, before, threshold)
        n_passed, n_skipped = int(passed.sum()), len(cases) - len(usable)
        interval = intervals.of_proportion(n_passed, len(usable))
        failures = np.flatnonzero(~passed)[:1].tolist()
        failed = [(usable[i].text, probability[i], before[i]) for i in failures] or [(None, np.nan, np.nan)]
        rows.append((kind, name, len(usable), n_skipped, n_passed, n_passed / len(usable), *interval, *failed[0]))
    return pd.DataFrame(rows, columns=list(Behaviour.model_fields)).round(DECIMALS)


def as_metrics(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The pass rate of each test, as `dvc metrics` shows and compares it: `{"behaviour": {test: pass_rate}}`."""
    return {"behaviour": dict(zip(table["test"], table["pass_rate"].astype(float).tolist(), strict=True))}
