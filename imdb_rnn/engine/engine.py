"""The engine: computes logits and gradients for batches of reviews, with all CPUs."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np

from imdb_rnn.engine import threads
from imdb_rnn.engine.kernels import ngrams, projections, recurrence
from imdb_rnn.engine.kernels.batch import PackedBatch, pack, share_padding
from imdb_rnn.engine.kernels.cells import CELLS
from imdb_rnn.engine.kernels.network import TILE, Dims, Rnn, scratch_size, workspace_size
from imdb_rnn.engine.kernels.projections import Projections, project, project_backward, projection_sizes
from imdb_rnn.engine.kernels.recurrence import Examples, Workspace, run_tiles
from imdb_rnn.engine.layout import Layout, round_up_to_lanes
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.engine.threads import parallel_for

EMPTY = np.empty(0, np.float32)


class Batch(NamedTuple):
    """Reviews, longest first, and the indices of their n-grams."""

    packed: PackedBatch
    ngrams: Ragged


class Masks(NamedTuple):
    """What dropout multiplies by, float32: embeddings, (vocab_size,), and features, (reviews, features)."""

    words: np.ndarray = EMPTY
    features: np.ndarray = np.empty((0, 0), np.float32)


Prefetch = Callable[[], None]
Key = TypeVar("Key")


def prefetch(keys: Iterable[Key], prepare: Callable[[Key], Batch]) -> Iterator[tuple[Key, Batch, Prefetch]]:
    """Prepare batches one by one, each while the one before it is computed.

    Args:
        keys: `prepare` makes a batch of each.

    Returns:
        For each batch its key, the batch, and a function that prepares the next one: pass it to the engine.
    """
    remaining, prepared = iter(keys), []

    def prefetch_next() -> None:
        for key in remaining:
            prepared.append((key, prepare(key)))
            return

    prefetch_next()
    while prepared:
        yield (*prepared.pop(), prefetch_next)


class Engine:
    """What all batches of a network share: its layout, its compiled functions, and memory that is allocated once.

    gradient: float32, flat, of all weights; see `learn` and `explain`
    """

    def __init__(self, layout: Layout) -> None:
        params, cell = layout.params, CELLS[layout.params.cell]
        self.layout, self._cell = layout, cell
        poolings = params.pooling.split("+")
        self.dims = Dims(
            embedding_dim=round_up_to_lanes(params.embedding_dim),
            units=round_up_to_lanes(params.units),
            true_units=params.units,
            num_gates=cell.num_gates,
            num_reset_after_gates=cell.num_reset_after_gates,
            has_cell_state=cell.has_cell_state,
            num_blocks=cell.num_gates + cell.num_reset_after_gates + cell.num_saved_blocks,
            num_directions=1 + params.bidirectional,
            num_layers=params.layers,
            num_poolings=len(poolings),
            num_logits=layout.num_logits,
            **{kind: poolings.index(kind) if kind in poolings else -1 for kind in ("last", "max", "mean")},
        )
        scratch = max(scratch_size(self.dims), projections.projection_scratch_size(self.dims))
        self._scratch = np.zeros((threads.count(), scratch), np.float32)
        self._projections, self._activations, self._gradients = Projections(EMPTY, EMPTY, EMPTY), EMPTY, EMPTY
        self._transposed = np.zeros(layout.rnn.stop - layout.rnn.start, np.float32)
        self.gradient = np.zeros(layout.size, np.float32)

    def feature_masks(self, mask: np.ndarray) -> np.ndarray:
        """`Masks.features` from dropout's mask of each review's features, flat; empty if this is empty."""
        units = self.layout.params.units
        if not len(mask):
            return Masks().features
        rows = mask.reshape(-1, units)
        padded = np.zeros((len(rows), self.dims.units), np.float32)
        padded[:, :units] = rows
        return padded.reshape(-1, self.dims.num_poolings * self.dims.num_directions * self.dims.units)

    def prepare(self, ids: Ragged, ngram_indices: Ragged | None = None) -> Batch:
        """Pack reviews, longest first; leading padding that is shared, see `recurrence`, does not count."""
        if ngram_indices is None:
            ngram_indices = from_lengths(np.empty(0, np.int32), np.zeros(len(ids)))
        padding = np.empty(0, np.int64)
        if self.layout.params.pooling == "last" and not self.layout.params.bidirectional:
            ids, padding = share_padding(ids)
        return Batch(pack(ids, padding, self.dims, self.layout.vocab_size), ngram_indices)

    def logits(self, flat: np.ndarray, batch: Batch, prefetch_next: Prefetch | None = None) -> np.ndarray:
        """The logits of each review, with n-grams the sums of both models': float32 (reviews, *layout.of_review).

        Args:
            flat: the weights, see `Layout`.
            prefetch_next: is called while other threads compute.
        """
        examples = self._examples(batch, Masks())
        if self.layout.num_ngrams:
            rows = batch.ngrams
            scores = flat[self.layout.slices["ngrams"]]
            ngrams.add_scores(scores, rows.values, rows.starts, rows.lengths, examples.logits)
        self._run(recurrence.PREDICT, flat, batch, examples, Masks(), prefetch_next)
        return examples.logits.reshape(-1, *self.layout.of_review)

    def learn(
        self,
        flat: np.ndarray,
        batch: Batch,
        y: np.ndarray,
        sample_weights: np.ndarray,
        masks: Masks,
        prefetch_next: Prefetch | None = None,
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Write the gradient of the mean loss with respect to all weights to `gradient`, of a network without n-grams.

        Args:
            flat, prefetch_next: as for `logits`.
            y: float32 (reviews,), the class.
            sample_weights: float64 (reviews,), what each loss is multiplied by.

        Returns:
            Logits, as of `logits`; their losses, float64 (reviews,); and the squared norm of the gradient, without
            the embeddings if these are fixed.
        """
        examples = self._examples(batch, masks)._replace(y=y, sample_weights=sample_weights)
        self._run(recurrence.LEARN, flat, batch, examples, masks, prefetch_next)
        logits = examples.logits.reshape(-1, *self.layout.of_review)
        return logits, examples.losses, self._add_up(batch, masks)

    def explain(self, flat: np.ndarray, batch: Batch, chosen: np.ndarray) -> None:
        """Write the gradient of the sum of some logits with respect to all weights but the n-grams' to `gradient`.

        Args:
            chosen: float32 (reviews,), which logit of each review, from 0.
        """
        examples = self._examples(batch, Masks())._replace(y=chosen)
        self._run(recurrence.EXPLAIN, flat, batch, examples, Masks(), None)
        self._add_up(batch, Masks())

    def run_nothing(self, flat: np.ndarray) -> None:
        """Call the recurrence for no reviews, so that it is compiled, or loaded, and nothing else is."""
        none, offsets, empty = np.empty(0, np.int64), np.zeros(1, np.int64), np.empty(0, np.int32)
        packed = PackedBatch(none, none, offsets, empty.reshape(1, 0), empty, offsets, none.reshape(1, 0))
        examples = self._examples(Batch(packed, from_lengths(empty, none)), Masks())
        work = Workspace(EMPTY, EMPTY.reshape(1, 0), self._scratch)
        run_tiles(np.zeros(2, np.int64), recurrence.PREDICT, self._cell, self.rnn(flat), EMPTY, packed, examples, work)

    def _examples(self, batch: Batch, masks: Masks) -> Examples:
        reviews = len(batch.packed.lengths) - (TILE if len(batch.packed.padding) else 0)
        logits = np.zeros((reviews, self.layout.num_logits), np.float32)
        return Examples(EMPTY, np.empty(0), masks.features, logits, np.empty(logits.shape), np.empty(reviews))

    def rnn(self, flat: np.ndarray) -> Rnn:
        """What compiled functions know of the network; its transposed weights are those of the last `learn`."""
        return Rnn(self.dims, self.layout.offsets, flat[self.layout.rnn], self._transposed)

    def _run(
        self,
        task: int,
        flat: np.ndarray,
        batch: Batch,
        examples: Examples,
        masks: Masks,
        prefetch_next: Prefetch | None,
    ) -> None:
        """Forward pass of the whole network, and backward pass of all but the first layer's input."""
        packed, rnn, learns = batch.packed, self.rnn(flat), task != recurrence.PREDICT
        tiles, sizes = len(packed.step_offsets) - 1, projection_sizes(self.dims, len(packed.words))
        self._projections = Projections(
            *(_at_least(array, size) for array, size in zip(self._projections, sizes, strict=True))
        )
        self._activations = _at_least(self._activations, workspace_size(self.dims, int(packed.step_offsets[-1]), tiles))
        size = len(self._transposed)
        accumulators = min(tiles, recurrence.ACCUMULATORS) if learns else 0
        self._gradients = _at_least(self._gradients, accumulators * size)
        gradients = self._gradients[: accumulators * size].reshape(accumulators, size)
        if learns:
            self._transpose(flat)
        of_batch = self._projections._replace(table=self._projections.table[: sizes[1]])
        embeddings = flat[self.layout.slices["embeddings"]]
        parallel_for(project, rnn, embeddings, masks.words, packed.words, of_batch, self._scratch)
        if not tiles:  # no reviews
            return
        work = Workspace(self._activations, gradients, self._scratch)
        arguments = self._cell, rnn, of_batch.table, packed, examples, work
        if len(packed.padding):
            run_tiles(np.zeros(2, np.int64), recurrence.FORWARD_PADDING, *arguments)
        parallel_for(run_tiles, task, *arguments, overlap=prefetch_next)
        if len(packed.padding) and learns:
            run_tiles(np.zeros(2, np.int64), recurrence.BACKWARD_PADDING, *arguments)

    def _transpose(self, flat: np.ndarray) -> None:
        columns = self.dims.num_gates * self.dims.units
        for name, part in self.layout.slices.items():
            if name.startswith("layers.") and name.endswith("kernel"):
                start = part.start - self.layout.rnn.start
                kernel = flat[part].reshape(-1, columns)
                self._transposed[start : start + kernel.size].reshape(columns, -1)[:] = kernel.T

    def _add_up(self, batch: Batch, masks: Masks) -> float:
        """Write the whole gradient from what `_run` left, and return its squared norm."""
        layout, packed, gradient = self.layout, batch.packed, self.gradient
        chunks = -(-len(packed.words) // projections.CHUNK)
        squares = np.zeros(chunks)
        dembeddings = gradient[layout.slices["embeddings"]]
        dembeddings[:] = 0
        parallel_for(
            project_backward,
            self.rnn(gradient),
            masks.words,
            packed,
            self._projections,
            self._activations,
            dembeddings,
            squares,
            self._scratch,
        )
        square = self._collect(min(len(packed.step_offsets) - 1, recurrence.ACCUMULATORS), chunks)
        if not layout.num_fixed:
            square += squares.sum()
        return square

    def _collect(self, tiles: int, chunks: int) -> float:
        """Sum the accumulators into the gradient of the recurrent network, and return its squared norm."""
        layout, dims, total = self.layout, self.dims, self.gradient[self.layout.rnn]
        total[:] = 0
        for accumulator in self._gradients[: tiles * len(total)].reshape(tiles, len(total)):
            total += accumulator  # in this order, whatever NumPy does with an axis
        columns, size = dims.num_gates * dims.units, projection_sizes(dims, projections.CHUNK)[2]
        of_direction = {name: self.gradient[part] for name, part in layout.slices.items() if name.startswith("layers.")}
        directions = [name.removesuffix(".bias") for name in of_direction if name.endswith(".bias")]
        accumulators = min(chunks, projections.ACCUMULATORS)
        for of_chunks in self._projections.gradients[: accumulators * size].reshape(
            accumulators, dims.num_directions, -1
        ):
            for name, dkernel in zip(directions, of_chunks, strict=False):
                of_direction[f"{name}.kernel"] += dkernel[:-columns]
                of_direction[f"{name}.bias"][:columns] += dkernel[-columns:]
        if dims.num_reset_after_gates:  # of other gates both biases have the same gradient
            together = (dims.num_gates - dims.num_reset_after_gates) * dims.units
            for name in directions:
                dbias = of_direction[f"{name}.bias"]
                dbias[columns : columns + together] = dbias[:together]
        return float(np.square(total, dtype=np.float64).sum())


def _at_least(array: np.ndarray, size: int) -> np.ndarray:
    return array if len(array) >= size else np.zeros(size, np.float32)
