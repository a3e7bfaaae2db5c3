import re
from dataclasses import replace

import numpy as np
import pytest
import yaml
from material import HOSTILE, model_params, network_of

from imdb_rnn.core import frames
from imdb_rnn.core.params import TrainParams
from imdb_rnn.evaluation import behaviour, intervals, metrics, results, slices
from imdb_rnn.reporting.card import model_card
from imdb_rnn.reporting.texts import TESTS, in_language

TEST = {"reviews": 200, "negative": 90, "positive": 110, "words": 40000}
WORDS = {
    "en": "film is wonderful terrible good bad not never anything but nothing loved hated watched made brothers sister "
    "seen saw home place movie this great boring it the",
    "zh": "这 部 电 影 很 精 彩 好 看 糟 糕 无 聊 差 烂 不 没 有 喜 欢 讨 厌 拍 兄 弟 姐 家 发 生",
}


def network(source: str = "bundled", language: str | None = "en", description: str = "some reviews", **params):
    known = WORDS[language].split() if language else [f"word{rank}" for rank in range(20)]
    return replace(
        network_of(model_params(**{"cell": "gru"} | params), vocab_size=len(known) + 4),
        vocabulary=known,
        tokenizer="char" if language == "zh" else "word",
        provenance={"source": source, "description": description, "test": TEST},
    )


def scores(classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    y = np.tile(np.arange(classes), 200)[:200]
    return y, random.normal(2 * y - 1, 1) if classes == 2 else random.normal(2 * np.eye(classes)[y], 1)


def linear(logits: np.ndarray) -> np.ndarray:
    """Those of a model that is wrong at every fourth review."""
    return np.where((np.arange(200) % 4 == 0).reshape(-1, *[1] * (logits.ndim - 1)), -logits, logits)


def card(of, tmp_path, language="en", half_life: float | None = 26.2, validation=True, apart=None, **train) -> str:
    y, logits = scores(len(of.labels))
    of_test = metrics.scores(y, logits)
    found = {name: interval and list(interval) for name, interval in intervals.of_scores(y, logits).items()}
    of_validation = of_test if validation else None
    beside = metrics.beside_baseline(y, logits, linear(logits))
    beside["above_baseline_interval"] = apart or beside["above_baseline_interval"]
    measured = results.Metrics(best_epoch=3, test=of_test, test_intervals=found, validation=of_validation, **beside)
    frames.write_csv(tmp_path / "classes.csv", metrics.classes(y, logits, of.labels))
    frames.write_csv(tmp_path / "slices.csv", slices.measure(y, logits, np.arange(200) * 3 + 1, np.zeros(200)))
    frames.write_csv(tmp_path / "behaviour.csv", behaviour.measure(of))
    return model_card(
        of,
        TrainParams(**train),
        measured,
        half_life,
        results.read_rows(results.ClassScores, tmp_path / "classes.csv", "evaluate"),
        results.read_rows(results.Slice, tmp_path / "slices.csv", "evaluate"),
        results.read_rows(results.Behaviour, tmp_path / "behaviour.csv", "evaluate"),
        language,
    )


def metadata(text: str) -> dict:
    start, block, _ = text.split("---\n", 2)
    assert start == ""
    return yaml.safe_load(block)


def tables(text: str) -> list[list[list[str]]]:
    """The cells of each table."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    return [[re.split(r" (?<!\\)\| ", line[2:-2]) for line in table.splitlines()] for table in found]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_metadata_is_what_hugging_face_reads(tmp_path, language):
    values = metadata(card(network(), tmp_path, language))
    assert values["license"] == "mit"
    assert values["language"] == ["en"]
    assert values["library_name"] == "keras"
    assert values["pipeline_tag"] == "text-classification"
    assert values["datasets"] == ["stanfordnlp/imdb"]
    (model,) = values["model-index"]
    (result,) = model["results"]
    assert result["task"]["type"] == "text-classification"
    assert result["dataset"]["type"] == "stanfordnlp/imdb"
    assert "200 training reviews set aside" in result["dataset"]["name"]
    assert "split" not in result["dataset"], "the reviews are none of that data set's test reviews"
    expected = metrics.scores(*scores())
    assert {score["type"]: score["value"] for score in result["metrics"]} == {
        name: expected[name] for name in values["metrics"]
    }
    assert "accuracy" in values["metrics"]


def test_a_data_set_of_one_s_own_has_no_licence_from_here_and_no_name_of_hugging_face(tmp_path):
    values = metadata(card(network("own", None), tmp_path))
    assert not {"license", "datasets", "language"} & set(values)
    assert values["model-index"][0]["results"][0]["dataset"] == {"type": "own", "name": "some reviews"}
    assert metadata(card(network("keras"), tmp_path))["model-index"][0]["results"][0]["dataset"]["split"] == "test"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("of_reviews", ["en", "zh", None])
def test_every_part_of_a_card_is_filled_in(tmp_path, language, of_reviews):
    text = card(network(language=of_reviews), tmp_path, language)
    assert "${" not in text
    assert "None" not in text.replace("session.run(None,", "")
    assert "nan" not in re.findall(r"[a-z]+", text)
    shown = tables(text)
    assert len(shown) == (5 if of_reviews else 4)
    for table in shown:
        assert len(table) > 2
        assert len({len(row) for row in table}) == 1
    if of_reviews:
        names, tests = in_language(TESTS, language), {row[1] for row in shown[-2][2:]}
        assert {names["plain_positive"], names["neutral"]} <= tests
    assert ("这部电影" in text.split("console")[1][:80]) == (of_reviews == "zh")
    assert text == card(network(language=of_reviews), tmp_path, language)


def test_the_numbers_are_those_of_the_run(tmp_path):
    text = card(network(), tmp_path)
    y, logits = scores()
    low, high = intervals.of_scores(y, logits)["accuracy"]
    accuracy = metrics.scores(y, logits)["accuracy"]
    of_linear = metrics.scores(y, linear(logits))["accuracy"]
    assert f"| accuracy | {accuracy:.4f} | {low:.3f} to {high:.3f} | {of_linear:.4f} | {accuracy:.4f} |" in text
    assert "accuracy of 0.500. The network's accuracy is higher than the linear model's by 0." in text
    assert "26 words before the end" in text
    assert "| train.learning_rate | 0.001 |" in text
    assert "| train.clipnorm | 1.0 |\n| train.class_weight | null |" in text
    assert "| pad.padding | pre |" in text
    assert "| test.positive | 110 |" in text
    assert "Keras `GRU`, " in text
    both = card(network(cell="lstm", bidirectional=True, ngrams=2), tmp_path)
    assert "Keras `Bidirectional(LSTM)` and a linear model on n-grams, " in both
    without = card(network(), tmp_path, half_life=None, validation=False)
    assert f"| accuracy | {accuracy:.4f} | {low:.3f} to {high:.3f} | {of_linear:.4f} |\n" in without
    assert "words before the end" not in without


@pytest.mark.parametrize(
    ("apart", "en", "zh"),
    [
        ([0.002, 0.031], "higher than the linear model's by 0.002 to 0.031.", "比线性模型高 0.002 到 0.031。"),
        ([-0.004, 0.031], "is between −0.004 and 0.031.", "在 −0.004 到 0.031 之间。"),
        ([-0.0001, 0.031], "is between 0.000 and 0.031.", "在 0.000 到 0.031 之间。"),
        ([-0.075, -0.054], "The linear model is better, by 0.054 to 0.075:", "线性模型的准确率高出 0.054 到 0.075："),
    ],
)
def test_a_card_says_which_model_is_better_and_by_how_much(tmp_path, apart, en, zh):
    assert en in card(network(), tmp_path, apart=apart)
    assert zh in card(network(), tmp_path, "zh", apart=apart)


def test_a_card_says_if_the_n_grams_decide_alone(tmp_path):
    of = network(ngrams=2)
    silent = replace(of, weights=of.weights._replace(head_kernel=0 * of.weights.head_kernel))
    for half_life in (None, 26.2):
        assert "- The network has no influence on the answers" in card(silent, tmp_path, half_life=half_life)
        assert "no influence" not in card(of, tmp_path, half_life=half_life)


@pytest.mark.parametrize(
    ("rule", "en", "zh"),
    [
        (None, " 0.83.\n", "概率高于 0.83 的评论判为“positive”。\n"),
        ("f1", "for the highest `f1`; with", "按 `f1` 最高选定的；"),
        ({"precision": 0.9}, "for a precision of at least 0.9; with", "按精确率不低于 0.9 选定的；"),
    ],
)
def test_a_card_says_the_threshold_and_what_it_was_chosen_for(tmp_path, rule, en, zh):
    of = replace(network(), threshold=0.83)
    text = card(of, tmp_path, folds=3, threshold=rule)
    assert "A review counts as\n“positive” where the probability is above 0.83" in text
    assert en in text
    assert zh in card(of, tmp_path, "zh", folds=3, threshold=rule)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_of_more_classes_each_is_in_a_table(tmp_path, language):
    labels = ("negative", "neutral | mixed", "positive")
    of = replace(network(), **vars(network_of(model_params(cell="gru"), 24, classes=3)) | {"labels": labels})
    of = replace(of, vocabulary=network().vocabulary, provenance=network().provenance)
    text = card(of, tmp_path, language)
    assert r"negative, neutral \| mixed, positive" in text.split("##")[0]
    by_class = tables(text)[2][2:]
    assert [row[:2] for row in by_class] == [["negative", "67"], [r"neutral \| mixed", "67"], ["positive", "66"]]
    assert ("negative alone" in text) == (language == "en")
    assert {score["type"] for score in metadata(text)["model-index"][0]["results"][0]["metrics"]} == {
        "accuracy",
        "f1",
        "roc_auc",
    }
    assert "sentiment-analysis" in metadata(text)["tags"]
    text = card(replace(of, labels=("a", "b", "c")), tmp_path, language)
    assert "sentiment" not in text.split("---\n")[1].casefold(), "of news by topic"
    assert ("No test was run: no classes are named positive" in text) == (language == "en")


def test_the_limits_name_what_the_network_fails(tmp_path):
    of = network()
    table = behaviour.measure(of).set_index("test")
    failed = list(table.index[table["pass_rate"] <= 0.5])
    assert 0 < len(failed) < len(table)
    (line,) = [line for line in card(of, tmp_path).splitlines() if line.startswith("- It fails at least half")]
    assert (
        line == f"- It fails at least half of the cases of these tests: {'; '.join(TESTS[test][0] for test in failed)}."
    )


def test_text_from_outside_is_no_markup(tmp_path):
    hostile = f"a | b `c` [d](e) *f* ${{cell}} & \\ {HOSTILE}"
    of = replace(network("own", description=hostile), labels=(hostile, "up\n# down"))
    text = card(of, tmp_path)
    body = text.split("---\n", 2)[2]
    assert "<" not in re.sub(r"(?<=\n)```.*?```", "", body, flags=re.DOTALL)
    assert "\n# down" not in text
    (row,) = [row for row in tables(body)[0] if row[0] == "description"]
    assert len(row) == 2
    assert metadata(text)["model-index"][0]["results"][0]["dataset"]["name"] == hostile


def test_the_reviews_of_many_labels_are_counted_in_one_line(tmp_path):
    of = network_of(model_params(), classes=12)
    counts = {"reviews": 24, "labels": dict.fromkeys(of.labels, 2)}
    of = replace(of, provenance={"source": "own", "description": "mine", "test": counts})
    (row,) = [row for table in tables(card(of, tmp_path)) for row in table if row[0].startswith("test.labels")]
    assert row[1].split(", ") == [f"{label}: 2" for label in of.labels]
