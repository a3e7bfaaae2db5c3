"""A trained network that is asked about texts: `imdb_rnn.load()`."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from imdb_rnn.model import Network
from imdb_rnn.text.vocabulary import OOV, START
from imdb_rnn.training.decision import THRESHOLD, is_positive

AT_ONCE = 4096  # texts, so that their ids take little memory however many there are


class Trace(NamedTuple):
    """What a network says while it reads a text.

    tokens: those that it reads: the last or first ones of a text that is longer than it reads
    known: bool (tokens,), whether each is in its vocabulary
    probability: float64 (tokens + 1,), before the first token and after each, as if the text ended there
    """

    tokens: list[str]
    known: np.ndarray
    probability: np.ndarray


class Model:
    """A trained network that is asked about texts, from any number of threads at once.

    An answer is the same to the last bit whatever else is asked together with it, and on every machine.

    >>> model.predict(["A wonderful film.", "A terrible film."])
    ['positive', 'negative']
    >>> model.predict_proba(["A wonderful film.", "A terrible film."]).round(2)
    array([0.95, 0.05])
    >>> model.tokens("A wonderful film.")
    ['a', 'wonderful', 'film']
    >>> trace = model.trace("A wonderful film.")
    >>> trace.probability.round(2)
    array([0.5 , 0.5 , 0.95, 0.95])
    """

    def __init__(self, network: Network) -> None:
        self.network = network

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """The probability that each text is positive: float64 (texts,).

        A text without words has one too: that of a review of which nothing was read yet.

        Raises:
            TypeError: when `texts` is one text, or holds anything but texts.
            UserError: when the network needs a package to split texts that is not installed.
        """
        if isinstance(texts, str):
            raise TypeError("texts should be a list of texts, not one text")
        texts = list(texts)
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"texts[{number}] is {text!r:.40}, not a text")
        parts = [texts[first : first + AT_ONCE] for first in range(0, len(texts), AT_ONCE)]
        return np.concatenate([np.empty(0), *(self.network.predict_proba(self.network.encode(part)) for part in parts)])

    def predict(self, texts: Iterable[str]) -> list[str]:
        """What each text is, in the words of `network.labels`. Raises what `predict_proba` does."""
        return self.names(self.predict_proba(texts))

    def names(self, probability: np.ndarray) -> list[str]:
        """The names of what texts of these probabilities are, float64 (texts,)."""
        negative, positive = self.network.labels
        return [positive if yes else negative for yes in is_positive(probability - THRESHOLD).tolist()]

    def trace(self, text: str) -> Trace:
        """Follow the network through a text, token by token. Raises what `predict_proba` does."""
        ids = self.network.encode([text])[0]
        start = int(ids[:1].tolist() == [START])  # a text that is cut at the front has lost its start mark
        tokens, read = self.tokens(text), len(ids) - start
        tokens = tokens[len(tokens) - read :] if self.network.encoding.truncating == "pre" else tokens[:read]
        return Trace(tokens, ids[start:] != OOV, self.network.trace(ids, start))

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text as the network splits it, those too that it does not know or read."""
        return self.network.tokenize(text)
