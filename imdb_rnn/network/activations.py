"""Activations, and how functions are compiled."""

import numba
import numpy as np

Array = np.ndarray  # short, in the signatures of compiled functions

# Sums may be reordered and fused, but not-a-number stays what it is: training looks for it.
compiled = numba.njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def tanh(x: np.float32) -> np.float32:
    """tanh within 3e-7: the rational approximation of Eigen's `generic_fast_tanh_float`, which compiles to SIMD."""
    x = np.float32(7.9) if x > np.float32(7.9) else x
    x = np.float32(-7.9) if x < np.float32(-7.9) else x
    y = x * x
    p = np.float32(-2.76076847742355e-16)
    p = p * y + np.float32(2.00018790482477e-13)
    p = p * y + np.float32(-8.60467152213735e-11)
    p = p * y + np.float32(5.12229709037114e-08)
    p = p * y + np.float32(1.48572235717979e-05)
    p = p * y + np.float32(6.37261928875436e-04)
    p = p * y + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * y + np.float32(1.18534705686654e-04)
    q = q * y + np.float32(2.26843463243900e-03)
    q = q * y + np.float32(4.89352518554385e-03)
    return x * p / q


@compiled
def sigmoid(x: np.float32) -> np.float32:
    """The logistic function, by `tanh`."""
    return np.float32(0.5) + np.float32(0.5) * tanh(np.float32(0.5) * x)
