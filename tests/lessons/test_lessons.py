"""The lessons: what their commands print and their answers give, and that both languages say the same."""

import doctest
import json
import re
import shutil
from pathlib import Path

import pytest
from material import ROOT, changed

import imdb_rnn
from imdb_rnn.core import files
from imdb_rnn.text.corpus import write_corpus
from lessons import five_seeds, notebook, renew
from stages import folds, pad, train

SCRIPTS = sorted((ROOT / "lessons").glob("[0-9]*.py"))
PAIRS = sorted((path.with_name(f"{path.stem}.zh-CN.md"), path) for path in (ROOT / "lessons").glob("*[a-zA-Z].md"))
PAIRS = [(chinese, english) for chinese, english in PAIRS if not english.stem.endswith(".zh-CN")]
BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def default_run(params, corpus, once, tmp_path_factory) -> Path:
    """A folder with the default network, which is the one after epoch 3, and with the results that are in git."""

    def make() -> Path:
        folder = tmp_path_factory.mktemp("lessons")
        write_corpus(corpus, folder / files.REVIEWS)
        for stage in (pad, folds, train):
            stage.main(changed(params, train={"epochs": 3}), folder)
        shutil.copytree(ROOT / "results", folder / "results", dirs_exist_ok=True)
        return folder

    return once("lessons", make)


def answers(text: str) -> list[doctest.Example]:
    blocks = re.findall(r"^```pycon\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [example for block in blocks for example in doctest.DocTestParser().get_examples(block)]


@pytest.mark.slow
@pytest.mark.xdist_group("lessons")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_commands_and_answers_give_what_the_lessons_say(script, default_run, monkeypatch):
    monkeypatch.chdir(default_run)
    printed, names = renew.run(script)
    for path in renew.texts(script):
        text = path.read_text(encoding="utf-8")
        assert f"$ python -i lessons/{script.name}\n{printed}```" in text
    examples = answers(text)
    assert examples
    failures, attempted = doctest.DocTestRunner().run(doctest.DocTest(examples, names, script.stem, None, None, None))
    assert (failures, attempted) == (0, len(examples))


@pytest.mark.slow
@pytest.mark.xdist_group("lessons")
def test_what_five_seeds_found_is_found_again(default_run, monkeypatch):
    """One epoch of one training; the others take too long."""
    monkeypatch.chdir(default_run)
    name = "simple_rnn, zeros behind"
    again, found = five_seeds.train(name, seed=1, epochs=1), json.loads(five_seeds.RESULTS.read_text())
    assert again["val_accuracy"] == found[name][0]["val_accuracy"][:1]
    assert list(found) == list(five_seeds.NETWORKS)
    assert {len(runs) for runs in found.values()} == {len(five_seeds.SEEDS)}


@pytest.mark.slow
@pytest.mark.xdist_group("lessons")
def test_lesson_0_says_how_sure_the_page_is(default_run, monkeypatch):
    monkeypatch.chdir(default_run)
    negative = 1 - imdb_rnn.load().predict_proba(["The film is two hours long."])[0]
    for name in ("00-play-first.md", "00-play-first.zh-CN.md"):
        assert f"{negative:.1%}" in (ROOT / "lessons" / name).read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.xdist_group("lessons")
def test_the_notebook_runs_from_the_folder_of_the_lessons(default_run, monkeypatch):
    """As far as lesson 4: the other cells are those of the scripts as well."""
    (default_run / "lessons").mkdir(exist_ok=True)
    monkeypatch.chdir(default_run / "lessons")
    monkeypatch.syspath_prepend(ROOT / "lessons")
    cells, english = (json.loads(notebook.notebook(language))["cells"] for language in (".zh-CN.md", ".md"))
    assert [cell["cell_type"] for cell in cells] == [cell["cell_type"] for cell in english]
    cells_of_scripts = sum(path.read_text(encoding="utf-8").count("# %%") - 1 for path in SCRIPTS)
    assert [cell["cell_type"] for cell in cells].count("code") == 1 + cells_of_scripts
    last = next(i for i, cell in enumerate(cells) if cell["source"].startswith("# 5"))
    names: dict = {}
    for cell in cells[:last]:
        if cell["cell_type"] == "code":
            exec(cell["source"].removeprefix("%matplotlib inline"), names)
    assert names["logit"](names["TEXT"]) == pytest.approx(-1.03)


@pytest.mark.parametrize(("chinese", "english"), PAIRS, ids=lambda path: path.stem)
def test_both_languages_have_the_same_headings_commands_and_numbers(chinese, english):
    texts = [path.read_text(encoding="utf-8") for path in (english, chinese)]
    blocks = [BLOCK.findall(text) for text in texts]
    prose = [BLOCK.sub("", text) for text in texts]
    assert blocks[0] == blocks[1]
    for pattern in (r"^#+ \d*", r"\]\(([^()]*?)(?:\.zh-CN|\.zh)?\.(?:md|png|py)", r"<details>", r"^\*\*\d\."):
        in_english, in_chinese = (re.findall(pattern, text, re.MULTILINE) for text in prose)
        assert in_english == in_chinese, pattern
    in_english, in_chinese = (set(re.findall(r"\d+(?:[.,]\d+)*", text)) for text in prose)
    assert in_english == in_chinese


def test_every_lesson_has_both_texts_three_exercises_and_a_figure():
    for script in SCRIPTS:
        for path in renew.texts(script):
            text = path.read_text(encoding="utf-8")
            assert text.count("<details>") == text.count("</details>") == 3, path
            figures = re.findall(r"\(figures/(.*?)\)", text)
            assert len(figures) == 1, path
            assert (ROOT / "lessons/figures" / figures[0]).is_file()
