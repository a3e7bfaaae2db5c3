"""The engine: reads batches of reviews with the weights of a network, and computes gradients, on all processors."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np

from imdb_rnn.engine import threads
from imdb_rnn.engine.kernels import ngrams
from imdb_rnn.engine.kernels.arithmetic import expit, log_losses
from imdb_rnn.engine.kernels.cells import cell_named
from imdb_rnn.engine.kernels.recurrence import EXPLAIN, GO_BACK_SHARED, LEARN, READ, READ_SHARED, tile_reader
from imdb_rnn.engine.kernels.words import (
    CHUNK,
    TILE,
    Laid,
    Shape,
    add_up_words,
    fill_table,
    kernels_size,
    lay_out,
    memory_of,
    scratch_size,
    share_padding,
    table_sizes,
)
from imdb_rnn.engine.ragged import Ragged, from_lengths
from imdb_rnn.engine.threads import share_out
from imdb_rnn.engine.weights import Layout, whole

NOTHING = np.empty(0, np.float32)
NO_WEIGHTS = np.empty(0)


class Batch(NamedTuple):
    """Reviews, longest first, and the places of their n-grams among those of the network."""

    laid: Laid
    places: Ragged


class Masks(NamedTuple):
    """What dropout multiplies by: each word's vector, float32 (vocabulary,), and features, (reviews, features)."""

    seen: np.ndarray = NOTHING
    features: np.ndarray = np.empty((0, 0), np.float32)


Proceed = Callable[[], None]
Key = TypeVar("Key")


def in_turn(keys: Iterable[Key], prepare: Callable[[Key], Batch]) -> Iterator[tuple[Key, Batch, Proceed]]:
    """Prepare batches one by one, each while the one before it is computed.

    Args:
        keys: what `prepare` makes the batches of.

    Returns:
        For each batch its key, itself, and what prepares the next one: to be given to the engine with the batch.
    """
    following, upcoming = iter(keys), []

    def proceed() -> None:
        for key in following:
            upcoming.append((key, prepare(key)))
            return

    proceed()
    while upcoming:
        yield (*upcoming.pop(), proceed)


class Engine:
    """What all batches of a network share: its layout, memory that is taken once, and the compiled functions."""

    def __init__(self, layout: Layout, prior: np.ndarray = NOTHING) -> None:
        """`prior`: float32 (n-grams,), what each n-gram's weight is multiplied by."""
        params, cell = layout.params, cell_named(layout.params.cell)
        self.layout, self._prior = layout, prior
        kinds = params.pooling.split("+")
        places = [kinds.index(kind) if kind in kinds else -1 for kind in ("last", "max", "mean")]
        self.shape = Shape(
            whole(params.embedding_dim),
            whole(params.units),
            params.units,
            cell.gates,
            cell.apart,
            cell.gates + cell.apart + cell.kept,
            int(cell.has_c),
            1 + params.bidirectional,
            params.layers,
            len(kinds),
            *places,
        )
        self.read_tiles = tile_reader(cell.step, cell.step_back)
        self._memory = self._vectors = self._table = self._kernels = self._of_tiles = NOTHING
        self._others = int(layout.starts[-2] - layout.starts[1])  # weights behind the embeddings, without n-grams
        self._scratch = np.zeros((threads.count(), scratch_size(self.shape)), np.float32)
        self._transposed = np.zeros(self._others, np.float32)
        self.gradient = np.zeros(layout.starts[-1], np.float32)

    def feature_masks(self, mask: np.ndarray) -> np.ndarray:
        """What `Masks` takes, from what dropout multiplies each review's features by, flat; both may be empty."""
        units = self.layout.params.units
        if not len(mask):
            return Masks().features
        blocks = mask.reshape(-1, units)
        filled = np.zeros((len(blocks), self.shape.units), np.float32)
        filled[:, :units] = blocks
        return filled.reshape(-1, self.shape.kinds * self.shape.ways * self.shape.units)

    def prepare(self, ids: Ragged, places: Ragged | None = None) -> Batch:
        """Lay out reviews, longest first; what they begin with of padding does not count, or is not shared."""
        if places is None:
            places = from_lengths(np.empty(0, np.int32), np.zeros(len(ids)))
        shared = np.empty(0, np.int64)
        if self.layout.params.pooling == "last" and not self.layout.params.bidirectional:
            ids, shared = share_padding(ids)  # others read it behind the words, or pool the states at it
        return Batch(lay_out(ids, shared, self.shape, self.layout.vocab_size), places)

    def compile_recurrence(self) -> None:
        """Compile what takes longest, or take it from the disk, by reading no reviews."""
        starts, none, of_tiles = self.layout.starts, np.empty(0, np.int64), np.empty((0, 0), np.float32)
        numbers, bases, queue = np.empty((0, 0), np.int32), np.zeros(1, np.int64), np.zeros(2, np.int64)
        network, laid = (READ, self.shape, NOTHING, starts, NOTHING, NOTHING), (numbers, bases, none, none, NOTHING)
        of_reviews = (Masks().features, NOTHING, NO_WEIGHTS, NOTHING, NOTHING, NO_WEIGHTS, of_tiles)
        self.read_tiles(queue, *network, *laid, *of_reviews, self._scratch)

    def logits(self, flat: np.ndarray, batch: Batch, proceed: Proceed | None = None) -> np.ndarray:
        """The logit of each review, with n-grams the sum of both parts': float32 (reviews,).

        Args:
            flat: the weights, as `layout` has them.
            proceed: is called while other threads compute.
        """
        return self._read(READ, flat, batch, NOTHING, NO_WEIGHTS, Masks(), proceed)[0]

    def learn(
        self,
        flat: np.ndarray,
        batch: Batch,
        y: np.ndarray,
        weights: np.ndarray,
        masks: Masks,
        proceed: Proceed | None = None,
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Write the gradient of the mean loss with respect to all weights to `gradient`.

        Where there are n-grams, they and the recurrent network learn apart, each from the loss of its own logits; the
        mean of both is what the two say together. Together they would learn from what the other leaves over, which for
        the recurrent network soon is little: n-grams know the training reviews by heart.

        Args:
            flat, proceed: as for `logits`.
            y: float32 (reviews,), 0 or 1.
            weights: float64 (reviews,), what each loss is multiplied by.

        Returns:
            Logits, float32 (reviews,); their losses, float64 (reviews,); and the square of the gradient's norm, without
            the vectors' share where these are fixed.
        """
        logits, _, losses = self._read(LEARN, flat, batch, y, weights, masks, proceed)
        if not len(self._prior):
            return logits, losses, self._add_up(batch, NOTHING, masks)
        of_ngrams = self._add_ngrams(flat, batch, np.zeros_like(logits))
        wrong = expit(np.where(y > 0, -of_ngrams, of_ngrams))  # other than the probability minus y, exact near 0
        dlogits = (np.where(y > 0, -wrong, wrong) * weights / len(y)).astype(np.float32)
        logits = (logits + of_ngrams) / 2
        return logits, log_losses(y, logits) * weights, self._add_up(batch, dlogits, masks)

    def explain(self, flat: np.ndarray, batch: Batch) -> None:
        """Write the gradient of the sum of the logits with respect to all weights but the n-grams' to `gradient`."""
        self._read(EXPLAIN, flat, batch, NOTHING, NO_WEIGHTS, Masks(), None)
        self._add_up(batch, NOTHING, Masks())

    def _read(
        self,
        task: int,
        flat: np.ndarray,
        batch: Batch,
        y: np.ndarray,
        weights: np.ndarray,
        masks: Masks,
        proceed: Proceed | None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        shape, starts, laid = self.shape, self.layout.starts, batch.laid
        vectors, table, kernels = table_sizes(shape, len(laid.distinct))
        self._vectors = _at_least(self._vectors, vectors)
        self._table = _at_least(self._table, table)
        self._memory = _at_least(self._memory, memory_of(shape, laid.bases[-1], len(laid.bases) - 1))
        if task != READ:
            self._kernels = _at_least(self._kernels, kernels)
            self._of_tiles = _at_least(self._of_tiles, (len(laid.bases) - 1) * self._others)
            _transpose(shape, flat, starts, self._transposed)
        of_tiles = self._of_tiles[: (len(laid.bases) - 1) * self._others].reshape(-1, self._others)
        reviews = len(laid.lengths) - (TILE if len(laid.shared) else 0)
        logits, dlogits, losses = np.zeros(reviews, np.float32), np.empty(reviews, np.float32), np.empty(reviews)
        of_batch = self._table[:table]
        share_out(fill_table, shape, flat, starts, masks.seen, laid.distinct, self._vectors, of_batch, self._scratch)
        if task == READ and len(self._prior):
            self._add_ngrams(flat, batch, logits)
        network = shape, flat, starts, self._transposed, of_batch
        tiles = laid.numbers, laid.bases, laid.lengths, laid.shared, self._memory
        of_reviews = masks.features, y, weights, logits, dlogits, losses, of_tiles
        if len(laid.shared):
            self.read_tiles(np.zeros(2, np.int64), READ_SHARED, *network, *tiles, *of_reviews, self._scratch)
        share_out(self.read_tiles, task, *network, *tiles, *of_reviews, self._scratch, meanwhile=proceed)
        if len(laid.shared) and task != READ:
            self.read_tiles(np.zeros(2, np.int64), GO_BACK_SHARED, *network, *tiles, *of_reviews, self._scratch)
        return logits, dlogits, losses

    def _add_ngrams(self, flat: np.ndarray, batch: Batch, logits: np.ndarray) -> np.ndarray:
        """Add the scores of each review's n-grams to its logit, and return the logits."""
        of_ngrams, places = flat[self.layout.starts[-2] :], batch.places
        ngrams.add_up(of_ngrams, self._prior, places.values, places.starts, places.lengths, logits)
        return logits

    def _add_up(self, batch: Batch, dlogits: np.ndarray, masks: Masks) -> float:
        shape, starts, laid, gradient = self.shape, self.layout.starts, batch.laid, self.gradient
        chunks = -(-len(laid.distinct) // CHUNK)
        squares = np.zeros(chunks)
        gradient[: starts[1]] = 0
        share_out(
            add_up_words,
            shape,
            self._transposed,
            starts,
            masks.seen,
            laid.distinct,
            laid.firsts,
            laid.places,
            self._vectors,
            self._memory,
            gradient,
            self._kernels,
            squares,
            self._scratch,
        )
        others = gradient[starts[1] : starts[1] + self._others]
        of_tiles = self._of_tiles[: (len(laid.bases) - 1) * self._others].reshape(-1, self._others)
        size = kernels_size(shape)
        of_chunks = self._kernels[: chunks * size].reshape(chunks, shape.ways, size // shape.ways)
        square = _collect(shape, starts, of_tiles, of_chunks, others)
        if not self.layout.fixed:
            square += squares.sum()
        if len(dlogits):
            of_ngrams = gradient[starts[-2] :]
            of_ngrams[:] = 0
            squares = np.zeros(ngrams.chunks(len(self._prior)))
            places = batch.places
            share_out(
                ngrams.add_up_back,
                dlogits,
                self._prior,
                places.values,
                places.starts,
                places.lengths,
                of_ngrams,
                squares,
            )
            square += squares.sum()
        return square


def _at_least(array: np.ndarray, size: int) -> np.ndarray:
    return array if len(array) >= size else np.zeros(size, np.float32)


def _transpose(shape: Shape, flat: np.ndarray, starts: np.ndarray, transposed: np.ndarray) -> None:
    """Write the kernels and recurrent kernels transposed; they begin where they begin behind the vectors."""
    columns = shape.gates * shape.units
    for place in range(3 * shape.layers * shape.ways):
        if place % 3 < 2:  # not a bias
            matrix = flat[starts[1 + place] : starts[2 + place]].reshape(-1, columns)
            transposed[starts[1 + place] - starts[1] :][: matrix.size].reshape(columns, -1)[:] = matrix.T


def _collect(shape: Shape, starts: np.ndarray, of_tiles: np.ndarray, of_chunks: np.ndarray, total: np.ndarray) -> float:
    """Add the tiles' gradients up, and those of the first layer's kernels by chunk; return the sum of their squares.

    Args:
        of_chunks: float32 (chunks, ways, kernel and one row of the bias).
    """
    columns, ways = shape.gates * shape.units, shape.ways
    total[:] = 0
    for of_tile in of_tiles:  # in this order, whatever NumPy does with an axis
        total += of_tile
    starts = starts - starts[1]
    for of_chunk in of_chunks:
        for way in range(ways):
            total[starts[1 + 3 * way] :][: shape.dim * columns] += of_chunk[way, :-columns]
            total[starts[3 + 3 * way] :][:columns] += of_chunk[way, -columns:]
    together = (shape.gates - shape.apart) * shape.units if shape.apart else 0
    for number in range(shape.layers * ways):
        dbias = total[starts[3 + 3 * number] :]
        dbias[columns : columns + together] = dbias[:together]
    return float(np.square(total, dtype=np.float64).sum())
