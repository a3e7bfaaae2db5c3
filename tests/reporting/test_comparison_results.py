import json

import pytest
from material import ROOT

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.reporting.comparison_results import read_comparison

TRACE = {
    "review": 0,
    "label": 1,
    "kind": "divided",
    "words": ["a", "film"],
    "known": [True, False],
    "probability": {"gru": [0.5, 0.6, 0.7], "lstm": [0.5, 0.4, 0.3]},
}
COMPARISON = {
    "source": "keras",
    "networks": {"gru": {"half_life_words": {"10": [12.5, None]}, "gradient": [1.0, 0.5], "last_words": {"1": 0.6}}},
    "traces": [TRACE],
}


def test_the_committed_comparison_is_read():
    memory = read_comparison(ROOT / files.COMPARE_SENSITIVITY)
    assert {"simple_rnn", "lstm", "gru"} <= set(memory.networks)
    assert all(set(trace.probability) == set(memory.networks) for trace in memory.traces)


def test_a_half_life_may_be_absent(tmp_path):
    path = tmp_path / "memory.json"
    path.write_text(json.dumps(COMPARISON))
    assert read_comparison(path).model_dump(exclude_defaults=True) == COMPARISON


@pytest.mark.parametrize(
    "text",
    [
        None,
        "{}",
        json.dumps(COMPARISON | {"networks": {"gru": COMPARISON["networks"]["gru"] | {"half_life_words": {"10": []}}}}),
        json.dumps(COMPARISON | {"traces": [TRACE | {"probability": {"gru": [1.5]}}]}),
    ],
    ids=["missing", "no keys", "no run", "no probability"],
)
def test_a_damaged_comparison_is_named(tmp_path, text):
    path = tmp_path / "compare_sensitivity.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=r"compare_sensitivity\.json cannot be read .* or run `make compare`"):
        read_comparison(path)
