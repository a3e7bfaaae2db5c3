"""The one flat array that the engine computes with, and where the arrays of a network are in it.

In the flat array every row of an array is padded with zeros to whole vectors of `LANES` numbers, gate by gate and
direction by direction, so that no matrix product needs a remainder loop. The zeros stay, because their gradients are 0.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from imdb_rnn.engine.kernels.arithmetic import LANES
from imdb_rnn.engine.kernels.cells import CELLS
from imdb_rnn.engine.kernels.network import Offsets
from imdb_rnn.engine.weights import DIRECTIONS, DirectionWeights, Weights, from_named, named


class Block(NamedTuple):
    """An array as blocks of rows and of columns, each padded to whole vectors; the embeddings only in their columns.

    shape: see `Weights`
    blocks: (blocks of rows, rows of a block, blocks of columns, columns of a block)
    padded: (rows, columns) of a block in the flat array
    """

    shape: tuple[int, ...]
    blocks: tuple[int, int, int, int]
    padded: tuple[int, int]

    @property
    def size(self) -> int:
        return self.blocks[0] * self.padded[0] * self.blocks[2] * self.padded[1]

    def view(self, flat: np.ndarray) -> np.ndarray:
        """The numbers of the array in its part of the flat one, as blocks."""
        row_blocks, rows, column_blocks, columns = self.blocks
        return flat.reshape(row_blocks, self.padded[0], column_blocks, self.padded[1])[:, :rows, :, :columns]


def round_up_to_lanes(count: int) -> int:
    """The next multiple of `LANES`."""
    return -(-count // LANES) * LANES


@dataclass(frozen=True)
class Layout:
    """Where the arrays of `Weights` are in the flat array, in the order of `named`.

    params: `core.params.ModelParams`, or anything with its attributes
    num_ngrams: how many n-grams there are; 0 without n-grams
    num_logits: 1 for two classes, otherwise one for each class
    """

    params: Any
    vocab_size: int
    num_ngrams: int
    num_logits: int = 1

    @property
    def of_review(self) -> tuple[int, ...]:
        """The shape of a review's logits: () if there is one."""
        return () if self.num_logits == 1 else (self.num_logits,)

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """The arrays by name, as `named` has them."""
        params, cell = self.params, CELLS[self.params.cell]
        num_directions, units, gates, dim = 1 + params.bidirectional, params.units, cell.num_gates, params.embedding_dim
        padded_dim, padded_units = round_up_to_lanes(dim), round_up_to_lanes(units)
        blocks = {
            "embeddings": Block((self.vocab_size, dim), (1, self.vocab_size, 1, dim), (self.vocab_size, padded_dim))
        }
        bias_rows = 2 if cell.num_reset_after_gates else 1
        bias_shape = (2, gates * units) if bias_rows == 2 else (gates * units,)
        for layer in range(params.layers):
            inputs, rows, padded_rows = (num_directions, units, padded_units) if layer else (1, dim, padded_dim)
            kernel = Block((inputs * rows, gates * units), (inputs, rows, gates, units), (padded_rows, padded_units))
            recurrent = Block((units, gates * units), (1, units, gates, units), (padded_units, padded_units))
            bias = Block(bias_shape, (1, bias_rows, gates, units), (bias_rows, padded_units))
            for direction in DIRECTIONS[:num_directions]:
                name = f"layers.{layer}.{direction}"
                blocks |= {f"{name}.kernel": kernel, f"{name}.recurrent_kernel": recurrent, f"{name}.bias": bias}
        features = num_directions * len(params.pooling.split("+"))
        logits, scores = self.num_logits, self.num_ngrams * self.num_logits
        blocks["head.kernel"] = Block((features * units, logits), (features, units, 1, logits), (padded_units, logits))
        blocks["head.bias"] = Block((logits,), (1, 1, 1, logits), (1, round_up_to_lanes(logits)))
        shape = (self.num_ngrams, *self.of_review) if scores else (0,)
        blocks["ngrams"] = Block(shape, (1, 1, 1, scores), (1, round_up_to_lanes(scores)))
        return blocks

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each array is in the flat one."""
        ends = np.cumsum([block.size for block in self.blocks.values()]).tolist()
        return {name: slice(start, end) for name, start, end in zip(self.blocks, [0, *ends], ends, strict=False)}

    @property
    def size(self) -> int:
        """The length of the flat array."""
        return self.slices["ngrams"].stop

    @cached_property
    def rnn(self) -> slice:
        """Where the weights of the recurrent network are: all but embeddings and n-grams."""
        return slice(self.slices["embeddings"].stop, self.slices["ngrams"].start)

    @cached_property
    def offsets(self) -> Offsets:
        """Where the arrays of the recurrent network begin in its weights."""
        start = {name: part.start - self.rnn.start for name, part in self.slices.items()}
        directions = DIRECTIONS[: 1 + self.params.bidirectional]
        by_direction = {
            name: np.array(
                [start[f"layers.{layer}.{d}.{name}"] for layer in range(self.params.layers) for d in directions]
            )
            for name in DirectionWeights._fields
        }
        return Offsets(**by_direction, head_kernel=start["head.kernel"], head_bias=start["head.bias"])

    @cached_property
    def num_fixed(self) -> int:
        """How many numbers at the beginning of the flat array are not trained: the embeddings, or none."""
        return 0 if self.params.embeddings == "learned" else self.slices["embeddings"].stop

    def flatten(self, weights: Weights) -> np.ndarray:
        """The arrays, padded and concatenated: float32 (size,)."""
        flat, arrays = np.zeros(self.size, np.float32), named(weights)
        for name, block in self.blocks.items():
            block.view(flat[self.slices[name]])[:] = arrays[name].reshape(block.blocks)
        return flat

    def split(self, flat: np.ndarray) -> Weights:
        """The arrays, from the flat one: copies."""
        return from_named(
            {
                name: block.view(flat[self.slices[name]]).reshape(block.shape).copy()
                for name, block in self.blocks.items()
            }
        )
