import base64
import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from material import HOSTILE, model_params, network_of
from networks import NETWORKS

from imdb_rnn.reporting.report import PAGE, page, stored_network


def test_the_page_holds_its_contents_and_nothing_in_them_is_markup():
    contents = {"traces": [HOSTILE, "<!--", "]]>"], "parameters": {"pad": model_params()}}
    text = page(contents)
    (data,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert "<" not in data
    assert json.loads(data) == contents | {"parameters": {"pad": model_params().model_dump()}}
    assert not re.search(r"\$\{(policy|styles|data|scripts)\}", text)


def test_the_page_may_run_its_own_scripts_and_load_nothing():
    text = page({})
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "worker-src"}
    assert rules["default-src"] == "'none'"
    assert rules["worker-src"] == "blob:"
    assert rules["img-src"] == "data:", "the icon"
    assert 'rel="icon" href="data:image/svg+xml,' in text
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        bodies = re.findall(rf'<{tag}(?: id="[\w.]+")?>(.*?)</{tag}>', text, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
        assert rules[rule].split() == [f"'sha256-{digest}'" for digest in digests]
        assert len(bodies) >= 2
    assert "unsafe" not in policy


def test_every_file_of_the_page_is_in_it():
    text = page({})
    for path in PAGE.iterdir():
        if path.suffix != ".html":
            assert path.read_text(encoding="utf-8").strip() in text, path.name


@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_is_stored(name):
    network = network_of(NETWORKS[name])
    stored = stored_network(network)
    numbers = np.frombuffer(base64.b64decode(stored["weights"]), "<f4")
    assert len(numbers) == network.count_weights()
    assert stored["vocabulary"] == network.vocabulary
    codes = np.frombuffer(base64.b64decode(stored["ngram_codes"]), "<i8")
    np.testing.assert_array_equal(codes, network.ngram_codes)
    assert stored["ngram_count"] == len(codes)
    fewer = stored_network(replace(network, vocabulary=network.vocabulary[:10]))
    left_out = len(network.vocabulary) - 10
    assert len(base64.b64decode(fewer["weights"])) // 4 == len(numbers) - left_out * network.params.embedding_dim
