"""Random numbers: for a seed the same on every machine and with every version of NumPy."""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What random numbers are for; each has its own, independent of the others."""

    INITIAL = 0  # initial weights
    ORDER = 1  # order of the training reviews
    DROPOUT = 2
    VECTORS = 3  # start of the search for singular vectors
    FOLDS = 4  # which reviews of other folds are learnt from, if not all are


def raw(count: int, *key: int) -> np.ndarray:
    """Draw integers, uint64 (count,), for a key of integers from 0: seed, `Stream`, and further ones.

    NumPy guarantees these integers for every version and machine, but not the distributions that it derives from them.
    """
    return np.random.PCG64(np.random.SeedSequence(key)).random_raw(count)


def uniform(count: int, *key: int) -> np.ndarray:
    """Draw multiples of 2**-53 from 0 to below 1, float64 (count,); for the key see `raw`."""
    return (raw(count, *key) >> np.uint64(11)) * 2.0**-53


def dropout_mask(count: int, rate: float, *key: int) -> np.ndarray:
    """What dropout multiplies by, float32 (count,): 0 with probability `rate`, otherwise 1 / (1 - rate).

    These factors keep the mean (Srivastava et al., Dropout, 2014). Empty at rate 0.
    """
    if rate == 0:
        return np.empty(0, np.float32)
    return np.where(uniform(count, *key) >= rate, np.float32(1 / (1 - rate)), np.float32(0))
