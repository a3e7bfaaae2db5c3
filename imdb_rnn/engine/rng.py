"""What chance decides, drawn so that a seed gives the same on every machine and with every version of NumPy."""

import numpy as np

# What is drawn: weights before training, order of the batches, what dropout hides, where the
# search for word vectors begins
INITIAL, ORDER, DROPOUT, VECTORS = range(4)


def raw(count: int, *key: int) -> np.ndarray:
    """Draw whole numbers, uint64 (count,), for a key of numbers from 0: seed, what is drawn, and further ones.

    NumPy promises these numbers for every version and machine, other than what it makes of them.
    """
    return np.random.PCG64(np.random.SeedSequence(key)).random_raw(count)


def uniform(count: int, *key: int) -> np.ndarray:
    """Draw multiples of 2**-53 from 0 to below 1, float64 (count,); for the key see `raw`."""
    return (raw(count, *key) >> np.uint64(11)) * 2.0**-53


def dropout_mask(count: int, rate: float, *key: int) -> np.ndarray:
    """What dropout multiplies by, float32 (count,): 0 in a share `rate` of the places, in the others 1 / (1 - rate).

    With these factors the mean stays (Srivastava et al., Dropout, 2014). Empty at rate 0, where nothing is hidden.
    """
    if rate == 0:
        return np.empty(0, np.float32)
    return np.where(uniform(count, *key) >= rate, np.float32(1 / (1 - rate)), np.float32(0))
