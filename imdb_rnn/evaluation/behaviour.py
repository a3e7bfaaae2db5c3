"""What a network does with sentences made to show one ability each, after CheckList.

Ribeiro, Wu, Guestrin and Singh, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList (ACL 2020), has three
kinds of test. MFT, minimum functionality: a short sentence whose answer is plain. INV, invariance: a change that means
nothing must leave the answer as it was. DIR, direction: a change must not move the answer the wrong way.

The sentences were written once, and not with any network's answers in view.
"""

from collections.abc import Callable, Iterable
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from imdb_rnn.evaluation import intervals
from imdb_rnn.model import Network
from imdb_rnn.training.decision import THRESHOLD

LANGUAGES = ("en", "zh")
TOLERANCE = 0.1  # by which a change that means nothing may move the probability
# A network with two answers has none for a text without a judgement. Three answers would share the scale equally.
NEUTRAL = (1 / 3, 2 / 3)
DECIMALS = 6
COLUMNS = ("kind", "test", "cases", "left_out", "passed", "share", "low", "high", "failure", "probability", "before")

Passes = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Case(NamedTuple):
    """A text to judge, the words that decide its answer, and for INV and DIR the text before the change."""

    text: str
    decisive: tuple[str, ...]
    before: str | None = None


class Test(NamedTuple):
    """Cases, and whether each passed: from the probabilities of the texts, and of those before the change."""

    kind: str
    name: str
    passes: Passes
    cases: list[Case]


def _says_positive(probability: np.ndarray, before: np.ndarray) -> np.ndarray:
    return probability > THRESHOLD


def _says_negative(probability: np.ndarray, before: np.ndarray) -> np.ndarray:
    return probability <= THRESHOLD


def _is_undecided(probability: np.ndarray, before: np.ndarray) -> np.ndarray:
    return (probability >= NEUTRAL[0]) & (probability <= NEUTRAL[1])


def _stays(probability: np.ndarray, before: np.ndarray) -> np.ndarray:
    moved = np.abs(probability - before).round(DECIMALS)  # 0.4 - 0.3 is above 0.1
    return (moved <= TOLERANCE) & ((probability > THRESHOLD) == (before > THRESHOLD))


def _does_not_fall(probability: np.ndarray, before: np.ndarray) -> np.ndarray:
    return probability >= before


def _does_not_rise(probability: np.ndarray, before: np.ndarray) -> np.ndarray:
    return probability <= before


class Phrases(NamedTuple):
    """What the tests of one language are made of.

    In a template `{}` is where one of several words goes, `{0}` and `{1}` where two do. Where a template stands beside
    words, these decide the answer too.
    """

    good: tuple[str, ...]
    bad: tuple[str, ...]
    deniable_good: tuple[str, ...]  # those whose denial is blame
    deniable_bad: tuple[str, ...]  # those whose denial is praise
    plain: tuple[str, ...]
    denied: tuple[tuple[str, tuple[str, ...]], ...]
    changed: tuple[str, ...]  # {0} what was expected, {1} what came
    loved: str
    hated: str
    neutral: tuple[tuple[str, tuple[str, ...]], ...]
    things: tuple[str, ...]
    person: str  # {0} name, {1} judgement
    people: tuple[str, ...]  # the first is replaced by each of the others
    place: str
    places: tuple[str, ...]
    added: tuple[str, ...]  # punctuation around the sentence
    typos: tuple[tuple[str, str], ...]  # a template right and wrong
    fillers: tuple[str, ...]  # sentences without a judgement
    space: str  # between sentences
    praise: str
    blame: str


ENGLISH = Phrases(
    good=("wonderful", "excellent", "great", "brilliant", "amazing", "superb"),
    bad=("terrible", "awful", "boring", "horrible", "bad", "stupid"),
    deniable_good=("good", "great", "funny", "interesting", "convincing", "enjoyable"),
    deniable_bad=("bad", "boring", "stupid", "terrible", "awful", "dull"),
    plain=("This film is {}.", "The acting is {}.", "The story was {}.", "I found this movie {}."),
    denied=(
        ("This film is not {} at all.", ("not",)),
        ("It was never {}, not for a single minute.", ("never", "not")),
        ("The story is anything but {}.", ("anything", "but")),
        ("There is nothing {} about this movie.", ("nothing",)),
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
        ("I watched this {} on Sunday.", ("watched",)),
        ("This {} was made in the seventies.", ("made",)),
        ("The {} is about two brothers.", ("brothers",)),
        ("My sister has seen this {} before.", ("sister", "seen")),
        ("We saw the {} at home.", ("saw", "home")),
        ("The {} takes place in London.", ("place",)),
    ),
    things=("film", "movie", "series", "episode"),
    person="{0} is {1} in this film.",
    people=("John", "Peter", "Mary", "Ahmed"),
    place="The story takes place in {0}, and it is {1}.",
    places=("London", "Paris", "Texas", "India"),
    added=("({})", "- {}"),
    typos=(("This film is {}.", "This flim is {}."), ("The acting is {}.", "The actng is {}.")),
    fillers=(
        "I watched it on a Sunday with my brother.",
        "It lasts two hours. We saw it at home, and my sister came in the afternoon.",
    ),
    space=" ",
    praise="I loved it.",
    blame="I hated it.",
)

CHINESE = Phrases(
    good=("精彩", "好看", "优秀", "感人", "完美", "出色"),
    bad=("糟糕", "无聊", "难看", "失望", "垃圾", "烂"),
    deniable_good=("精彩", "好看", "有趣", "感人", "出色", "好"),
    deniable_bad=("糟糕", "无聊", "难看", "差", "烂", "枯燥"),
    plain=("这部电影很{}。", "演员的表演很{}。", "故事非常{}。", "我觉得这部片子很{}。"),
    denied=(
        ("这部电影一点也不{}。", ("不",)),
        ("这个故事并不{}。", ("不",)),
        ("我不觉得这部片子{}。", ("不",)),
        ("没有人会说它{}。", ("没有",)),
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
        ("我星期天看了这部{}。", ("看",)),
        ("这部{}是七十年代拍的。", ("拍",)),
        ("这部{}讲的是两个兄弟。", ("兄弟",)),
        ("我姐姐以前看过这部{}。", ("姐姐", "看")),
        ("我们在家里看的这部{}。", ("家", "看")),
        ("这部{}的故事发生在北京。", ("发生",)),
    ),
    things=("电影", "片子", "电视剧", "动画"),
    person="{0}在这部电影里的表演很{1}。",
    people=("张伟", "李娜", "王芳", "约翰"),
    place="故事发生在{0}，很{1}。",
    places=("北京", "上海", "巴黎", "印度"),
    added=("（{}）", "——{}"),
    typos=(("这部电影很{}。", "这步电影很{}。"), ("演员的表演很{}。", "演圆的表演很{}。")),
    fillers=("我是星期天和弟弟一起看的。", "片长两个小时。我们在家里看的，姐姐下午也来了。"),
    space="",
    praise="我很喜欢它。",
    blame="我很讨厌它。",
)


def _suite(language: str) -> list[Test]:
    """All tests of a language, of 24 cases or more each."""
    phrases = {"en": ENGLISH, "zh": CHINESE}[language]
    good, bad = _plain(phrases.plain, phrases.good), _plain(phrases.plain, phrases.bad)
    judged = _plain(phrases.plain[:2], phrases.good + phrases.bad)
    words, space = phrases.good + phrases.bad, phrases.space
    neutral = _denied(phrases.neutral, phrases.things)
    tests = [
        Test("MFT", "plain_positive", _says_positive, good),
        Test("MFT", "plain_negative", _says_negative, bad),
        Test("MFT", "negated_positive", _says_negative, _denied(phrases.denied, phrases.deniable_good)),
        Test("MFT", "negated_negative", _says_positive, _denied(phrases.denied, phrases.deniable_bad)),
        Test("MFT", "changed_to_positive", _says_positive, _changed(phrases.changed, phrases.bad, phrases.loved)),
        Test("MFT", "changed_to_negative", _says_negative, _changed(phrases.changed, phrases.good, phrases.hated)),
        Test("MFT", "neutral", _is_undecided, neutral),
        Test("INV", "people", _stays, _renamed(phrases.person, phrases.people, words)),
        Test("INV", "places", _stays, _renamed(phrases.place, phrases.places, words)),
        Test("INV", "upper_case", _stays, _rewritten(judged, [str.upper])),
        Test("INV", "punctuation", _stays, _rewritten(judged, [added.format for added in phrases.added])),
        Test("INV", "typo", _stays, _mistyped(phrases.typos, words)),
        Test("INV", "filler_before", _stays, _rewritten(judged, [_before(it, space) for it in phrases.fillers])),
        Test("INV", "filler_after", _stays, _rewritten(judged, [_after(it, space) for it in phrases.fillers])),
    ]
    either = judged + neutral
    for name, passes, added, verb in (
        ("praise_added", _does_not_fall, phrases.praise, phrases.loved),
        ("blame_added", _does_not_rise, phrases.blame, phrases.hated),
    ):
        tests.append(Test("DIR", name, passes, _rewritten(either, [_after(added, space)], verb)))
    # A script without capital letters has none to test.
    return [test for test in tests if any(case.text != case.before for case in test.cases)]


def _plain(templates: Iterable[str], words: Iterable[str]) -> list[Case]:
    return [Case(template.format(word), (word,)) for template, word in product(templates, words)]


def _denied(templates: Iterable[tuple[str, tuple[str, ...]]], words: Iterable[str]) -> list[Case]:
    return [Case(template.format(word), (word, *also)) for (template, also), word in product(templates, words)]


def _changed(templates: Iterable[str], words: Iterable[str], verb: str) -> list[Case]:
    return [Case(template.format(word, verb), (word, verb)) for template, word in product(templates, words)]


def _renamed(template: str, names: tuple[str, ...], words: Iterable[str]) -> list[Case]:
    first, *others = names
    pairs = product(others, words)
    return [Case(template.format(name, word), (word,), template.format(first, word)) for name, word in pairs]


def _mistyped(templates: Iterable[tuple[str, str]], words: Iterable[str]) -> list[Case]:
    pairs = product(templates, words)
    return [Case(wrong.format(word), (word,), right.format(word)) for (right, wrong), word in pairs]


def _rewritten(cases: Iterable[Case], ways: Iterable[Callable[[str], str]], *also: str) -> list[Case]:
    return [Case(way(case.text), (*case.decisive, *also), case.text) for way, case in product(ways, cases)]


def _before(sentence: str, space: str) -> Callable[[str], str]:
    return lambda text: sentence + space + text


def _after(sentence: str, space: str) -> Callable[[str], str]:
    return lambda text: text + space + sentence


def _usable(network: Network, cases: Iterable[Case]) -> list[Case]:
    """The cases whose decisive words the network knows.

    A decisive word is unknown if a token that the vocabulary does not hold is it, is a part of it (a character) or
    has it as a part (a longer word that jieba found).
    """
    known = frozenset(network.vocabulary)

    def is_usable(case: Case) -> bool:
        unknown = set(network.tokenize(f"{case.text} {case.before or ''}")) - known
        return not any(token in word or word in token for token in unknown for word in case.decisive)

    return [case for case in cases if is_usable(case)]


MOST_FREQUENT = 200  # tokens that tell the script


def language_of(network: Network) -> str | None:
    """The language of which the network knows the words: of `LANGUAGES` that with more cases; None if none has any.

    Letters alone tell no language, but Chinese characters do.
    """
    if network.tokenizer != "word":
        frequent = network.vocabulary[:MOST_FREQUENT]
        chinese = sum("\u4e00" <= token[0] <= "\u9fff" for token in frequent)
        return "zh" if chinese > len(frequent) / 2 else None
    counts = {language: sum(len(_usable(network, test.cases)) for test in _suite(language)) for language in LANGUAGES}
    language = max(LANGUAGES, key=counts.__getitem__)
    return language if counts[language] else None


def measure(network: Network) -> pd.DataFrame:
    """Run every test of the network's language.

    Returns:
        A row for each test of which at least one case can be judged: kind (MFT, INV or DIR), test, cases, left_out
        (cases more, of words that the network does not know), passed, share (of the cases that passed), low and high
        (its interval, as if the cases were independent, which sentences of one template are not), failure (the text of
        the first case that did not pass), probability (of it), before (that of the text before its change). What there
        is none of is None or NaN. Shares and probabilities have six decimals. No row if the network knows no language
        of the tests.

    Raises:
        UserError: as `Network.tokenize` does.
    """
    language = language_of(network)
    rows = []
    for kind, name, passes, cases in _suite(language) if language else ():
        usable = _usable(network, cases)
        if not usable:
            continue
        # Rounded before they are compared, so that the table shows what decided.
        probability = network.predict_proba(network.encode([case.text for case in usable])).round(DECIMALS)
        before = np.full(len(usable), np.nan)
        if kind != "MFT":
            before = network.predict_proba(network.encode([case.before or "" for case in usable])).round(DECIMALS)
        passed = passes(probability, before)
        count = int(passed.sum())
        low, high = intervals.of_share(count, len(usable)) or (0.0, 1.0)
        shares = [round(share, DECIMALS) for share in (count / len(usable), low, high)]
        failures = np.flatnonzero(~passed)[:1]
        failure = [usable[row].text for row in failures] or [None]
        numbers = [float(values[row]) for values in (probability, before) for row in failures] or [np.nan, np.nan]
        rows.append([kind, name, len(usable), len(cases) - len(usable), count, *shares, *failure, *numbers])
    return pd.DataFrame(rows, columns=list(COLUMNS))


def as_metrics(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The share of passed cases by test, as `dvc metrics` shows and compares them: `{"behaviour": {test: share}}`."""
    return {"behaviour": dict(zip(table["test"], table["share"].astype(float).tolist(), strict=True))}
