"""The report in a browser that has no network: what it shows, and that it reads as the trained network does.

It is the page of the small pipeline, or that of `make repro` if the environment says REPORT=1. PICTURES=docs keeps the
pictures of the README.
"""

import json
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from material import HOSTILE, ROOT, changed, complaints, model_params
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from test_network import CELLS, NETWORKS, made

from stages import memory, network, report
from stages.batches import unpad
from stages.explain import stored_network, words_read
from stages.network import keras
from stages.pad import pad
from imdb_rnn.base.params import parse_params
from stages.reviews import from_lists, read_reviews, read_vocabulary
from imdb_rnn.reviews.vocabulary import tokenize

SECTIONS = {"try", "run", "numbers", "training", "wrong", "memory", "traces"}
VOCABULARY = ["the", "film", "was", "good", "bad", "don't", "über", "电影", "i̇stanbul", "10"]
AWKWARD = {
    "empty": "",
    "blank": " \t\n\u3000\x1c ",
    "one word": "good",
    "punctuation": '!?... (good) "film" don\'t -- was/bad 10/10; the-film',
    "markup": "<script>document.title='taken'</script> the <b>film</b> <img src=x onerror=document.title='taken'>",
    "emoji": "good 👍🏽 film 🎬 was 👩‍👩‍👧 bad",
    "right to left": "الفيلم good كان רע bad",
    "other spaces": "good\u00a0film\u2003was\u0085bad\ufeffthe\x1cfilm\u200bgood",
    "capitals": "THE FILM WAS GOOD ÜBER İSTANBUL ΟΔΟΣ",
    "curly quotes": "don\u2019t \u201cgood\u201d film\u2026",
    "10,000 words": "the film was good but not bad " * 1429,
}


@pytest.fixture(scope="module")
def folder(request) -> Path:
    return ROOT if os.environ.get("REPORT") else request.getfixturevalue("finished").folder


@pytest.fixture
def opened(browser, folder):
    """The report, opened; at the end the browser must have had nothing to complain of."""
    complaints(browser)
    browser.set_window_size(1280, 900)
    browser.get((folder / "results/report/index.html").as_uri())
    yield browser
    assert browser.title != "taken"
    assert complaints(browser) == []


@pytest.fixture(scope="module")
def contents(folder) -> dict:
    text = (folder / "results/report/index.html").read_text(encoding="utf-8")
    return json.loads(text.split('id="contents-of-the-page">')[1].split("</script>")[0])


def judge(browser, texts: list[str]) -> list[float]:
    """Put texts into the box and read the probability of each."""
    return browser.execute_script(
        """
        return arguments[0].map((text) => {
          byId("text").value = text;
          byId("text").dispatchEvent(new Event("input"));
          return Number(byId("verdict").dataset.probability);
        });
        """,
        texts,
    )


def stored(model, params, pad_params, vocabulary=VOCABULARY) -> dict:
    return stored_network(model, params, pad_params, vocabulary)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_section_is_filled(opened, language, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    if opened.execute_script("return document.documentElement.lang") != language:
        opened.find_element(By.ID, "language").click()
    try:
        sections = {
            section.get_attribute("id"): section for section in opened.find_elements(By.CSS_SELECTOR, "section")
        }
        assert set(sections) == SECTIONS
        for name, section in sections.items():
            text = section.text
            assert len(text) > 60, name
            assert any("一" <= character <= "鿿" for character in text) == (language == "zh"), name
            assert not any(wrong in text for wrong in ("undefined", "NaN", "[object")), name
            for table in section.find_elements(By.CSS_SELECTOR, "table[id]"):
                assert table.find_elements(By.CSS_SELECTOR, "tbody td"), (name, table.get_attribute("id"))
        drawn = opened.execute_script(
            """
            return Array.from(document.querySelectorAll("figure canvas"), (canvas) => {
              const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
              const named = canvas.closest("[aria-label]").getAttribute("aria-label");
              const line = getComputedStyle(document.documentElement).getPropertyValue("--series-1").trim();
              const [r, g, b] = [1, 3, 5].map((at) => parseInt(line.slice(at, at + 2), 16));
              const wanted = canvas.className ? 0 : (255 << 24 | b << 16 | g << 8 | r) >>> 0;
              const seen = new Set(new Uint32Array(pixels.buffer));
              return [named, wanted ? seen.has(wanted) : seen.size > 3];
            });
            """
        )
        assert len(drawn) == 12
        assert all(label and has_colours for label, has_colours in drawn), drawn
        assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_probability_is_keras_on_test_reviews(opened, folder):
    """200 of them, typed as text."""
    params = parse_params((folder / "params.yaml").read_text(encoding="utf-8"))
    reviews, vocabulary = read_reviews(folder / "data/reviews", "test"), read_vocabulary(folder / "data/reviews")
    x = np.load(folder / "data/padded/x_test.npy")
    rows = memory.sample(len(x), 200)
    assert len(rows) == 200
    # What is no token of the tokeniser's cannot be typed, so it is typed as a word that is not known either.
    texts = [
        " ".join(
            word if tokenize(word) == [word] else HOSTILE_WORD
            for word in words_read(x[row], reviews, row, vocabulary, params.pad.truncating)
        )
        for row in rows
    ]
    x = x[rows].copy()
    for rank, word in enumerate(vocabulary[: params.pad.vocab_size - 4], start=1):
        if tokenize(word) != [word]:
            x[x == rank + 3] = 2
    # A review that was cut lost its start mark, which the typed one has; so it is typed too long.
    texts = ["cut " * params.pad.maxlen + text if 1 not in ids else text for text, ids in zip(texts, x, strict=True)]
    assert params.pad.truncating == "pre"
    model = keras.models.load_model(folder / "data/model.keras", compile=False)
    expected = model(x).numpy()[:, 0]
    assert np.ptp(expected) > 0.2
    np.testing.assert_allclose(judge(opened, texts), expected, atol=1e-4, rtol=0)


HOSTILE_WORD = "qqqqqqqq"


@pytest.mark.parametrize("mask_padding", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_network_reads_as_keras_does(opened, params, name, mask_padding):
    kind = NETWORKS[name].model_copy(update={"mask_padding": mask_padding})
    model = made(kind)
    texts = [tokenize(text) for text in AWKWARD.values()]
    rank = {word: place for place, word in enumerate(VOCABULARY, start=1)}
    reviews = from_lists([[rank.get(word, 0) for word in words] for words in texts], np.zeros(len(texts)))
    for padding, truncating in (("pre", "pre"), ("post", "post")):
        values = {"vocab_size": 20, "maxlen": 30, "padding": padding, "truncating": truncating}
        pad_params = changed(params, pad=values).pad
        x = pad(reviews, pad_params)
        found = opened.execute_script(
            """
            const it = openNetwork(arguments[0]);
            return arguments[1].map((text) => it.read(it.encode(text).ids).probability);
            """,
            stored(model, kind, pad_params),
            list(AWKWARD.values()),
        )
        np.testing.assert_allclose(found, model(x).numpy()[:, 0], atol=1e-5, rtol=0)
        assert np.ptp(found) > 0.01


@pytest.mark.parametrize("cell", CELLS)
def test_long_reviews_read_by_wide_networks_agree_too(opened, params, cell):
    kind = model_params(cell=cell, embedding_dim=16, units=32, bidirectional=True)
    model, pad_params = made(kind), changed(params, pad={"vocab_size": 20, "maxlen": 500}).pad
    model.set_weights([weights * 0.4 for weights in model.get_weights()])  # so that rounding does not grow
    x = np.random.default_rng(3).integers(1, 20, (50, 500), dtype=np.int32)
    found = opened.execute_script(
        "const it = openNetwork(arguments[0]); return arguments[1].map((ids) => it.read(ids).probability);",
        stored(model, kind, pad_params),
        x.tolist(),
    )
    np.testing.assert_allclose(found, model(x).numpy()[:, 0], atol=1e-4, rtol=0)


def test_text_is_cut_into_words_as_the_pipeline_does(opened, params, contents):
    """Every character that this Python knows, between letters and alone."""
    characters = [chr(i) for i in range(0x110000) if unicodedata.category(chr(i)) not in ("Cn", "Cs", "Co")]
    texts = [f"A{c}b {c} {c}{c}" for c in characters] + list(AWKWARD.values())
    kind = model_params()
    network_of_the_page = stored(made(kind), kind, changed(params, pad={"vocab_size": 20}).pad)
    found = opened.execute_script(
        "const it = openNetwork(arguments[0]); return arguments[1].map((text) => it.tokenize(text).join(' '))",
        network_of_the_page,
        texts,
    )
    expected = [" ".join(tokenize(text)) for text in texts]
    assert [(t, f, e) for t, f, e in zip(texts, found, expected, strict=True) if f != e] == []


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_text_is_only_text(opened, name):
    judge(opened, [AWKWARD[name]])
    shown = opened.execute_script(
        "return [byId('reading').querySelector('.words').textContent, byId('verdict').textContent]"
    )
    assert shown[0].split() == tokenize(AWKWARD[name])
    assert "%" in shown[1]
    assert opened.execute_script("return document.querySelectorAll('main script, main img, #reading b *').length") == 0


def test_a_hostile_review_in_the_data_is_only_text(opened, contents):
    if os.environ.get("REPORT"):
        pytest.skip("the reviews of this report are real ones")
    assert any(HOSTILE in trace["words"] for trace in contents["traces"])
    errors = opened.find_element(By.ID, "errors")
    assert HOSTILE in errors.get_attribute("textContent")
    assert opened.execute_script("return document.querySelectorAll('main script, img, #errors b *').length") == 0
    for button in opened.find_elements(By.CSS_SELECTOR, "#trace-choices button, #errors button"):
        opened.execute_script("arguments[0].click()", button)


@pytest.mark.parametrize("name", ["simple_rnn", "bidirectional", "everything", "pairs", "max"])
def test_the_words_are_read_one_by_one(browser, contents, params, tmp_path, name):
    """The slider tells the probability after each word, which is that of the review if it ended there."""
    kind = NETWORKS[name]
    model, pad_params = made(kind), changed(params, pad={"vocab_size": 20, "maxlen": 9}).pad
    path = tmp_path / "index.html"
    path.write_text(report.page({**contents, "network": stored(model, kind, pad_params)}), encoding="utf-8")
    complaints(browser)
    browser.get(path.as_uri())
    for text, unread in (("The film was good, not bad!", 0), ("bad bad bad bad the film was good don't 10 good", 2)):
        judge(browser, [text])
        WebDriverWait(browser, 10).until(lambda it: it.execute_script("return 'done' in byId('try').dataset"))
        words = tokenize(text)
        rank = {word: place for place, word in enumerate(VOCABULARY, start=1)}
        x = pad(from_lists([[rank.get(word, 0) for word in words]], np.zeros(1)), pad_params)
        expected = memory.trace(network.reader(model, kind, pad_params), unpad(x, True), 0)
        told = browser.execute_script(
            """
            const slider = byId("reading").querySelector("input"), told = byId("reading").querySelector(".told");
            return Array.from({ length: Number(slider.max) + 1 }, (_, place) => {
              slider.value = place;
              slider.dispatchEvent(new Event("input"));
              return told.textContent;
            });
            """
        )
        assert len(told) == len(expected) == len(words) - unread + 1
        for place, probability in enumerate(expected):
            percent = float(told[place].split("·")[1].split("\u00a0%")[0])
            assert percent == pytest.approx(100 * probability, abs=0.051)
            if place:
                assert f"“{words[unread + place - 1]}”" in told[place]
                assert ("unknown" in told[place]) == (words[unread + place - 1] not in VOCABULARY)
        assert ("words cut off" in browser.find_element(By.ID, "verdict").text) == bool(unread)
    assert complaints(browser) == []


def test_what_is_not_yet_known_is_not_told_and_the_reader_keeps_the_place(browser, contents, params, tmp_path):
    """A network that reads from both ends judges every beginning by itself, which takes a while."""
    kind = model_params(cell="lstm", bidirectional=True, units=64)
    model, pad_params = made(kind), changed(params, pad={"vocab_size": 20, "maxlen": 500}).pad
    path = tmp_path / "index.html"
    path.write_text(report.page({**contents, "network": stored(model, kind, pad_params)}), encoding="utf-8")
    complaints(browser)
    browser.get(path.as_uri())
    judge(browser, ["the film was good " * 110])
    at_once = browser.execute_script(
        """
        const slider = byId("reading").querySelector("input");
        const told = byId("reading").querySelector(".told").textContent;
        slider.value = 3;
        slider.dispatchEvent(new Event("input"));
        return [told, "done" in byId("try").dataset];
        """
    )
    assert "NaN" not in at_once[0]
    assert not at_once[1], "it was too fast to show anything"
    WebDriverWait(browser, 60).until(lambda it: it.execute_script("return 'done' in byId('try').dataset"))
    assert browser.execute_script("return byId('reading').querySelector('input').value") == "3"
    assert complaints(browser) == []


def test_the_word_that_is_read_is_in_view(opened):
    judge(opened, ["the film was good and not bad " * 60])
    for share in (1, 0.5, 0):
        above, below = opened.execute_script(
            """
            const slider = byId("reading").querySelector("input");
            slider.value = Math.max(1, Math.round(slider.max * arguments[0]));
            slider.dispatchEvent(new Event("input"));
            const box = byId("reading").querySelector(".words").getBoundingClientRect();
            const word = byId("reading").querySelector("b.here").getBoundingClientRect();
            return [word.top - box.top, box.bottom - word.bottom];
            """,
            share,
        )
        assert above >= 0
        assert below >= 0


def test_a_cell_that_the_page_does_not_know_is_named(browser, contents, tmp_path):
    path = tmp_path / "index.html"
    mine = {**contents["parameters"], "model": {**contents["parameters"]["model"], "cell": "mine"}}
    path.write_text(report.page({**contents, "parameters": mine, "network": None}), encoding="utf-8")
    complaints(browser)
    browser.get(path.as_uri())
    assert "cell is mine" in browser.find_element(By.ID, "try").text
    assert browser.find_elements(By.CSS_SELECTOR, "#traces canvas")
    assert complaints(browser) == []


def test_it_can_be_used_with_the_keyboard_alone(opened):
    focused = "const it = document.activeElement; return it.id || it.type || it.tagName"
    seen = []
    for _ in range(60):
        opened.switch_to.active_element.send_keys(Keys.TAB)
        seen.append(opened.execute_script(focused))
        if seen[-1] == "text":
            opened.switch_to.active_element.send_keys(Keys.CONTROL, "a")
            opened.switch_to.active_element.send_keys("a good film")
        if seen[-1] == "range":
            break
    assert "language" in seen
    assert "text" in seen
    assert seen[-1] == "range"
    slider = opened.switch_to.active_element
    slider.send_keys(Keys.ARROW_LEFT)
    assert "“good”" in slider.get_attribute("aria-valuetext")
    assert "word 2 of 3" in slider.get_attribute("aria-valuetext")
    assert opened.find_element(By.CSS_SELECTOR, "#reading b.here").text == "good"


def test_the_page_has_two_languages(opened):
    button = opened.find_element(By.ID, "language")
    titles = []
    for _ in range(2):
        titles.append((opened.execute_script("return document.documentElement.lang"), opened.title))
        button.click()
    assert sorted(titles) == [("en", "A network reads film reviews"), ("zh", "一个读影评的神经网络")]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_picture_of_the_page(opened, tmp_path, language):
    if opened.execute_script("return document.documentElement.lang") != language:
        opened.find_element(By.ID, "language").click()
    opened.set_window_size(1000, 1290)
    picture = Path(os.environ.get("PICTURES", tmp_path)) / ("report.png" if language == "en" else "report.zh.png")
    opened.execute_script("byId('try').scrollIntoView()")
    WebDriverWait(opened, 10).until(lambda it: it.find_element(By.CSS_SELECTOR, "#reading canvas").size["width"] > 500)
    assert opened.save_screenshot(str(picture))
    assert picture.stat().st_size > 20_000
