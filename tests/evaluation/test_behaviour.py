from collections.abc import Callable, Iterable
from dataclasses import fields, replace

import numpy as np
import pytest
from material import model_params, network_of

from imdb_rnn.core import frames
from imdb_rnn.evaluation import behaviour, intervals
from imdb_rnn.evaluation.results import Behaviour, read_rows
from imdb_rnn.model import Model
from imdb_rnn.text.vocabulary import get_tokenizer, words_of_ids


def known(phrases: object, tokenizer: str = "word") -> list[str]:
    """Every token of the phrases of a language, each once."""
    if isinstance(phrases, str):
        return get_tokenizer(tokenizer)(phrases)
    return sorted({token for part in phrases if part for token in known(part, tokenizer)})


def network_by(rule: Callable[[list[str]], float], vocabulary: Iterable[str], tokenizer: str = "word") -> Model:
    """A network whose probability is what `rule` gives for the words that it reads."""
    vocabulary = list(vocabulary)
    network = network_of(model_params(), vocab_size=len(vocabulary) + 4, maxlen=500)
    network = replace(network, vocabulary=vocabulary, tokenizer=tokenizer)

    class ByRule(Model):
        def predict_proba(self, texts):
            ids = self.encode(texts)
            return np.array([rule(words_of_ids(ids[row].tolist(), self.vocabulary)) for row in range(len(ids))])

    return ByRule(*(getattr(network, field.name) for field in fields(Model)))


def pass_rates(rule: Callable[[list[str]], float], threshold: float = 0.5) -> dict[str, float]:
    """The pass rate of each English test."""
    network = replace(network_by(rule, known(behaviour.ENGLISH)), threshold=threshold)
    return behaviour.as_metrics(behaviour.measure(network))["behaviour"]


def balance(words: list[str]) -> int:
    """Words of praise minus words of criticism."""
    english = behaviour.ENGLISH
    praise = {*english.good, *english.good_to_negate, english.loved}
    criticism = {*english.bad, *english.bad_to_negate, english.hated}
    return sum(word in praise for word in words) - sum(word in criticism for word in words)


@pytest.mark.parametrize(
    "labels", [("negative", "neutral", "positive"), ("Positive", "other", "NEGATIVE"), ("a", "b", "c")]
)
def test_of_more_classes_positive_is_compared_with_negative_alone(labels):
    of_two = network_by(lambda words: 0.5 + 0.2 * np.sign(balance(words)), known(behaviour.ENGLISH))

    class OfThree(type(of_two)):
        def predict_proba(self, texts):
            positive = of_two.predict_proba(texts)
            sides = [1 - positive, positive] if labels[0] == "negative" else [positive, 1 - positive]
            return np.insert(0.4 * np.array(sides), 1, 0.6, axis=0).T

    of_three = OfThree(*(getattr(replace(of_two, labels=labels), field.name) for field in fields(Model)))
    expected = behaviour.measure(of_two)[: 0 if labels[0] == "a" else None]
    np.testing.assert_array_equal(behaviour.measure(of_three)["pass_rate"], expected["pass_rate"])


def test_a_network_that_counts_words_fails_at_negation():
    table = behaviour.measure(network_by(lambda words: 0.5 + 0.2 * np.sign(balance(words)), known(behaviour.ENGLISH)))
    passed = dict(zip(table["test"], table["pass_rate"], strict=True))
    unable = {"negated_positive", "negated_negative", "changed_to_positive"}
    # Praise and criticism of one text cancel out, and 0.5 is not positive.
    assert passed == {test: 0.0 if test in unable else 1.0 for test in passed}
    assert set(table["kind"]) == {"MFT", "INV", "DIR"}
    row = table.set_index("test").loc["negated_positive"]
    assert row["failure"] == "This film is not good at all."
    assert row["probability"] == 0.7
    assert np.isnan(row["before"])


@pytest.mark.parametrize(
    ("answer", "threshold", "other"), [(0.9, 0.5, "negative"), (0.1, 0.5, "positive"), (0.9, 0.95, "positive")]
)
def test_a_network_with_one_answer_passes_the_tests_of_one_class(answer, threshold, other):
    passed = pass_rates(lambda words: answer, threshold)
    failed = {test for test, pass_rate in passed.items() if pass_rate == 0}
    negated = {"negative": "negated_positive", "positive": "negated_negative"}[other]
    assert failed == {f"plain_{other}", f"changed_to_{other}", negated, "neutral"}
    assert set(passed.values()) == {0.0, 1.0}


def test_a_network_that_counts_all_words_fails_with_fillers_only():
    passed = pass_rates(lambda words: min(len(words), 40) / 40)
    assert passed["filler_before"] == passed["filler_after"] == 0
    assert passed["people"] == passed["places"] == passed["upper_case"] == passed["punctuation"] == passed["typo"] == 1
    assert (passed["praise_added"], passed["criticism_added"]) == (1, 0)


@pytest.mark.parametrize(
    ("john", "others", "share"), [(0.4, 0.3, 1), (0.4, 0.29, 0), (0.52, 0.48, 0), (0.6, 0.7, 1), (0.9, 0.9, 1)]
)
def test_a_name_may_move_the_probability_a_little_and_never_the_label(john, others, share):
    assert pass_rates(lambda words: john if "john" in words else others)["people"] == share


@pytest.mark.parametrize(("answer", "share"), [(0.33, 0), (0.34, 1), (0.66, 1), (0.67, 0)])
def test_a_neutral_text_is_in_the_middle_third(answer, share):
    assert pass_rates(lambda words: answer)["neutral"] == share


def test_praise_must_not_lower_the_probability_nor_criticism_raise_it():
    passed = pass_rates(lambda words: 0.5 - 0.1 * np.sign(balance(words)))
    # Texts that have the same sign already do not move: a quarter.
    assert (passed["praise_added"], passed["criticism_added"]) == (0.25, 0.25)
    assert passed["plain_positive"] == passed["plain_negative"] == 0


def test_cases_of_unknown_words_are_skipped_and_counted():
    whole = behaviour.measure(network_by(lambda words: 0.5, known(behaviour.ENGLISH))).set_index("test")
    assert (whole["skipped"] == 0).all()
    assert (whole["cases"] >= 20).all()
    vocabulary = [word for word in known(behaviour.ENGLISH) if word not in ("wonderful", "not", "loved")]
    seen = []
    part = behaviour.measure(network_by(lambda words: seen.append(words) or 0.5, vocabulary)).set_index("test")
    for test in part.index:
        assert part["cases"][test] + part["skipped"][test] == whole["cases"][test]
    assert part["skipped"]["plain_positive"] == 4
    assert part["skipped"]["plain_negative"] == 0
    assert part["skipped"]["negated_positive"] == part["skipped"]["negated_negative"] == 12
    assert not {"changed_to_positive", "praise_added"} & set(part.index), "a test without cases has no row"
    assert seen


def test_names_and_typos_may_be_out_of_vocabulary():
    names = {name.lower() for name in behaviour.ENGLISH.people + behaviour.ENGLISH.places} | {"flim", "actng"}
    vocabulary = [word for word in known(behaviour.ENGLISH) if word not in names]
    table = behaviour.measure(network_by(lambda words: 0.5, vocabulary))
    assert (table["skipped"] == 0).all()


def test_the_vocabulary_decides_the_language():
    characters = known(behaviour.CHINESE, "char")
    chinese = network_by(lambda words: 0.5, characters, "char")
    assert behaviour.language_of(chinese) == "zh"
    table = behaviour.measure(chinese).set_index("test")
    assert (table["skipped"] == 0).all()
    assert (table["cases"] >= 20).all()
    assert "upper_case" not in table.index
    assert behaviour.language_of(network_by(lambda words: 0.5, known(behaviour.ENGLISH))) == "en"


def test_an_unknown_character_makes_its_word_unknown():
    characters = [character for character in known(behaviour.CHINESE, "char") if character != "彩"]
    table = behaviour.measure(network_by(lambda words: 0.5, characters, "char")).set_index("test")
    assert table["skipped"]["plain_positive"] == 4


def test_a_network_of_other_words_has_no_tests(tmp_path):
    network = network_of(model_params())
    table = behaviour.measure(network)
    assert behaviour.language_of(network) is None
    assert len(table) == 0
    assert behaviour.as_metrics(table) == {"behaviour": {}}
    frames.write_csv(tmp_path / "behaviour.csv", table)
    assert read_rows(Behaviour, tmp_path / "behaviour.csv", "evaluate") == []


@pytest.mark.xdist_group("keras")  # which compiles the engine anyway
def test_a_real_network_is_measured_and_its_table_read_back(tmp_path):
    vocabulary = known(behaviour.ENGLISH)
    network = replace(network_of(model_params(cell="gru"), vocab_size=len(vocabulary) + 4), vocabulary=vocabulary)
    table = behaviour.measure(network)
    assert 0 < table["passed"].sum() < table["cases"].sum()
    for row in table.itertuples():
        assert (row.low, row.high) == pytest.approx(intervals.of_proportion(row.passed, row.cases), abs=1e-6)
        assert row.pass_rate == pytest.approx(row.passed / row.cases, abs=1e-6)
    path = tmp_path / "behaviour.csv"
    frames.write_csv(path, table)
    written = path.read_bytes()
    frames.write_csv(path, behaviour.measure(network))
    assert path.read_bytes() == written
    read = read_rows(Behaviour, path, "evaluate")
    assert [row.test for row in read] == table["test"].tolist()
    for row, failure in zip(read, table["failure"], strict=True):
        assert row.failure == (failure if isinstance(failure, str) else None)
        assert (row.before is None) == (row.kind == "MFT" or row.failure is None)
        if row.failure:
            probability = network.predict_proba([row.failure])[0]
            assert row.probability == pytest.approx(probability, abs=1e-5)
