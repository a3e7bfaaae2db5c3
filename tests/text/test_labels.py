from collections import Counter

import pytest

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import LabelParams
from imdb_rnn.text.labels import LEFT_OUT, UNKNOWN_LABEL, canonical, infer_label_mapping


def of_stars(counts=(10, 10, 10, 10, 10)):
    return {str(star): count for star, count in enumerate(counts, 1)}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        (" 1.0 ", "1"),
        ("4.5", "4.5"),
        (True, "True"),
        (None, ""),
        (" Pos ", "Pos"),
        ("-1", "-1"),
        ("nan", "nan"),
        ("1e400", "1e400"),
        (float("nan"), "nan"),
        ("", ""),
    ],
)
def test_one_value_has_one_text_however_a_table_stores_it(value, text):
    assert canonical(value) == text


@pytest.mark.parametrize(
    ("negative", "positive", "names"),
    [
        ("0", "1", ("negative", "positive")),
        ("-1", "1", ("negative", "positive")),
        ("neg", "pos", ("neg", "pos")),
        ("Negative", "POSITIVE", ("Negative", "POSITIVE")),
        ("差评", "好评", ("差评", "好评")),
        ("False", "True", ("False", "True")),
    ],
)
def test_usual_values_are_understood(negative, positive, names):
    labels = infer_label_mapping({positive: 3, negative: 4}, None)
    assert (labels.meaning, labels.names) == ({positive: 1, negative: 0}, names)


def test_stars_and_imdb_s_ratings_are_understood():
    assert infer_label_mapping(of_stars(), None).meaning == {"1": 0, "2": 0, "3": LEFT_OUT, "4": 1, "5": 1}
    ratings = infer_label_mapping({str(rating): 1 for rating in range(1, 11)}, None).meaning
    assert [ratings[str(rating)] for rating in range(1, 11)] == [0] * 4 + [LEFT_OUT] * 2 + [1] * 4


@pytest.mark.parametrize("scale", [range(5), range(6), range(1, 8), range(1, 5), (0, 2, 4)])
def test_a_scale_whose_middle_is_not_known_is_not_guessed(scale):
    with pytest.raises(UserError, match="cannot tell which of these"):
        infer_label_mapping({str(value): 10 for value in scale}, None)


def test_what_the_user_says_is_compared_as_values_are():
    """YAML's `false` is Python's False, and a table's `false` is text."""
    said = LabelParams(negative=[False], positive=[True])
    assert infer_label_mapping({"false": 1, "TRUE": 1}, said).meaning == {"false": 0, "TRUE": 1}
    with pytest.raises(UserError, match="a value is both negative and positive"):
        infer_label_mapping({"1": 1}, LabelParams(negative=[0, 1], positive=["1.0"]))


def test_some_typing_errors_do_not_hide_what_the_others_mean():
    labels = infer_label_mapping({"pos": 50, "neg": 48, "psitive": 2}, None)
    assert labels.meaning == {"pos": 1, "neg": 0, "psitive": UNKNOWN_LABEL}
    for unclear in ({"pos": 50, "neg": 40, "mixed": 20}, {"0": 50, "1": 40, "9": 10}):
        with pytest.raises(UserError, match="these 3 label values"):
            infer_label_mapping(unclear, None)


def test_more_than_two_classes_are_one_line_that_shows_how_to_map_them():
    with pytest.raises(UserError) as caught:
        infer_label_mapping(Counter(["joy", "joy", "anger", "fear"]), None)
    text = str(caught.value)
    assert "these 3 label values are positive: joy, anger, fear;" in text
    assert "data.own.labels, for example {negative: [bad]" in text
    assert "\n" not in text


def test_what_the_user_says_counts():
    said = LabelParams(negative=["anger", "fear"], positive=["joy", 1.0])
    assert infer_label_mapping({"joy": 1, "fear": 1, "1": 1, "calm": 1}, said).meaning == {
        "joy": 1,
        "fear": 0,
        "1": 1,
        "calm": UNKNOWN_LABEL,
    }
    bounds = LabelParams(negative_max=2.5, positive_min=3.5)
    assert infer_label_mapping({"1": 1, "3": 1, "3.5": 1, "x": 1}, bounds).meaning == {
        "1": 0,
        "3": LEFT_OUT,
        "3.5": 1,
        "x": UNKNOWN_LABEL,
    }
