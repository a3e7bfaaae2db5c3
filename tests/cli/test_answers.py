import pytest

from imdb_rnn.cli.answers import MAX_TEXT, answers, fault_of, trace


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("影评".encode(), ""),
        (b" \n", "is empty; remove it"),
        (b"a\0b", "contains NUL bytes: it is binary, not text"),
        (b"caf\xe9", "is not UTF-8 text"),
        (b"a" * (MAX_TEXT + 1), "is longer than 10 MB"),
    ],
)
def test_a_text_that_cannot_be_asked_about_has_a_fault(text, fault):
    assert fault_of(text) == fault


def test_an_answer_has_the_text_its_probability_and_its_label(model):
    texts = ["a wonderful film", "a film"]
    logits = model.decision_function(texts)
    first, second = answers(model, texts, logits, unsure=0.1)
    assert first == {"text": texts[0], "probability": round(model.predict_proba(texts)[0], 6), "label": "positive"}
    assert second["label"] == "unsure"
    (traced,) = answers(model, texts[:1], logits[:1], traced=True)
    assert traced["tokens"] == ["a", "wonderful", "film"]
    assert traced["trace"] == trace(model, texts[0]).probability.round(6).tolist()
