"""Which of the training reviews are held out to validate the network with after each epoch."""

from imdb_rnn.core.params import TrainParams
from imdb_rnn.text.encode import Labelled
from imdb_rnn.text.split import split_by_position


def hold_out(reviews: Labelled, params: TrainParams) -> tuple[Labelled, Labelled]:
    """Divide training reviews for `validation: holdout`.

    Returns:
        The reviews to train on, and the reviews to validate with: of each label the last `params.validation_fraction`.

    Raises:
        UserError: when a part would have no review of a label.
    """
    rows, held_out = split_by_position(reviews.y, params.validation_fraction, "train.validation_fraction")
    return reviews.rows(rows), reviews.rows(held_out)
