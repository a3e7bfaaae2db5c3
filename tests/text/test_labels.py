import pytest

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import LabelParams
from imdb_rnn.text.labels import (
    LEFT_OUT,
    UNKNOWN_LABEL,
    UNLABELLED,
    bounded,
    canonical,
    infer_label_mapping,
    infer_of_tables,
    require_classes,
)


def meaning(*values, params=None):
    return infer_label_mapping(dict.fromkeys(map(str, values), 10), params).meaning


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(1, "1"), (1.0, "1"), (" 1.0 ", "1"), ("4.5", "4.5"), ("-1", "-1"), (True, "True"), (" Pos ", "Pos")],
        *[(value, "") for value in (None, "", float("nan"), "nan", "NULL", "None", "N/A", "unsup", [], {})],
        *[("1e400", "1e400"), ("__label__2", "2"), ("__label__pos", "pos"), (["positive"], "positive")],
        *[("['positive']", "positive"), ({"POS": 1.0, "NEG": 0.0}, "POS"), ({"cats": {"POS": 0, "NEG": 1}}, "NEG")],
        *[("5.0 out of 5 stars", "5"), ("1 star", "1"), ("Rated 4 out of 5", "4"), ("4/5", "4"), ("3星", "3")],
        *[
            ("★★★☆☆", "3"),
            ("4,5 of 5 bubbles", "4.5"),
            ("80 %", "80"),
            ("allstar40", "4"),
            ("five of them", "five of them"),
            (["a", "b"], "['a', 'b']"),
        ],
    ],
)
def test_one_value_has_one_text_however_a_table_stores_it(value, text):
    assert canonical(value) == text


@pytest.mark.parametrize(
    ("negative", "positive", "names"),
    [
        *[
            ((low,), (high,), ("negative", "positive"))
            for low, high in ("01", "12", "04", "15", ("-1", "1"), ("1", "10"))
        ],
        (("neg",), ("pos",), ("neg", "pos")),
        (("Negative", "NEGATIVE"), ("POSITIVE",), ("NEGATIVE", "POSITIVE")),
        (("差评",), ("好评",), ("差评", "好评")),
        (("False", "0"), ("True", "1"), ("negative", "positive")),
        (("no",), ("yes",), ("no", "yes")),
        (("Not Recommended",), ("Recommended",), ("Not Recommended", "Recommended")),
        (("👎",), ("👍",), ("👎", "👍")),
        (("-",), ("+",), ("-", "+")),
        (("Not-happy",), ("happy",), ("Not-happy", "happy")),
        (("ham",), ("spam",), ("ham", "spam")),
        (("4",), ("5",), ("4", "5")),
        (("很差", "较差"), ("推荐", "力荐"), ("negative", "positive")),
        (("One", "Two"), ("Four", "Five"), ("negative", "positive")),
        (("Terrible", "Poor"), ("Very good", "Excellent"), ("negative", "positive")),
        (("one star", "two stars"), ("four stars", "five stars"), ("negative", "positive")),
    ],
)
def test_two_classes_are_understood(negative, positive, names):
    labels = infer_label_mapping(dict.fromkeys((*positive, *negative), 5), None)
    assert labels.meaning == dict.fromkeys(negative, 0) | dict.fromkeys(positive, 1)
    assert labels.names == names


@pytest.mark.parametrize(
    ("values", "negative_max", "positive_min"),
    [
        (range(1, 6), 2, 4),
        ((1, 4, 5), 2, 4),
        ([half / 2 for half in range(1, 11)], 2, 4),
        (range(1, 11), 4, 7),
        (range(11), 4, 7),
        (range(0, 101, 5), 40, 60),
        (range(101), 40, 60),
        (range(10, 60, 10), 20, 40),
        (range(20, 101, 20), 40, 80),
        ((-1, -0.5, 0, 0.5, 1), -0.5, 0.5),
        ((0.5, 1, 1.5, 2, 2.5), 1, 2),
    ],
)
def test_ratings_are_read_by_their_own_scale(values, negative_max, positive_min):
    for value, number in meaning(*values).items():
        expected = 0 if float(value) <= negative_max else 1 if float(value) >= positive_min else LEFT_OUT
        assert number == expected, value


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ((-1, 0, 1), ("-1", "0", "1")),
        ((4, 2, 0), ("0", "2", "4")),
        (range(6), ("0", "1", "2", "3", "4", "5")),
        (range(100), tuple(map(str, range(100)))),
        (range(10), tuple(map(str, range(10)))),
        (("very positive", "positive", "very negative"), ("very negative", "positive", "very positive")),
        (("positive", "neutral", "negative"), ("negative", "neutral", "positive")),
        (("joy", "anger", "fear"), ("anger", "fear", "joy")),
        ((9, 1, 0), ("0", "1", "9")),
    ],
)
def test_other_values_are_classes_in_their_natural_order(values, names):
    counts = dict.fromkeys(map(str, values), 10)
    labels = infer_label_mapping(counts, None)
    assert labels.names == names
    assert [labels.meaning[name] for name in names] == list(range(len(names)))
    require_classes(labels.names, counts)


def test_each_rating_is_a_class_if_that_is_asked_for():
    labels = infer_label_mapping(dict.fromkeys("54321", 10), LabelParams(classes="all"))
    assert (labels.names, labels.meaning["4"]) == (("1", "2", "3", "4", "5"), 3)
    stars = infer_label_mapping(dict.fromkeys(["力荐", "很差", "还行"], 10), LabelParams(classes="all"))
    assert stars.names == ("很差", "还行", "力荐")


def test_more_than_a_hundred_classes_are_one_line():
    counts = {f"word {number}": 10 for number in range(101)}
    counts |= {"no": 12, "word 7": 11}
    setting = r"data\.own\.labels: \{classes: \[no, word 7, word 0\]\}"
    with pytest.raises(UserError, match=rf"102 different labels, more than 100; keep .*{setting}, or name another"):
        require_classes(infer_label_mapping(counts, None).names, counts)


def test_a_rare_third_value_is_no_typing_error():
    assert infer_label_mapping({"-1": 3, "0": 5, "1": 92}, None).names == ("-1", "0", "1")
    assert infer_label_mapping({"neg": 50, "pos": 48, "neutral": 2}, None).names == ("neg", "neutral", "pos")


@pytest.mark.parametrize(
    ("values", "wrong"), [({"pos": 50, "neg": 48, "psitive": 2}, "psitive"), ({"0": 99, "1": 100, "9": 1}, "9")]
)
def test_some_typing_errors_do_not_hide_what_the_others_mean(values, wrong):
    labels = infer_label_mapping(values, None)
    assert [value for value, number in labels.meaning.items() if number == UNKNOWN_LABEL] == [wrong]
    assert len(labels.names) == 2


@pytest.mark.parametrize(
    ("low", "high", "bounds"),
    [(0, 1, r"\{negative_max: 0.4, positive_min: 0.6\}"), (-1, 1, r"\{negative_max: -0.2, positive_min: 0.2\}")],
)
def test_a_continuous_score_needs_bounds_and_the_line_has_some(low, high, bounds):
    scores = [low + (high - low) * step / 37 for step in range(38)]
    with pytest.raises(UserError, match=f"labels: {bounds}$"):
        meaning(*map(canonical, scores))


def test_one_label_alone_is_one_line():
    with pytest.raises(UserError, match="all labels are 1; add reviews with another label"):
        require_classes(infer_label_mapping({"1": 9}, None).names, {"1": 9})


def test_each_table_is_read_by_its_own_scale():
    counts = {"shop": dict.fromkeys("12345", 8), "films": dict.fromkeys(map(str, range(1, 11)), 4)}
    labels = infer_of_tables(counts, {"shop": "shop", "films": "films"}, None)
    assert (labels["shop"].meaning["4"], labels["films"].meaning["4"]) == (1, 0)
    together = infer_of_tables(counts, {"shop": "", "films": ""}, None)
    assert together["shop"].meaning["4"] == 0


def test_tables_that_do_not_tell_alone_are_read_together():
    counts = {"good": {"4": 9, "5": 9}, "bad": {"1": 9, "2": 9}}
    labels = infer_of_tables(counts, {"good": "good", "bad": "bad"}, None)
    assert [labels["good"].meaning[value] for value in "1245"] == [0, 0, 1, 1]
    mixed = infer_of_tables({"a": {"0": 5, "1": 5}, "b": {"neg": 5, "pos": 5}}, {"a": "a", "b": "b"}, None)
    assert mixed["a"].names == mixed["b"].names == ("negative", "positive")


def test_what_the_user_says_holds_for_all_tables():
    counts = {"a": {"calm": 9, "Joy": 9}, "b": {"joy": 20, "anger": 9, "calm": 2}}
    labels = infer_of_tables(counts, {"a": "a", "b": "b"}, LabelParams(classes=["joy", "calm", "anger"]))
    assert labels["a"].names == labels["b"].names == ("joy", "calm", "anger")
    assert (labels["a"].meaning["Joy"], labels["b"].meaning["joy"]) == (0, 0)


def test_a_table_of_minus_one_alone_has_no_labels():
    counts = {"train": {"0": 9, "1": 9}, "unsupervised": {"-1": 50}}
    labels = infer_of_tables(counts, {"train": "", "unsupervised": ""}, None)
    assert labels["unsupervised"].meaning == {"-1": UNLABELLED}
    assert labels["train"].meaning == {"0": 0, "1": 1}


def test_what_the_user_says_counts():
    said = LabelParams(negative=["anger", "fear", False], positive=["joy", 1.0])
    assert meaning("joy", "FEAR", "1", "calm", "false", params=said) == {
        "joy": 1,
        "FEAR": 0,
        "1": 1,
        "calm": LEFT_OUT,
        "false": 0,
    }
    bounds = LabelParams(negative_max=2.5, positive_min=3.5)
    assert meaning("1", "3", "3.5", "x", params=bounds) == {"1": 0, "3": LEFT_OUT, "3.5": 1, "x": UNKNOWN_LABEL}
    sides = {bounded(str(number / 100), bounds) for number in range(500)}
    assert sorted(meaning(*sides, params=bounds).values()) == [LEFT_OUT, 0, 1]
    with pytest.raises(UserError, match="a value is both negative and positive"):
        meaning("1", params=LabelParams(negative=[0, 1], positive=["1.0"]))
