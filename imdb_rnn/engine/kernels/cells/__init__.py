"""The cells that `model.cell` can name. A new one is a module here, like its neighbours, and an entry in `CELLS`."""

from imdb_rnn.engine.kernels.cells.cell import Cell
from imdb_rnn.engine.kernels.cells.gru import GRU
from imdb_rnn.engine.kernels.cells.lstm import LSTM
from imdb_rnn.engine.kernels.cells.simple_rnn import SIMPLE_RNN

CELLS = {"simple_rnn": SIMPLE_RNN, "lstm": LSTM, "gru": GRU}


def cell_named(name: str) -> Cell:
    """Return a cell. Raises a ValueError that lists the cells if there is none of this name."""
    if name not in CELLS:
        *others, last = map(repr, CELLS)
        raise ValueError(f"there is no cell {name!r}; use {', '.join(others)} or {last}")
    return CELLS[name]
