import base64
import hashlib
import json
import re

import numpy as np
import pytest
from material import HOSTILE, changed, model_params
from test_network import NETWORKS, made

from stages import report
from stages.explain import stored_network


def test_calibration_sets_probabilities_beside_what_came_true():
    probability = np.array([0.02, 0.08, 0.51, 0.55, 0.59, 0.98, 1.0])
    y = np.array([0, 1, 0, 1, 1, 1, 1])
    table = report.calibration(y, probability)
    assert table["reviews"].tolist() == [2, 3, 2]
    assert table["predicted"].tolist() == pytest.approx([0.05, 0.55, 0.99])
    assert table["positive"].tolist() == pytest.approx([1 / 2, 2 / 3, 1])
    assert (table["low"] < table["positive"]).all()
    assert (table["positive"] <= table["high"]).all()


def test_the_page_holds_its_contents_and_nothing_in_them_is_markup():
    contents = {"traces": [HOSTILE, "<!--", "]]>"], "parameters": {"pad": model_params()}}
    text = report.page(contents)
    (data,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert "<" not in data
    assert json.loads(data) == contents | {"parameters": {"pad": model_params().model_dump()}}
    assert "{{" not in text


def test_the_page_may_run_its_own_scripts_and_load_nothing():
    text = report.page({})
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
        assert rules[rule].split() == [f"'sha256-{digest}'" for digest in digests]
        assert len(bodies) >= 2
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_is_stored(params, name):
    kind = NETWORKS[name]
    model, pad_params = made(kind), changed(params, pad={"vocab_size": 20}).pad
    stored = stored_network(model, kind, pad_params, [f"word{rank}" for rank in range(1, 100)])
    numbers = np.frombuffer(base64.b64decode(stored["weights"]), "<f4")
    is_code = [weights.dtype == "int64" for weights in model.weights]
    trained = sum(weights.size for weights, code in zip(model.get_weights(), is_code, strict=True) if not code)
    assert len(numbers) == trained - bool(kind.ngrams)  # the score of unknown n-grams is always 0
    assert stored["vocabulary"] == [f"word{rank}" for rank in range(1, 17)]  # 20 ids, 4 of which are no words
    assert len(base64.b64decode(stored["ngram_codes"])) == 8 * stored["ngram_count"]


def test_a_cell_that_the_page_does_not_know_is_left_out(params):
    kind = model_params().model_copy(update={"cell": "mine"})
    assert stored_network(None, kind, params.pad, []) is None
