"""The network as an ONNX model, for programs that know neither Keras nor this library.

It is made of operators of the ONNX standard alone and computes what `keras_model.build` does, in one respect otherwise:
ONNX's recurrent operators want a review's words in front of its padding, so the graph moves them there.
The only module that imports `onnx`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import helper, numpy_helper

from imdb_rnn import model_file
from imdb_rnn.core.errors import UserError
from imdb_rnn.engine.weights import DirectionWeights
from imdb_rnn.model import Model
from imdb_rnn.text import metadata
from imdb_rnn.text.vocabulary import OOV, PADDING, RANK_OFFSET, START

# The oldest that have the operators in the form used here, so that older programs can read the file
IR_VERSION, OPSET, ML_OPSET = 8, 18, 3
# For each cell the ONNX operator, for each gate of the operator the number of that gate here, and further attributes
OPERATORS: dict[str, tuple[str, list[int], dict[str, int]]] = {
    "simple_rnn": ("RNN", [0], {}),
    "lstm": ("LSTM", [0, 3, 1, 2], {}),  # i, o, f, c
    "gru": ("GRU", [0, 1, 2], {"linear_before_reset": 1}),  # Keras' reset_after
}
LARGEST = 2_000_000_000  # bytes of weights; an ONNX file has to stay below 2**31
IDS = (
    f"Reviews: {START} at the start, then for each word {RANK_OFFSET + 1} plus its index in the vocabulary, from 0, or "
    f"{OOV} if it is not there; cut, and filled with {PADDING}, as `pad` in the metadata says."
)
PROBABILITY = "Of the second label, which is predicted above `threshold` in the metadata; of more labels, that of each."


def write(model: Model, path: Path) -> None:
    """Write a model as an ONNX file whose bytes depend on nothing but it. Raises `UserError` as `as_onnx` does."""
    path.write_bytes(as_onnx(model).SerializeToString(deterministic=True))


def as_onnx(model: Model) -> onnx.ModelProto:
    """The model as an ONNX model of IR version 8, opset 18, and ai.onnx.ml 3 for n-grams.

    Input `ids`: int64 (batch, length), reviews as `text.encode.pad` fills them, every id below `vocab_size`. A
    network that masks padding takes any length; one that reads padding like words wants `maxlen`.
    Output `probability`: float32 (batch,), that a review is positive; of more than two labels (batch, labels), of each.
    ONNX Runtime rounds differently from the engine: on Keras' 25,000 reviews the probabilities of SimpleRNNs with five
    seeds differ by at most 2.1e-5, those of LSTMs and GRUs by 2e-6.
    Which label is predicted is up to the program that runs the file: see `threshold` in the metadata.
    Metadata: one entry, `imdb_rnn`, JSON as in `model_file.Metadata`.

    Raises:
        UserError: when the network is too large for an ONNX file.
    """
    size = 4 * model.count_weights()
    if size > LARGEST:
        raise UserError(
            f"params.yaml: the network has {size / 1e9:.1f} GB of weights, an ONNX file holds {LARGEST / 1e9:.0f} GB; "
            "reduce pad.vocab_size or model.embedding_dim"
        )
    graph = onnx.GraphProto(name="sentiment")
    logits = _add(graph, "Gemm", _features(graph, model), model.weights.head_kernel, model.weights.head_bias)
    of_review = model.weights.head_bias.shape if len(model.labels) > 2 else ()
    if not of_review:
        logits = _add(graph, "Squeeze", logits, [1])
    opsets = [helper.make_opsetid("", OPSET)]
    if model.params.ngrams:
        logits = _add(graph, "Add", logits, _ngram_scores(graph, model))
        opsets.append(helper.make_opsetid("ai.onnx.ml", ML_OPSET))
    graph.node.append(helper.make_node("Softmax" if of_review else "Sigmoid", [logits], ["probability"], "probability"))
    graph.input.append(helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, ["batch", "length"], IDS))
    graph.output.append(
        helper.make_tensor_value_info("probability", onnx.TensorProto.FLOAT, ["batch", *of_review], PROBABILITY)
    )
    proto = helper.make_model(graph, producer_name="imdb-rnn", ir_version=IR_VERSION, opset_imports=opsets)
    helper.set_model_props(proto, {metadata.KEY: model_file.metadata(model)})
    return proto


def _add(graph: onnx.GraphProto, operator: str, *inputs: ArrayLike, **attributes: Any) -> str:
    """Add an operator to the graph. Takes what `_add_with` does; returns the name of the output."""
    return _add_with(1, graph, operator, *inputs, **attributes)[0]


def _add_with(outputs: int, graph: onnx.GraphProto, operator: str, *inputs: ArrayLike, **attributes: Any) -> list[str]:
    """Add an operator with so many outputs to the graph, and return their names.

    Args:
        inputs: names of other outputs, or arrays and integers, which become constants of the graph.
    """
    names = []
    for given in inputs:
        if not isinstance(given, str):
            constant = numpy_helper.from_array(np.asarray(given), f"constant_{len(graph.initializer)}")
            graph.initializer.append(constant)
            given = constant.name
        names.append(given)
    name = f"{operator}_{len(graph.node)}"
    made = [f"{name}_{number}" for number in range(outputs)]
    graph.node.append(helper.make_node(operator, names, made, name, **attributes))
    return made


def _features(graph: onnx.GraphProto, model: Model) -> str:
    """The features from which the head computes the logit: float32 (batch, features)."""
    params = model.params
    is_padding = _add(graph, "Equal", "ids", PADDING if params.mask_padding else -1)  # no id is -1
    is_word = _add(graph, "Cast", _add(graph, "Not", is_padding), to=onnx.TensorProto.FLOAT)
    # Words first, in their order
    is_word, order = _add_with(2, graph, "TopK", is_word, _add(graph, "Shape", "ids", start=1), axis=1)
    ids = _add(graph, "GatherElements", "ids", order, axis=1)
    words = _add(graph, "ReduceSum", is_word, [1])
    lengths = _add(graph, "Cast", _add(graph, "Squeeze", words, [1]), to=onnx.TensorProto.INT32)
    x = _add(graph, "Gather", model.weights.embeddings, _add(graph, "Transpose", ids))
    for number, layer in enumerate(model.weights.layers, start=1):
        x = _recurrent(graph, params.cell, layer, x, lengths, number < params.layers or params.pooling != "last")
    return x if params.pooling == "last" else _pooled(graph, x, is_word, words, params.pooling)


def _recurrent(
    graph: onnx.GraphProto, cell: str, layer: tuple[DirectionWeights, ...], x: str, lengths: str, whole: bool
) -> str:
    """A recurrent layer: its states, float32 (length, batch, directions * units), or its last ones, (batch, features).

    Args:
        layer: the weights of each direction.
        x: float32 (length, batch, inputs); lengths: int32 (batch,).
        whole: whether all states are wanted.
    """
    operator, order, options = OPERATORS[cell]
    units, num_directions = len(layer[0].recurrent_kernel), len(layer)

    def in_order(array: np.ndarray) -> np.ndarray:
        gates = array.reshape(*array.shape[:-1], len(order), units)
        return gates[..., order, :].reshape(array.shape)

    kernels = np.stack([in_order(direction.kernel).T for direction in layer])
    recurrent = np.stack([in_order(direction.recurrent_kernel).T for direction in layer])
    biases = [d.bias if d.bias.ndim == 2 else np.stack([d.bias, np.zeros_like(d.bias)]) for d in layer]
    bias = np.stack([in_order(bias).ravel() for bias in biases])
    states, last = _add_with(
        2, graph, operator, x, kernels, recurrent, bias, lengths,
        hidden_size=units, direction="bidirectional" if num_directions == 2 else "forward", **options,
    )  # fmt: skip
    if whole:
        states = _add(graph, "Transpose", states, perm=[0, 2, 1, 3])
        return _add(graph, "Reshape", states, [0, 0, num_directions * units])  # 0: as it was
    return _add(graph, "Reshape", _add(graph, "Transpose", last, perm=[1, 0, 2]), [0, num_directions * units])


def _pooled(graph: onnx.GraphProto, states: str, is_word: str, words: str, pooling: str) -> str:
    """Pool states over the words, as `keras_model` does; zero where there are none: float32 (batch, features).

    Args:
        states: float32 (length, batch, features).
        is_word: float32 (batch, length), 1 or 0; words: float32 (batch, 1), how many.
    """
    is_word = _add(graph, "Unsqueeze", _add(graph, "Transpose", is_word), [2])
    counts = _add(graph, "Cast", is_word, to=onnx.TensorProto.BOOL)
    zero, one, least = np.float32(0), np.float32(1), np.finfo(np.float32).min
    pools = []
    if "max" in pooling:
        highest = _add(graph, "ReduceMax", _add(graph, "Where", counts, states, least), [0], keepdims=0)
        pools.append(_add(graph, "Mul", highest, _add(graph, "Min", words, one)))
    if "mean" in pooling:
        total = _add(graph, "ReduceSum", _add(graph, "Where", counts, states, zero), [0], keepdims=0)
        pools.append(_add(graph, "Div", total, _add(graph, "Max", words, one)))
    return _add(graph, "Concat", *pools, axis=1)


def _ngram_scores(graph: onnx.GraphProto, model: Model) -> str:
    """The sums of the weights of each review's distinct n-grams, as the logits; see `engine.kernels.ngrams`."""
    is_word = _add(graph, "Not", _add(graph, "Equal", "ids", PADDING))
    code = word = "ids"
    of_lengths = [_add(graph, "Where", is_word, code, -1)]
    for back in range(1, model.params.ngrams):
        # Position i has the n-grams that end at i; ids are shifted in. An n-gram that begins with padding has the code
        # of a shorter n-gram, so it is not counted again.
        word = _add(graph, "Pad", word, [0, 1, 0, -1])
        code = _add(graph, "Add", code, _add(graph, "Mul", word, model.encoding.vocab_size**back))
        of_lengths.append(_add(graph, "Where", is_word, code, -1))
    codes = _add(graph, "Concat", *of_lengths, axis=1)
    codes, _ = _add_with(2, graph, "TopK", codes, _add(graph, "Shape", codes, start=1), axis=1)
    is_again = _add(graph, "Equal", codes, _add(graph, "Pad", codes, [0, 1, 0, -1]))  # no code is 0
    weights, known = model.weights.ngrams, model.ngram_codes.tolist()
    if weights.ndim == 1:
        values: dict[str, Any] = {"default_float": 0.0, "values_floats": weights.tolist()}
    else:
        values = {"default_int64": len(known), "values_int64s": list(range(len(known)))}
    scores = _add(graph, "LabelEncoder", codes, domain="ai.onnx.ml", keys_int64s=known, **values)
    if weights.ndim == 2:
        scores = _add(graph, "Gather", np.append(weights, np.zeros_like(weights[:1]), axis=0), scores)
        is_again = _add(graph, "Unsqueeze", is_again, [2])
    return _add(graph, "ReduceSum", _add(graph, "Where", is_again, np.float32(0), scores), [1], keepdims=0)
