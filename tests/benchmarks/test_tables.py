import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks import tables

WORDS = {"good": "lovely bright warm kind", "bad": "grim cold flat sour", "mixed": "fair plain usual mild"}


def texts(label: str, count: int) -> list[str]:
    """Each has two words of its label, and three that every label has."""
    random = np.random.default_rng(len(label))
    shared = ["the", "film", "a", "story", "it"]
    return [" ".join([*random.choice(WORDS[label].split(), 2), *random.choice(shared, 3)]) for _ in range(count)]


@pytest.mark.parametrize("labels", [["good", "bad"], ["good", "bad", "mixed"]])
@pytest.mark.parametrize("peer", tables.PEERS.values())
def test_peers_learn_what_words_say(peer, labels):
    known = [text for label in labels for text in texts(label, 30)]
    y = np.repeat(labels, 30)
    assert (peer(known, y, known[::-1], "word") == y[::-1]).mean() > 0.95
    assert (peer(known, y[::-1], known, "word") == y[::-1]).mean() > 0.95, "the labels decide, not their order"


CHANGED = "quick,train.epochs=1,model.cell=gru"


@pytest.mark.slow
def test_presets_and_peers_stand_in_one_table(tmp_path, monkeypatch, capsys):
    rows = [(text, label) for label in ("good", "bad", "mixed") for text in texts(label, 40)]
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(tmp_path / "small.csv", index=False)
    monkeypatch.setattr(
        sys, "argv", ["", "--presets", CHANGED, "--runs=2", "--without=mixed", str(tmp_path / "small.csv")]
    )
    tables.main()
    heading, _, *lines = capsys.readouterr().out.splitlines()
    assert heading.count("|") == 7
    assert [line.split(" | ")[:2] for line in lines] == [["| small (80)", name] for name in (*tables.PEERS, CHANGED)]
    assert any("+0.0000" in line for line in lines), "the best peer is as good as itself"
