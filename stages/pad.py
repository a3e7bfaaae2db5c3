"""Encode reviews of any length as rows of equal length, as the original tutorial (docs/from-the-article.md) does.

In: `data/reviews/`. Out: `data/padded/{x,y}_{train,test}.npy`, x int32 (reviews, maxlen), y uint8 (reviews,), ready to
be memory-mapped, equal to Keras' `imdb.load_data(num_words=vocab_size)` and `pad_sequences(maxlen=maxlen)`; of reviews
without a label, if there are any, `x_unlabelled.npy`; and `results/data_report.json`, what can be known of the reviews
before a network is trained.
"""

from pathlib import Path

import numpy as np

from imdb_rnn.core import files
from imdb_rnn.core.params import PadParams, Params
from imdb_rnn.engine.ragged import Ragged
from imdb_rnn.text import encode
from imdb_rnn.text.corpus import read_confirmation, read_provenance, read_reviews, read_unlabelled
from imdb_rnn.text.data_report import DataReport, SetReport, data_report


def main(params: Params, root: Path) -> None:
    sets = {name: read_reviews(root / files.REVIEWS, name) for name in ("train", "test")}
    reviews = root / files.REVIEWS
    report = data_report(sets, params.pad, read_provenance(reviews), read_confirmation(reviews))
    print(summary(report, params.pad))
    padded: dict[str, tuple[Ragged, np.ndarray | None]] = {
        name: (reviews.ranks, reviews.labels) for name, reviews in sets.items()
    }
    if len(unlabelled := read_unlabelled(reviews)):
        padded["unlabelled"] = unlabelled, None
    encode.write_padded(root / files.PADDED, padded, params.pad)
    files.write_json(root / files.DATA_REPORT, report.model_dump(exclude_unset=True))


def share(of: SetReport) -> str:
    return f"{len(of.labels)} classes" if of.labels else f"{(of.positive or 0) / of.reviews:.1%} positive"


def summary(report: DataReport, params: PadParams) -> str:
    """A data report in a few lines for the terminal."""
    lines = []
    if report.rows_read is not None:
        skipped = "; ".join(f"{reason} ({count:,})" for reason, count in report.left_out.items())
        lines.append(f"{report.rows_read:,} rows read; skipped: {skipped or 'none'}")
    if report.unlabelled:
        lines.append(f"{report.unlabelled:,} reviews without a label, from which only words are learnt")
    width = len(f"{max(report.train.reviews, report.test.reviews):,}")
    for name, of in (("training", report.train), ("test", report.test)):
        lines += [
            f"{name:<8}  {of.reviews:>{width},} reviews · {share(of)} · "
            f"median {of.words[2]:,} words, longest {of.words[4]:,}",
            f"{'':<10}{of.truncated:.1%} longer than maxlen ({params.maxlen}), cut · "
            f"{of.out_of_vocabulary:.1%} of words out of vocabulary · {of.duplicates:,} duplicates · "
            f"{of.conflicting_labels:,} with contradictory labels",
        ]
    return "\n".join([*lines, f"{report.test_also_in_train:,} test reviews also occur in the training set"])
