"""What is written for readers: words that no text of the project uses, and links that lead somewhere."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from material import ROOT, tracked
from ruamel.yaml import YAML

# Words that readers stumble over. Instead: again, fix, next to or compared with, split, checked against, NaN,
# concatenated, memorises, anyone who, without success, these, resumes from, without, similar, most of, much, median.
REFUSED = re.compile(
    r"\b(anew|mend(s|ed|ing)?|beside|parted|held to|no number|one behind the other|by heart|whoever|in vain|these very"
    r"|go(es|ing)? on from|for want of|of like|better part of|a good deal|words in the middle)\b",
    re.IGNORECASE,
)
READ = [name for suffix in (".md", ".yaml", ".html", ".js", "Makefile") for name in tracked(suffix)]
READ.remove("docs/demo.html")  # which holds reviews
READ += [name for name in tracked(".py") if name.startswith("imdb_rnn/cli/")]  # help texts
MARKDOWN = [name for name in tracked(".md") if "$" not in (ROOT / name).read_text(encoding="utf-8").split("\n", 1)[0]]


def anchors(text: str) -> list[str]:
    """Those that GitHub gives the headings of a Markdown text."""
    headings = re.findall(r"^#+ (.*)", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("name", READ)
def test_refused_words_are_not_used(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert not [f"{number}: {line}" for number, line in enumerate(lines, 1) if REFUSED.search(line)]


@pytest.mark.parametrize("name", MARKDOWN)
def test_links_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)):
        path, _, anchor = link.partition("#")
        if ":" not in path:
            target = (ROOT / name).parent / path if path else ROOT / name
            assert target.exists(), link
            assert not anchor or anchor in anchors(Path(target).read_text(encoding="utf-8")), link


def test_the_parameters_in_chinese_are_those_in_english():
    english, chinese = (YAML(typ="safe").load(ROOT / name) for name in ("params.yaml", "params.zh.yaml"))
    assert json.dumps(chinese) == json.dumps(english)  # their order too


@pytest.mark.parametrize("name", ["README", "docs/from-the-article", "docs/memory", "docs/troubleshooting"])
def test_both_languages_have_the_same_sections_and_numbers(name):
    english, chinese = ((ROOT / f"{name}{end}").read_text(encoding="utf-8") for end in (".md", ".zh-CN.md"))
    assert len(anchors(english)) == len(anchors(chinese))
    assert sorted(set(re.findall(r"\d+\.\d+", english))) == sorted(set(re.findall(r"\d+\.\d+", chinese)))


def test_accuracies_in_the_texts_are_those_of_the_last_comparison():
    compared = pd.read_csv(ROOT / "results/compare.csv")
    if set(compared["source"]) != {"keras"}:
        pytest.skip("the texts are about Keras' reviews")
    for row in compared.itertuples():
        scores = [f"{score:.3f}" for score in (row.accuracy, row.low, row.high)]
        for name in ("README", "docs/comparison"):
            assert "{} ({} to {})".format(*scores) in (ROOT / f"{name}.md").read_text(encoding="utf-8")
            assert "{}（{} 到 {}）".format(*scores) in (ROOT / f"{name}.zh-CN.md").read_text(encoding="utf-8")
