"""Predict each part of the training reviews by a network that has learnt from the others, from all and from fewer.

In: `data/padded/`; the vocabulary and the groups in `data/reviews/`; the model at `train.start_from`.
Out: `data/out_of_fold/`: of each training review its fold and its logits, and how the stage `train` combines network
and n-grams (see `training.out_of_fold`); and `results/learning_curve.csv` with the accuracy of these predictions by the
number of reviews that were learnt from. Without `train.folds` there is nothing in either.
"""

from functools import partial
from pathlib import Path

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Params
from imdb_rnn.evaluation.results import CurvePoint
from imdb_rnn.text.encode import Labelled, read_training


def main(params: Params, root: Path) -> None:
    reviews, settings = root / files.REVIEWS, (params.model, params.pad, params.train)
    training, words = read_training(reviews, root / files.PADDED, params.pad.vocab_size)
    if not params.train.folds:
        with files.replacing(root / files.OUT_OF_FOLD) as new:
            new.mkdir()
            files.write_json(new / "combination.json", {})
        files.write_text(root / files.LEARNING_CURVE, ",".join(CurvePoint.model_fields) + "\n")
        return
    from imdb_rnn.core import frames
    from imdb_rnn.evaluation import learning_curve
    from imdb_rnn.text.corpus import read_groups, read_provenance, read_reviews, read_vocabulary
    from imdb_rnn.training import out_of_fold  # with the engine, which takes longer to load than all else without folds
    from imdb_rnn.training.ahead import compiled_ahead
    from imdb_rnn.training.batches import Splits, splits
    from imdb_rnn.training.start import starting_weights
    from imdb_rnn.training.threshold import require_two_classes

    require_two_classes(training.y, params.train.threshold)
    fold = folds_of(training, params.train.folds, read_groups(reviews))
    start = starting_weights(params, root, words, read_provenance(reviews))
    of_folds = partial(
        out_of_fold.predict_folds, training, fold, *settings, words, root / files.CHECKPOINTS, start=start
    )
    with compiled_ahead(params.model.cell, params.train):
        found = of_folds()
    print(out_of_fold.summary(training.y, found))

    def predict(share: float) -> np.ndarray:
        print(f"learning curve, from {share:.3f} of the reviews:", flush=True)
        return of_folds(share=share).logits

    def split(share: float) -> Splits:
        return splits(training, fold, share, params.train.seed)

    whole, count = read_reviews(reviews, "train"), len(read_vocabulary(reviews))
    curve = learning_curve.measure(whole, count, split, found.logits, predict)
    print(learning_curve.summary(curve))
    out_of_fold.write(root / files.OUT_OF_FOLD, found)
    frames.write_csv(root / files.LEARNING_CURVE, curve)


def folds_of(training: Labelled, folds: int, groups: np.ndarray | None) -> np.ndarray:
    """The fold of each review. Raises a `UserError` when the others would be too few to learn from."""
    from imdb_rnn.training.batches import check_splits, fold_of_each, splits

    fold = fold_of_each(training, folds, groups)
    require_even(np.bincount(fold, minlength=folds))
    check_splits(training.y, splits(training, fold))
    return fold


def require_even(sizes: np.ndarray) -> None:
    """Raise a `UserError` if a fold has no reviews, or twice its share: the others would be too few to learn from."""
    if sizes.min() == 0 or sizes.max() > 2 * sizes.mean():
        raise UserError(
            f"params.yaml: train.folds is {len(sizes)}, but {sizes.max():,} of the {sizes.sum():,} training reviews "
            "have to be in one fold, because they are equal or of one group; set data.own.remove_duplicates to true, "
            "or data.own.group_column or train.folds to null"
        )
