import json
from dataclasses import replace

import numpy as np
import pytest
from material import as_lists
from networks import CELLS

from experiments.cells import train
from imdb_rnn.core.errors import UserError
from imdb_rnn.decision import is_correct
from imdb_rnn.reporting.small_networks import SMALL_NETWORKS, load
from imdb_rnn.text.corpus import from_lists, make_corpus
from imdb_rnn.text.encode import Labelled, encode
from imdb_rnn.text.sources import bundled
from imdb_rnn.training.batches import hold_out
from imdb_rnn.training.fit import fit

PLAN = {
    "cells": [*CELLS],
    "epochs": [0, 1, 4],
    "pad": {"vocab_size": 300, "maxlen": 20},
    "model": {"embedding_dim": 4, "units": 4},
    "train": {"batch_size": 16, "learning_rate": 0.01, "seed": 3},
}


@pytest.fixture
def project(tmp_path):
    (tmp_path / train.PLAN).parent.mkdir(parents=True)
    (tmp_path / train.PLAN).write_text(json.dumps(PLAN))
    return tmp_path


def test_an_unknown_cell_is_refused(project, monkeypatch, corpus):
    monkeypatch.setattr(bundled, "read", lambda *_: corpus)
    (project / train.PLAN).write_text(json.dumps(PLAN | {"cells": ["elman"]}))
    with pytest.raises(UserError, match=r"cells/params\.yaml: cell is 'elman'"):
        train.main(project)


def test_the_networks_after_an_epoch_are_those_of_a_training_that_went_on(project, corpus, monkeypatch):
    """And what validates is held out of the training reviews."""
    few = slice(None, None, 50)
    parts = [from_lists(as_lists(part)[few], part.labels[few]) for part in (corpus.train, corpus.test)]
    small = make_corpus(*parts, corpus.vocabulary, {"source": "bundled"})
    monkeypatch.setattr(bundled, "read", lambda *_: small)
    train.main(project)
    networks = load(project / SMALL_NETWORKS)
    assert [(one.network.params.cell, one.network.best_epoch) for one in networks] == [
        (cell, epoch) for cell in CELLS for epoch in PLAN["epochs"]
    ]
    plan = train.Plan(**PLAN)
    reviews, test = (Labelled(encode(part.ranks, plan.pad), part.labels) for part in parts)
    training, validation = hold_out(reviews, plan.train)
    for one in networks:
        for part, accuracy in ((validation, one.validation_accuracy), (test, one.test_accuracy)):
            assert accuracy == pytest.approx(is_correct(part.y, one.network.logits(part.ids)).mean(), abs=1e-4)
    params = plan.train.model_copy(update={"epochs": 4, "validation": "test"})
    for network, accuracy, _ in networks:
        whole = replace(network, weights=train.after(network.best_epoch, training, validation, network.params, plan))
        difference = whole.probabilities(test.ids) - network.probabilities(test.ids)
        assert 0 < np.abs(difference).max() < 1e-3, "rounding changes too much, or nothing"
        if network.best_epoch:
            history = fit(training, validation, network.params, plan.pad, params)[0].history
            assert accuracy == pytest.approx(history["val_accuracy"][network.best_epoch - 1], abs=1e-4)
