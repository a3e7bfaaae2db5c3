import json

import numpy as np
import pytest
from material import ROOT, model_params, network_of
from networks import CELLS

from imdb_rnn.core.errors import UserError
from imdb_rnn.reporting.report import stored_small_networks
from imdb_rnn.reporting.small_networks import SMALL_NETWORKS, SmallNetwork, integers, load, rounded, save


@pytest.fixture
def small() -> list[SmallNetwork]:
    """One network of each cell, before training and after an epoch."""
    networks = []
    for seed, cell in enumerate(CELLS):
        for epoch in (0, 1):
            network = network_of(model_params(cell=cell), seed=seed + epoch)
            object.__setattr__(network, "weights", rounded(network.weights))
            object.__setattr__(network, "best_epoch", epoch)
            networks.append(SmallNetwork(network, 0.5, 0.75))
    return networks


def test_the_committed_networks_learn():
    networks = load(ROOT / SMALL_NETWORKS)
    assert {one.network.params.cell for one in networks} == {*CELLS}
    assert len(json.dumps(stored_small_networks(networks))) < 1_600_000, "the page grows too large"
    for one in networks:
        assert one.validation_accuracy == pytest.approx(one.test_accuracy, abs=0.03)
        if not one.network.best_epoch:
            assert one.test_accuracy < 0.55
            probability = one.network.predict_proba(["A wonderful film.", "A terrible film.", ""])
            np.testing.assert_allclose(probability, 0.5, atol=0.06)
    for cell in CELLS:
        of_cell = [one for one in networks if one.network.params.cell == cell]
        assert [one.network.best_epoch for one in of_cell] == [0, 1, 2, 3, 5, 8]
        good, bad = of_cell[-1].network.predict_proba(["A wonderful film.", "A terrible film."])
        assert good > 0.7
        assert bad < 0.3


def test_what_is_written_is_read_to_the_last_bit(small, tmp_path):
    save(small, tmp_path / "a")
    save(load(tmp_path / "a"), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    for one, again in zip(small, load(tmp_path / "a"), strict=True):
        assert again[1:] == one[1:]
        assert again.network.best_epoch == one.network.best_epoch
        text = ["the film was good"]
        np.testing.assert_array_equal(again.network.predict_proba(text), one.network.predict_proba(text))


def test_rounding_embeddings_changes_them_little_and_once():
    weights = network_of(model_params()).weights
    once = rounded(weights)
    assert 0 < np.abs(once.embeddings - weights.embeddings).max() <= np.abs(weights.embeddings).max() / 65_000
    np.testing.assert_array_equal(rounded(once).embeddings, once.embeddings)
    assert integers(weights.embeddings)[0].dtype == np.int16


def test_the_page_gets_their_vocabulary_once(small):
    stored = stored_small_networks(small)
    assert stored["vocabulary"] == small[0].network.vocabulary
    assert [(one["cell"], one["epoch"]) for one in stored["networks"]] == [(c, e) for c in CELLS for e in (0, 1)]
    assert "vocabulary" not in json.dumps(stored["networks"])


def test_a_damaged_file_is_named(small, tmp_path):
    path = tmp_path / "cells.safetensors"
    save(small, path)
    whole = path.read_bytes()
    for content in (b"", whole[:-1], whole.replace(b'\\"epoch\\":1', b'\\"epoch\\":7', 1)):
        assert content != whole
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"cells\.safetensors cannot be read .* or run `make cells`"):
            load(path)
    path.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        load(path)
