from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from material import model_params, network_of

from experiments.compare import sentences
from experiments.compare.runs import MODEL, PLAN, RUNS
from imdb_rnn import model_file
from imdb_rnn.core.errors import UserError
from imdb_rnn.text.sources.bundled import find_file, read_table

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras")]

WORDS = ["the", "a", "and", "of", "to", "is", "in", "bad", "good", "dull", "fun", "not", "film", "movie"]


def test_every_network_predicts_every_sentence_and_the_best_comes_first(tmp_path):
    (tmp_path / PLAN).parent.mkdir(parents=True)
    (tmp_path / PLAN).write_text("networks: [lstm, gru]\nseeds: [1, 2]")
    (tmp_path / "results").mkdir()
    table = read_table(find_file(), "rotten_tomatoes")
    assert len(table) == 8530
    right, ids = {}, replace(network_of(model_params()), vocabulary=WORDS).encode(table["text"].tolist())
    for name in ("lstm", "gru"):
        for seed in (1, 2):
            network = replace(network_of(model_params(cell=name), 20, seed=seed), vocabulary=WORDS)
            middle = np.median(network.logits(ids)).astype(np.float32)
            weights = network.weights._replace(
                head_bias=network.weights.head_bias - middle
            )  # so that it predicts both labels
            network = replace(network, weights=weights)
            (tmp_path / RUNS / f"{name}-{seed}").mkdir(parents=True)
            model_file.save(network, tmp_path / RUNS / f"{name}-{seed}" / MODEL)
            is_positive = network.probabilities(ids) > 0.5
            right[name, seed] = (is_positive == (table["label"] == 1)).mean()
    sentences.main(tmp_path)
    found = pd.read_csv(tmp_path / sentences.SENTENCES).set_index("network")
    assert found["accuracy"].is_monotonic_decreasing
    for name in ("lstm", "gru"):
        row = found.loc[name]
        assert row["accuracy"] == pytest.approx(np.mean([right[name, seed] for seed in (1, 2)]), abs=1e-4)
        assert row["low"] < row["accuracy"] < row["high"]
        assert (row["n_seeds"], row["n_sentences"], row["source"]) == (2, 8530, "rotten_tomatoes")


def test_a_network_that_is_missing_is_named(tmp_path):
    (tmp_path / PLAN).parent.mkdir(parents=True)
    (tmp_path / PLAN).write_text("networks: [gru]\nseeds: [1]")
    with pytest.raises(UserError, match=r"gru-1/model\.safetensors is missing; run `make compare`"):
        sentences.main(tmp_path)
    assert not (tmp_path / sentences.SENTENCES).exists()
