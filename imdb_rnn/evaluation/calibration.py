"""Whether probabilities come true as often as they say."""

import numpy as np
import pandas as pd

from imdb_rnn.evaluation import intervals

BINS = 10


def calibration(y: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Compare probabilities with what came true, in `BINS` bins of equal width, those without reviews left out.

    Returns:
        Columns predicted (mean probability), positive (share of positive reviews), low and high (its interval),
        reviews.
    """
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    rows = []
    for chosen in np.unique(bins):
        here = bins == chosen
        low, high = intervals.of_share(y[here].sum(), here.sum()) or (0.0, 1.0)
        rows.append((probability[here].mean(), y[here].mean(), low, high, int(here.sum())))
    return pd.DataFrame(rows, columns=["predicted", "positive", "low", "high", "reviews"])
