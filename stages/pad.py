"""Turn reviews of any length into rows of equal length, as the article does before training.

In: `data/reviews/`. Out: `data/padded/{x,y}_{train,test}.npy`, x int32 (reviews, maxlen), y uint8 (reviews,), ready to
be memory-mapped, equal to Keras' `imdb.load_data(num_words=vocab_size)` and `pad_sequences(maxlen=maxlen)`; and
`results/data_report.json`, what there is to know of the reviews before a network is trained.
"""

from pathlib import Path

from imdb_rnn.core import files
from imdb_rnn.core.params import Params
from imdb_rnn.text import encode
from imdb_rnn.text.corpus import read_provenance, read_reviews
from imdb_rnn.text.data_report import data_report, summary


def main(params: Params, root: Path) -> None:
    sets = {name: read_reviews(root / files.REVIEWS, name) for name in ("train", "test")}
    report = data_report(sets, params.pad, read_provenance(root / files.REVIEWS))
    print("\n".join(summary(report)))
    padded = {name: (reviews.ranks, reviews.labels) for name, reviews in sets.items()}
    encode.write_padded(root / files.PADDED, padded, params.pad)
    files.write_json(root / files.DATA_REPORT, report)
