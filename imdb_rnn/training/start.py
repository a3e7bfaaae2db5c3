"""Training that starts from a trained model: what it knows of words, and how it reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams, Params
from imdb_rnn.engine.ragged import from_lengths
from imdb_rnn.engine.weights import Weights
from imdb_rnn.text.encode import Labelled
from imdb_rnn.text.metadata import Metadata, opened, parse
from imdb_rnn.text.vocabulary import OOV, RANK_OFFSET

SHAPES = "cell", "layers", "bidirectional", "embedding_dim", "units"  # parameters of equal networks


def require_start(path: Path, model: ModelParams) -> Metadata:
    """What the file says of the model to start from.

    Raises:
        UserError: when it is missing or not a model, or its network is of another kind or size than `model`.
    """
    if not path.exists():
        raise UserError(f"params.yaml: train.start_from: {path} is missing; put the model there, or set it to null")
    with opened(path, "train") as file:
        about = parse(file)
    for name in SHAPES:
        theirs, ours = getattr(about.model, name), getattr(model, name)
        if theirs != ours:
            raise UserError(
                f"params.yaml: model.{name} is {ours}, but the model of train.start_from has {theirs}; "
                f"set model.{name} to {str(theirs).lower()}, or train.start_from to null"
            )
    return about


def with_words_of_start(training: Labelled, params: Params, root: Path, words: Sequence[str]) -> Labelled:
    """The training reviews, and as one more without a label the words of the model at `train.start_from`, if it is set.

    The vocabulary has these words whatever the reviews are. Args and raises as of `starting_weights`.
    """
    if not params.train.start_from:
        return training
    known, others = set(require_start(root / params.train.start_from, params.model).vocabulary), training.unlabelled
    ids = [number for number, word in enumerate(words, start=RANK_OFFSET + 1) if word in known]
    values = np.append(others.flat(), np.array(ids, np.int32))
    return training._replace(unlabelled=from_lengths(values, np.append(others.lengths, len(ids))))


def starting_weights(params: Params, root: Path, words: Sequence[str], provenance: dict[str, Any]) -> Weights | None:
    """The weights of the model at `train.start_from`, if that is set, with the embeddings of other words.

    A word that the model does not know has the embedding of words out of its vocabulary.

    Args:
        words: that have an id of their own, rank 1 first.
        provenance: of the reviews, with their tokenizer and labels.

    Returns:
        Embeddings and recurrent layers; the head is empty if the labels or what it reads of the layers
        (`model.pooling`) differ.

    Raises:
        UserError: as `require_start` does, and when the reviews are tokenized in another way.
    """
    if not params.train.start_from:
        return None
    from imdb_rnn import model_file

    path = root / params.train.start_from
    about = require_start(path, params.model)
    if about.tokenizer != provenance["tokenizer"]:
        raise UserError(
            f"params.yaml: the model of train.start_from reads by {about.tokenizer}, these reviews are read by "
            f"{provenance['tokenizer']}; set data.tokenizer to {about.tokenizer}, or train.start_from to null"
        )
    weights = model_file.load(path).weights
    rank = {word: number for number, word in enumerate(about.vocabulary, start=1)}
    ids = [rank[word] + RANK_OFFSET if word in rank else OOV for word in words]
    embeddings = np.tile(weights.embeddings[OOV], (params.pad.vocab_size, 1))
    embeddings[: RANK_OFFSET + 1] = weights.embeddings[: RANK_OFFSET + 1]
    embeddings[RANK_OFFSET + 1 : RANK_OFFSET + 1 + len(ids)] = weights.embeddings[ids]
    weights = weights._replace(embeddings=embeddings, ngrams=np.empty(0, np.float32))
    if (about.labels, about.model.pooling) != (provenance["labels"], params.model.pooling):
        weights = weights._replace(head_kernel=np.empty((0, 0), np.float32), head_bias=np.empty(0, np.float32))
    return weights
