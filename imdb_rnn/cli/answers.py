"""What a model says about texts, as the objects that `imdb-rnn predict --json` prints and `imdb-rnn serve` sends."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from imdb_rnn.model import Model, Trace

MAX_TEXT = 10 * 2**20  # bytes


def fault_of(text: bytes) -> str:
    """Why a text cannot be asked about, such as `is empty; remove it`; an empty string if it can."""
    if len(text) > MAX_TEXT:
        return f"is longer than {MAX_TEXT >> 20} MB"
    if b"\0" in text:
        return "contains NUL bytes: it is binary, not text"
    try:
        return "" if text.decode().strip() else "is empty; remove it"
    except UnicodeDecodeError:
        return "is not UTF-8 text"


def answers(
    model: "Model", texts: Sequence[str], logits: "np.ndarray", unsure: float | None = None, traced: bool = False
) -> Iterator[dict]:
    """For each text: itself, the probability, to six decimals, and the label; of more than two labels all of them.

    Args:
        logits: as `model.decision_function(texts)` gives them.
        unsure: see `Model.label_names`.
        traced: whether the tokens, which of them are known, and the probability after each follow.

    Raises:
        UserError: as `Model.label_names` does.
    """
    from imdb_rnn.engine.kernels.arithmetic import probabilities  # which Numba comes with

    labels = model.label_names(logits, unsure)
    for text, of_text, label in zip(texts, probabilities(logits).tolist(), labels, strict=True):
        answer = {"text": text, "probability": of_text, "label": label}
        if isinstance(of_text, list):
            each = {name: round(probability, 6) for name, probability in zip(model.labels, of_text, strict=True)}
            answer |= {"probability": max(of_text), "probabilities": each}
        answer["probability"] = round(answer["probability"], 6)
        if traced:
            said = trace(model, text)
            answer |= {"tokens": said.tokens, "known": said.known.tolist(), "trace": said.probability.round(6).tolist()}
        yield answer


def trace(model: "Model", text: str) -> "Trace":
    """The trace of a text; of more than two labels the probability of the predicted one alone."""
    whole = model.trace(text)
    if len(model.labels) == 2:
        return whole
    return whole._replace(probability=whole.probability[:, whole.probability[-1].argmax()])
