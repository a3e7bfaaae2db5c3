from pathlib import Path

import pytest

from imdb_rnn.core.errors import UserError
from imdb_rnn.text import columns

REVIEW = "a dull film that is longer than it should be, scene {}"
KINDS = {  # of cells, by the number of the row
    "text": REVIEW.format,
    "中文": "第{}场看得很高兴，演员也很好".format,
    "title": "scene {}".format,
    "binary": lambda row: str(row % 2),
    "spam": lambda row: ("ham", "spam")[row % 2],
    "stars": lambda row: str(row % 5 + 1),
    "moods": lambda row: ("negative", "neutral", "positive")[row % 3],
    "score": lambda row: str(row / 7),
    "number": str,
    "user": "user{}".format,
    "date": "Mon Apr 0{} 22:19:45 PDT 2009".format,
    "same": lambda row: "Video",
    "split": lambda row: ("train", "test")[row % 2],
    "empty": lambda row: "",
    "address": "https://example.org/a/very/long/path/of/the/film/with-many-words-in-it/{}/index.html".format,
}


def recognise(table):
    """The text column and the label column of a table, given as `name: kind of cells`."""
    rows = [{name: KINDS[kind](row) for name, kind in table.items()} for row in range(60)]
    text, _ = columns.find_text([*table], rows, "own.csv", "data.own.text_columns")
    label, _ = columns.find_label([*table], rows, [text], "own.csv")
    return text, label


@pytest.mark.parametrize(
    ("text", "label", "others"),
    [
        ("Review Text", "Rating", {"": "number", "Title": "title", "Recommended IND": "binary", "Class Name": "same"}),
        ("reviewText", "overall", {"summary": "title", "reviewerID": "user", "reviewTime": "number"}),
        ("review_body", "star_rating", {"review_headline": "title", "review_date": "date", "vine": "binary"}),
        ("verified_reviews", "rating", {"date": "date", "variation": "same", "feedback": "binary"}),
        ("content", "score", {"reviewId": "user", "thumbsUpCount": "number", "replyContent": "empty"}),
        ("OriginalTweet", "Sentiment", {"UserName": "number", "Location": "same"}),
        ("reviews.text", "reviews.rating", {"reviews.title": "title", "reviews.doRecommend": "binary"}),
        ("Description", "Class Index", {"Title": "title"}),
        ("comment", "rating", {"rating_service": "stars", "rating_flavor": "stars"}),
        ("review", "recommendation", {"is_early_access_review": "binary", "title": "title"}),
        (" Text ", "LABEL", {"id": "number"}),
    ],
)
def test_columns_are_found_by_the_names_people_use(text, label, others):
    assert recognise({**others, text: "text", label: "stars"}) == (text, label)
    assert recognise({label: "stars", text: "text", **others}) == (text, label)


@pytest.mark.parametrize(
    ("text", "label"), [("评论内容", "星级评分"), ("微博中文内容", "情感倾向"), ("评价内容", "评价"), ("评价", "标签")]
)
def test_chinese_names_are_found(text, label):
    assert recognise({"编号": "number", text: "中文", label: "moods", "商品": "same"}) == (text, label)


def test_a_qualified_name_is_not_the_thing_itself():
    table = {
        "airline_sentiment_confidence": "score",
        "airline_sentiment": "moods",
        "text": "text",
        "negativereason": "empty",
    }
    assert recognise(table) == ("text", "airline_sentiment")


@pytest.mark.parametrize(
    "table",
    [
        {"v1": "spam", "v2": "text", "column 3": "empty"},
        {"v2": "text", "v1": "stars"},
        {"column 1": "binary", "column 2": "title", "column 3": "text"},
        {
            "column 1": "binary",
            "column 2": "number",
            "column 3": "date",
            "column 4": "same",
            "column 5": "user",
            "column 6": "text",
        },
        {"column 1": "split", "column 2": "moods", "column 3": "text"},
        {"a": "moods", "b": "中文", "c": "user"},
        {"link": "address", "opinion": "text", "verdict": "spam"},
    ],
)
def test_without_names_the_content_tells(table):
    text, label = recognise(table)
    assert table[text] in ("text", "中文")
    assert table[label] in ("spam", "stars", "binary", "moods")


def test_content_does_not_overrule_a_clear_name():
    assert recognise({"text": "binary", "notes": "text", "label": "score", "kind": "binary"}) == ("text", "label")


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (
            {"text": "text", "review": "text", "label": "binary"},
            r"candidates: text, review\); .*text_columns: \[text\]",
        ),
        ({"a": "text", "b": "text"}, r"as the text \(candidates: a, b\)"),
        ({"text": "text", "stars": "stars", "label": "binary"}, r"candidates: stars, label\); .*label_column: stars$"),
        ({"text": "text", "toxic": "binary", "insult": "binary"}, r"as the label \(candidates: toxic, insult\)"),
    ],
)
def test_equally_good_columns_are_not_guessed(table, line):
    with pytest.raises(UserError, match=f"^own.csv: cannot tell which column to use .*{line}"):
        recognise(table)


def test_names_alike_are_told_apart_by_content():
    assert recognise({"reviews": "number", "review": "text", "label": "binary"}) == ("review", "label")
    assert recognise({"text": "text", "score": "same", "rating": "stars"}) == ("text", "rating")


def test_no_column_is_empty():
    with pytest.raises(
        columns.NoColumnError, match=r"as the text \(columns: id, same\); name it in data.own.text_columns$"
    ):
        recognise({"id": "number", "same": "same"})
    assert recognise({"text": "text", "id": "number"}) == ("text", "")


def test_a_line_stays_readable_however_many_columns_there_are():
    many = [f"column\n{number}" for number in range(10_000)]
    line = str(columns.unclear("own.csv", "text", [], many, "--text-column"))
    assert "cannot tell which column to use as the text (columns: column 0, column 1" in line
    assert "\n" not in line
    assert len(line) < 300


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [("split", "split", True), ("data_set", "split", True), ("fold", "number", False), ("a", "split", False)],
)
def test_a_column_of_parts_is_found_by_name_and_values(name, kind, found):
    assert columns.find_split([name], [{name: KINDS[kind](row)} for row in range(9)]) == (name if found else "")


def test_a_column_of_groups_is_named():
    assert columns.find_group(["text", "Product ID", "label"]) == "Product ID"
    assert columns.find_group(["text", "label"]) == ""


def test_a_column_that_is_not_there_is_named():
    columns.require(["text", "label"], ["label"], Path("own.csv"))
    with pytest.raises(UserError, match=r"own\.csv has no column 'film'; it has text, label"):
        columns.require(["text", "label"], ["text", "film"], Path("own.csv"))
