"""Layouts in which public review tables come, each written here in few rows, put into data/own and read.

Thirty are read as they are. Of the others the message names one setting, which is written into params.yaml as it stands
there; then they are read too. What is read is compared with what was written: texts, labels and split.
"""

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from material import ROOT, as_lists

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import parse_params, parse_yaml
from imdb_rnn.core.presets import editor
from imdb_rnn.text.corpus import Corpus, Reviews
from imdb_rnn.text.sources import SOURCES
from imdb_rnn.text.vocabulary import characters, tokenize

Texts = list[tuple[str, int]]  # with the number of the label

BAD = ("dull and far too long", "nobody in it, nothing about it, is funny", 'they call it "a hit": it is not')
BAD += ("we left; half of the others did too", "I don’t recommend it to anybody")
GOOD = ("warm and clever to the end", "the cast, the music, the light: all right", '"bravo" is what we said')
GOOD += ("we stayed; so did all the others", "it’s the film that I tell everybody about")


def in_turns(bad: Sequence[str], good: Sequence[str], end: str) -> Texts:
    return [(side[n % len(side)] + end.format(n), label) for n in range(10) for label, side in enumerate((bad, good))]


ENGLISH = in_turns(BAD, GOOD, " from seat {}")
CHINESE = in_turns(["剧情拖沓，演员很差"], ["“很好看”！演员很棒"], "，第{}场")
LATIN = [(text.replace("’", "'") + " in a café", label) for text, label in ENGLISH]
HTML = [(f"{text}.<br /><br />The end.", label) for text, label in ENGLISH]
TWEETS = [(f"@air {text}", 2 * label) for text, label in ENGLISH] + [(f"@air is half so {n}", 1) for n in range(10)]
WEIBO = [(text, 2 * label) for text, label in CHINESE] + [(f"今天没看电影{n}", 1) for n in range(10)]
ESCAPED = [(f"{text}.\\nIndeed", label) for text, label in ENGLISH]
TRAIN, TEST = slice(0, 14), slice(14, 20)
TEXT, LABEL, N = "<text>", "<label>", "<n>"
STARS, SCALE, WORDS = ((1, 2), (4, 5)), ((1, 3), (8, 10)), ("negative", "positive")
FEELINGS, SCORES = (
    ("negative", "neutral", "positive"),
    [tuple(n / 40 + side for n in range(5, 15)) for side in (-0.5, 0.1)],
)


def rows(cells: Sequence[Any], texts: Texts = ENGLISH, labels: Sequence = (0, 1), between: object = None) -> list[list]:
    """A row for each text, and if there is a label between the two, some rows with that."""
    sides = [label if isinstance(label, tuple) else (label,) for label in labels]
    found = [(text, sides[label][n // 2 % len(sides[label])]) for n, (text, label) in enumerate(texts)]
    if between is not None:
        found[5:5] = [(f"{texts[0][0][:9]} {n}", between) for n in range(6)]
    return [
        [{TEXT: text, LABEL: label, N: n}.get(cell, cell) if isinstance(cell, str) else cell for cell in cells]
        for n, (text, label) in enumerate(found)
    ]


def separated(header: str, made: list[list], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    """Delimited text; without a header if that is empty."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=quoting).writerows(made)
    return (header + "\n" if header else "") + file.getvalue()


def unquoted(header: str, made: list[list]) -> str:
    """Tab-separated text in which a quote is a letter."""
    return "".join("\t".join(map(str, row)) + "\n" for row in [[header]] * bool(header) + made)


def json_lines(header: str, made: list[list]) -> str:
    return "".join(json.dumps(dict(zip(header.split(), row, strict=True))) + "\n" for row in made)


def parquet(texts: Texts, labels: Sequence[int] = (0, 1)) -> bytes:
    file = io.BytesIO()
    pd.DataFrame(rows([TEXT, LABEL], texts, labels), columns=["text", "label"]).to_parquet(file)
    return file.getvalue()


def excel() -> bytes:
    file = io.BytesIO()
    table = pd.DataFrame(rows([N, TEXT, LABEL], ENGLISH, WORDS), columns=["No.", "Review", "Sentiment"])
    table.to_excel(file, index=False, engine="xlsxwriter")
    return file.getvalue()


def zipped(name: str, text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return file.getvalue()


def imdb_folders() -> dict[str, str]:
    found = {"README": "Large Movie Review Dataset\n", "train/unsup/0_0.txt": "a film that nobody rated"}
    for part, texts in (("train", HTML[TRAIN]), ("test", HTML[TEST])):
        found[f"{part}/urls_pos.txt"] = "http://example.org/title/1\n"
        for n, (text, label) in enumerate(texts):
            found[f"{part}/{('neg', 'pos')[label]}/{n}_{(3, 8)[label]}.txt"] = text
    return found


class Layout(NamedTuple):
    """files: by name below data/own; texts: what they hold; is_split: into train and test by the files."""

    files: dict[str, str | bytes]
    texts: Texts = ENGLISH
    is_split: bool = False
    needs_a_setting: bool = False


KAGGLE = separated("review,sentiment", rows([TEXT, LABEL], HTML, WORDS))
QUOTED = [('"' + text.replace('"', '\\"') + '"', label) for text, label in ENGLISH]
SST = ("sentence\tlabel", [TEXT, LABEL])
PLAY = (
    "Package Name,App Version Code,Reviewer Language,Device,Star Rating,Review Title,Review Text,Developer Reply Text"
)
CLOTHES = ",Clothing ID,Age,Title,Review Text,Rating,Recommended IND,Positive Feedback Count,Division Name,Class Name"
AMAZON = "marketplace customer_id review_id product_title star_rating vine review_headline review_body review_date"
OLD_AMAZON = "reviewerID asin reviewerName helpful reviewText overall summary unixReviewTime reviewTime"
AIRLINE = "tweet_id,airline_sentiment,airline_sentiment_confidence,negativereason,airline,name,retweet_count,text"
DOUBAN = "ID,Movie_Name_EN,Movie_Name_CN,Crawl_Date,Number,Username,Date,Star,Comment,Like"
DRUGS = "\tdrugName\tcondition\treview\trating\tdate\tusefulCount"


def drugs(texts: Texts) -> str:
    cells = [N, "Aspirin", "Pain", TEXT, LABEL, "May 20, 2012", N]
    return separated(DRUGS, rows(cells, [(f'"{text}"', label) for text, label in texts], SCALE, 5), "\t")


def yelp(texts: Texts) -> str:
    return separated("", rows([LABEL, TEXT], texts, (1, 2)), quoting=csv.QUOTE_ALL)


LAYOUTS = {
    "Kaggle's IMDB Dataset": Layout({"IMDB Dataset.csv": KAGGLE}, HTML),
    "Kaggle's labeledTrainData": Layout(
        {"labeledTrainData.tsv": unquoted("id\tsentiment\treview", rows(['"5814_8"', LABEL, TEXT], QUOTED))}
    ),
    "GLUE's SST-2": Layout(
        {
            "SST-2/train.tsv": unquoted(SST[0], rows(SST[1], ENGLISH[TRAIN])),
            "SST-2/dev.tsv": unquoted(SST[0], rows(SST[1], ENGLISH[TEST])),
            "SST-2/test.tsv": unquoted("index\tsentence", rows([N, TEXT], [("who knows", 0)] * 6)),
        },
        is_split=True,
    ),
    "Amazon's reviews": Layout(
        {
            "amazon_reviews_us_Video_v1_00.tsv": unquoted(
                AMAZON.replace(" ", "\t"),
                rows(["US", N, "R1", 'Film (5" disc)', LABEL, "N", "Headline", TEXT, "2015-08-31"], ENGLISH, STARS, 3),
            )
        }
    ),
    "Amazon's reviews of 2014": Layout(
        {
            "reviews_Musical_Instruments_5.json": json_lines(
                OLD_AMAZON,
                rows(
                    ["A1", "B1", "Li", [0, N], TEXT, LABEL, "So", 13, "02 28, 2014"],
                    ENGLISH,
                    ((1.0, 2.0), (4.0, 5.0)),
                    3,
                ),
            )
        }
    ),
    "a JSON array": Layout(
        {"reviews.json": json.dumps([{"text": text, "label": WORDS[label]} for text, label in ENGLISH], indent=1)}
    ),
    "Sentiment140": Layout(
        {
            "training.1600000.processed.noemoticon.csv": separated(
                "", rows([LABEL, N, "Mon Apr 06 22:19", "NO_QUERY", "user", TEXT], LATIN, (0, 4)), quoting=csv.QUOTE_ALL
            ).encode("latin-1")
        },
        LATIN,
    ),
    "Yelp's polarity": Layout(
        {"train.csv": yelp(ESCAPED[TRAIN]), "test.csv": yelp(ESCAPED[TEST])}, ESCAPED, is_split=True
    ),
    "UCI's sentences": Layout(
        {
            "imdb_labelled.txt": unquoted("", rows([TEXT, LABEL], [(f"{text}  ", label) for text, label in ENGLISH])),
            "readme.txt": "Sentences with the labels 0 and 1.\n",
        }
    ),
    "fastText": Layout({"train.ft.txt": "".join(f"__label__{label + 1} {text}\n" for text, label in ENGLISH)}),
    "rt-polarity": Layout(
        {
            f"rt-polarity.{name}": "".join(f"{text}\n" for text, label in LATIN if label == side).encode("latin-1")
            for side, name in enumerate(("neg", "pos"))
        },
        LATIN,
    ),
    "Kaggle's spam": Layout(
        {"spam.csv": separated("v1,v2,,,", rows([LABEL, TEXT, "", "", ""], LATIN, ("ham", "spam"))).encode("latin-1")},
        LATIN,
    ),
    "Women's clothing": Layout(
        {
            "Womens Clothing E-Commerce Reviews.csv": separated(
                CLOTHES,
                [
                    [91, 700, 40, "", "", 5, 1, 0, "General", "Knits"],
                    *rows([N, 700, 33, "", TEXT, LABEL, 1, 0, "General", "Knits"], ENGLISH, STARS, 3),
                ],
            )
        }
    ),
    "Amazon's Alexa": Layout(
        {
            "amazon_alexa.tsv": separated(
                "rating\tdate\tvariation\tverified_reviews\tfeedback",
                rows([LABEL, "31-Jul-18", "Charcoal Fabric", TEXT, 1], ENGLISH, STARS, 3),
                "\t",
            )
        }
    ),
    "Google Play": Layout(
        {
            "reviews_org.example.app_202401.csv": separated(
                PLAY,
                [["org.example.app", 7, "en", "pixel", 5, "", "", ""]] * 12
                + rows(["org.example.app", 7, "en", "pixel", LABEL, "", TEXT, ""], ENGLISH, STARS, 3),
            ).encode("utf-16")
        }
    ),
    "tweets about airlines": Layout(
        {"Tweets.csv": separated(AIRLINE, rows([N, LABEL, 1.0, "", "Air", "Li", 0, TEXT], TWEETS, FEELINGS))},
        TWEETS,
    ),
    "ChnSentiCorp": Layout(
        {"ChnSentiCorp_htl_all.csv": separated("label,review", [*rows([LABEL, TEXT], CHINESE), [1, ""]])}, CHINESE
    ),
    "Weibo": Layout(
        {
            "nCoV_100k_train.labled.csv": separated(
                "微博id,微博发布时间,发布人账号,微博中文内容,微博图片,微博视频,情感倾向",
                rows([N, "01月01日 23:50", "用户", TEXT, "[]", "[]", LABEL], WEIBO, (-1, 0, 1)),
            ).encode("gb18030")
        },
        WEIBO,
    ),
    "Douban": Layout(
        {
            "DMSC.csv": separated(
                DOUBAN,
                rows(
                    [N, "Film", "电影", "2017-01-22", N, "用户", "2015-05-13", LABEL, TEXT, 10],
                    [(f" {text}", label) for text, label in CHINESE],
                    STARS,
                    3,
                ),
            )
        },
        CHINESE,
    ),
    "doccano": Layout(
        {"all.jsonl": json_lines("id text label Comments", rows([N, TEXT, LABEL, None], ENGLISH, (["neg"], ["pos"])))}
    ),
    "spaCy": Layout(
        {
            "textcat.jsonl": json_lines(
                "text cats", rows([TEXT, LABEL], ENGLISH, [{"POSITIVE": p, "NEGATIVE": 1 - p} for p in (0.0, 1.0)])
            )
        }
    ),
    "Hugging Face's IMDb": Layout(
        {
            "train-00000-of-00002.parquet": parquet(ENGLISH[:8]),
            "train-00001-of-00002.parquet": parquet(ENGLISH[8:14]),
            "test-00000-of-00001.parquet": parquet(ENGLISH[TEST]),
            "unsupervised-00000-of-00001.parquet": parquet([("a film that nobody rated", 0)] * 6, (-1, -1)),
        },
        is_split=True,
    ),
    "Excel with semicolons": Layout(
        {
            "Kritiken.csv": separated("Titel;Text;Label", rows(["Kritik", TEXT, LABEL]), ";")
            .replace("\n", "\r\n")
            .encode("utf-8-sig")
        }
    ),
    "Excel": Layout({"reviews.xlsx": excel()}),
    "an archive": Layout({"IMDB Dataset.csv.zip": zipped("IMDB Dataset.csv", KAGGLE)}, HTML),
    "gzip named .csv": Layout({"reviews.csv": gzip.compress(KAGGLE.encode())}, HTML),
    "Steam": Layout(
        {
            "steam_reviews.csv": separated(
                "app_id,app_name,review_text,review_score,review_votes",
                rows([10, "Game", TEXT, LABEL, 0], labels=(-1, 1)),
            )
        }
    ),
    "drugsCom": Layout(
        {"drugsComTrain_raw.tsv": drugs(ENGLISH[TRAIN]), "drugsComTest_raw.tsv": drugs(ENGLISH[TEST])}, is_split=True
    ),
    "IMDb's folders": Layout(dict(imdb_folders()), HTML, is_split=True),
    "scores from -1 to 1": Layout(
        {"scored.csv": separated("text,polarity", rows([TEXT, LABEL], ENGLISH, SCORES))}, needs_a_setting=True
    ),
    "an app store": Layout(
        {
            "评论导出.csv": separated(
                "用户昵称,评分星级,评论标题,评论内容,版本号,评论时间",
                rows(
                    ["用户", LABEL, "标题", TEXT, "1.0.2", "2024年1月2日"],
                    CHINESE,
                    (("1星", "2星"), ("4星", "5星")),
                    "3星",
                ),
            )
        },
        CHINESE,
    ),
}


def read(folder: Path, settings: dict[str, object]) -> Corpus:
    """What the stage `download` gets with data.source: own and other settings, written into params.yaml."""
    yaml_file, text = editor(), io.StringIO()
    document = yaml_file.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for key, value in {"data.source": "own", **settings}.items():
        *groups, name = key.split(".")
        place = document
        for group in groups:
            place = place[group]
        place[name] = value
    yaml_file.dump(document, text)
    params = parse_params(text.getvalue())
    return SOURCES[params.data.source](params.data.of_source(), folder, params.data.tokenizer)


def setting_of(message: str) -> dict[str, object]:
    """The setting that a message names, with its value."""
    key, value = re.search(r"\b(data(?:\.\w+)+): (\{.*?\}|\[.*?\]|\"[^\"]*\"|[^,;()]+)", message).groups()
    return {key: parse_yaml(value, Path("the message"))}


def words_of(corpus: Corpus, reviews: Reviews) -> list[tuple[str, int]]:
    words = [" ".join(corpus.vocabulary[rank - 1] if rank else "?" for rank in row) for row in as_lists(reviews)]
    return sorted(zip(words, reviews.labels.tolist(), strict=True))


def words_in(texts: Texts, split: Callable[[str], list[str]], known: set[str]) -> list[tuple[str, int]]:
    return sorted((" ".join(word if word in known else "?" for word in split(text)), label) for text, label in texts)


def last_fifths(texts: Texts) -> Texts:
    """The last fifth of each label, which is the test set where the files do not split."""
    by_label = [[row for row in texts if row[1] == label] for label in range(3)]
    return [row for rows_of_label in by_label for row in rows_of_label[len(rows_of_label) - len(rows_of_label) // 5 :]]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_public_layout_is_read(name, tmp_path):
    layout = LAYOUTS[name]
    for file, content in layout.files.items():
        (tmp_path / "data/own" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data/own" / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = {}
    if layout.needs_a_setting:
        with pytest.raises(UserError) as error:
            read(tmp_path, settings)
        settings = setting_of(str(error.value))
    corpus = read(tmp_path, settings)
    test = layout.texts[TEST] if layout.is_split else [row for row in layout.texts if row in last_fifths(layout.texts)]
    train = [row for row in layout.texts if row not in test]
    split, known = characters if layout.texts[0][0] > "一" else tokenize, set(corpus.vocabulary)
    assert words_of(corpus, corpus.train) == words_in(train, split, known)
    assert words_of(corpus, corpus.test) == words_in(test, split, known)


def test_at_least_30_public_layouts_need_no_setting():
    assert sum(not layout.needs_a_setting for layout in LAYOUTS.values()) >= 30
