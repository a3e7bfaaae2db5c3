"""The report in a browser that has no network: what it shows, and that it reads as the trained network does.

It is the page of the small pipeline, or that of `make repro` if the environment says REPORT=1. PICTURES=docs keeps the
pictures of the README.
"""

import base64
import os
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from material import HOSTILE, model_params, network_of
from networks import CELLS, NETWORKS, changed, ragged
from scipy.special import logit
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from imdb_rnn.core.params import ModelParams, parse_params
from imdb_rnn.evaluation import sensitivity
from imdb_rnn.keras_model import load_keras
from imdb_rnn.model import Model
from imdb_rnn.reporting.report import PAGE
from imdb_rnn.text.corpus import read_reviews, read_vocabulary
from imdb_rnn.text.vocabulary import OOV, RANK_OFFSET, START, tokenize, words_of_ranks

# The page is that of `finished`, which the fixtures below ask for by name.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("finished")]

SECTIONS = ["try", "cells", "table", "training", "memory", "behaviour", "traces", "numbers", "sweep", "data", "run"]
VOCABULARY = ["the", "film", "was", "good", "bad", "don't", "über", "电影", "i̇stanbul", "10"]
UNFOLD = "for (const it of document.querySelectorAll(':is(section, #compared) > details')) it.open = true"
CHINESE = [
    "这部电影很好看，导演的功力不容小觑！",
    "剧情拖沓，演员表演生硬，看到一半就想走了。",
    "他来到了网易杭研大厦，小明硕士毕业于中国科学院计算所，后在日本京都大学深造",
    "我不喜欢日本和服。结婚的和尚未结婚的，乒乓球拍卖完了",
    "2008年北京奥运会，C++和c#是编程语言，AT&T公司；评分8.5，T恤20%折扣",
    "李达康书记与祁同伟厅长在人民的名义里斗智斗勇",
    "颱風來襲，這齣戲的臺詞太囉嗦",
    "布伦斯维埃拉进入百分之一万多只眼光",  # two paths of one probability, but for the last bit
]
AWKWARD = [
    "",
    " \t\n\u3000\x1c ",
    "good",
    '!?... (good) "film" don\'t -- was/bad 10/10; the-film',
    "<script>document.title='taken'</script> the <b>film</b> <img src=x onerror=document.title='taken'>",
    "good 👍🏽 film 🎬 was 👩‍👩‍👧 bad",
    "الفيلم good كان רע bad",
    "good\u00a0film\u2003was\u0085bad\ufeffthe\x1cfilm\u200bgood",
    "THE FILM WAS GOOD ÜBER İSTANBUL ΟΔΟΣ",
    "don\u2019t \u201cgood\u201d film\u2026the\u2014don\u00b4t",
    "Ｇｏｏｄ，ＦＩＬＭ！１０ u\u0308ber A\u030a\u0301 ｶﾞ カ\uff9e ﬁlm 3½\u0301",
    "the film was good but not bad " * 1429,
]


def typed_probabilities(browser, texts: list[str]) -> list[float]:
    """The probabilities that the page shows for texts that are typed into the box."""
    return browser.execute_script(
        """
        return arguments[0].map((text) => {
          byId("text").value = text;
          byId("text").dispatchEvent(new Event("input"));
          const probabilities = byId("verdict").dataset.probability.split(",").map(Number);
          return probabilities.length > 1 ? probabilities : probabilities[0];
        });
        """,
        texts,
    )


def click_word(browser, place: int, share: float = 0.5) -> None:
    """Click a word in the box, at a share of its width."""
    word = browser.find_elements(By.CSS_SELECTOR, "#surface b")[place]
    ActionChains(browser).move_to_element_with_offset(
        word, round((share - 0.5) * word.rect["width"]), 0
    ).click().perform()


def network_with_words(params: ModelParams, **more: object) -> Model:
    """A small network with `VOCABULARY`, whose probabilities differ from text to text."""
    return replace(network_of(params, vocab_size=20, seed=6, **more), vocabulary=VOCABULARY)


def choose_language(browser, language: str) -> None:
    if browser.execute_script("return document.documentElement.lang") != language:
        browser.find_element(By.ID, "language").click()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_section_is_filled(opened, language, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    choose_language(opened, language)
    try:
        opened.execute_script(UNFOLD)
        opened.execute_script("byId('cells').scrollIntoView()")
        WebDriverWait(opened, 10).until(lambda it: it.execute_script("return 'done' in byId('cells').dataset"))
        sections = opened.find_elements(By.CSS_SELECTOR, "section")
        assert [section.get_attribute("id") for section in sections] == SECTIONS
        for name, section in zip(SECTIONS, sections, strict=True):
            text = section.text
            assert len(text) > 60, name
            assert any("一" <= character <= "鿿" for character in text) == (language == "zh"), name
            assert not any(wrong in text for wrong in ("undefined", "NaN", "null%", "[object")), name
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
        assert len(drawn) == 18
        assert all(label and has_colours for label, has_colours in drawn), drawn
        assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("count", [12, 100])
def test_any_number_of_classes_is_shown(browser, open_page, count, width, language):
    network = network_with_words(model_params(), classes=count)
    long = "a label of many words"
    network = replace(network, labels=tuple(f"{k} {HOSTILE if k == 1 else long}" for k in range(count)))
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        open_page(network)
        choose_language(browser, language)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        text = browser.find_element(By.TAG_NAME, "main").text
        assert not any(wrong in text for wrong in ("undefined", "NaN", "null%", "[object"))
        assert len(browser.find_elements(By.CSS_SELECTOR, "#classes tbody tr")) == count
        hidden = "const box = byId('classes').parentElement; return box.scrollHeight - box.clientHeight"
        assert (browser.execute_script(hidden) > 50) == (count == 100)
        assert browser.find_elements(By.CSS_SELECTOR, "#confusion tbody td")
        bars = browser.find_elements(By.CSS_SELECTOR, "#bars .bar")
        assert sum(bar.is_displayed() for bar in bars) == min(count, 8)
        if count > 8:
            browser.find_element(By.CSS_SELECTOR, "#bars summary").click()
            assert all(bar.is_displayed() for bar in bars)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_two_classes_are_called_as_their_labels_are(browser, open_page):
    open_page(replace(network_with_words(model_params()), labels=("ham", "spam"), threshold=0.4))
    for language, said in (
        (
            "en",
            ["spam, ", "counts as spam", "speaks for “spam”", "spoke for “spam” here", "Probability of “spam” after"],
        ),
        ("zh", ["“spam”，把握", "判为“spam”", "支持“spam”", "认为评论是“spam”的概率"]),
    ):
        choose_language(browser, language)
        browser.execute_script(UNFOLD)
        tried, numbers, data = (browser.find_element(By.ID, name).text for name in ("try", "numbers", "data"))
        assert all(part in tried for part in said), tried
        assert "spam" in browser.find_element(By.ID, "scale").get_attribute("textContent")
        assert {"en": "predicted spam", "zh": "判为“spam”"}[language] in numbers
        assert {"en": "Share of spam reviews", "zh": "实际的“spam”占比"}[language] in numbers
        assert "spam" in data
        wrong = ("negative", "positive review", "positive 5", "positive\n", "好评", "差评")
        assert not any(word in text for word in wrong for text in (tried, numbers, data))
        assert "spam" in browser.find_element(By.ID, "trace-choices").text


@pytest.mark.parametrize("name", ["gru", "bidirectional"])
def test_the_class_that_is_looked_at_is_the_predicted_one_until_another_is_pressed(browser, open_page, name):
    network = network_with_words(NETWORKS[name], classes=3)
    open_page(network)
    choose_language(browser, "en")
    (typed,) = typed_probabilities(browser, ["the film was good"])
    trace = network.trace("the film was good").probability
    looked = int(np.argmax(typed))
    bars = browser.find_elements(By.CSS_SELECTOR, "#bars .bar")
    for label in (looked, (looked + 1) % 3, (looked + 2) % 3):
        if label != looked:
            bars[label].click()
        WebDriverWait(browser, 10).until(lambda it: it.execute_script("return 'done' in byId('try').dataset"))
        assert [bar.get_attribute("aria-pressed") == "true" for bar in bars] == [k == label for k in range(3)]
        status = browser.find_element(By.CSS_SELECTOR, "#reading .status").text
        assert f"{100 * trace[-1, label]:.1f}% {network.labels[label]}, " in status
        assert f"{100 * (trace[-1, label] - trace[-2, label]):+.1f}".replace("-", "−") in status
    assert browser.find_element(By.ID, "verdict").text.startswith(
        f"{100 * typed[looked]:.1f}% {network.labels[looked]}"
    )


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 1280])
def test_labels_that_look_wrong_are_listed_and_their_text_is_shown_when_asked_for(browser, open_page, width, language):
    row = {"place": "b.csv, row 7", "label": "positive", "suggested": "negative", "probability": 0.0123, "why": "model"}
    rows = [row | {"opening": HOSTILE}, row | {"why": f"near-duplicate of {HOSTILE}", "opening": "dull"}]
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        open_page(network_with_words(model_params()), suspects={"count": 1000, "most": 1000, "first": rows})
        choose_language(browser, language)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        text = browser.find_element(By.ID, "suspects").text
        said = ["1,000 or more of", "The first 2 are below", "b.csv, row 7"]
        said_in_chinese = ["至少有 1,000", "最可疑的 2 条", "b.csv 第 7 行"]
        assert all(part in text for part in (said if language == "en" else said_in_chinese)), text
        table = browser.find_element(By.ID, "suspects-table")
        assert "1.2%" in table.text
        assert HOSTILE in table.text
        assert not table.find_elements(By.CSS_SELECTOR, "details[open]")
        table.find_elements(By.TAG_NAME, "summary")[1].click()
        (opened,) = table.find_elements(By.CSS_SELECTOR, "details[open]")
        assert "dull" in opened.text
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_of_one_label_that_looks_wrong_no_others_are_spoken_of(browser, open_page, contents):
    row = {"place": "review 17", "label": "positive", "suggested": "negative", "probability": 0.01, "why": "model"}
    suspects = {"count": 1, "most": 1000, "first": [row | {"opening": "dull"}]}
    for source, en, zh in (
        ("bundled", "the training reviews, from 0.", "评论 17"),
        ("own", "without the header.", "不计表头"),
    ):
        provenance = contents["provenance"] | {"source": source}
        open_page(network_with_words(model_params()), suspects=suspects, provenance=provenance)
        choose_language(browser, "en")
        text = browser.find_element(By.ID, "suspects").text
        assert "training labels looks wrong" in text
        assert en in text
        assert "are below" not in text
        choose_language(browser, "zh")
        assert zh in browser.find_element(By.ID, "suspects").text


@pytest.mark.parametrize(
    ("apart", "en", "zh"),
    [
        ([0.002, 0.031], "The network is better, by 0.2 to 3.1 points", "网络的准确率高出 0.2 到 3.1"),
        ([-0.004, 0.031], "is between −0.4 and +3.1 percentage points.", "在 −0.4 到 +3.1 个百分点之间。"),
        ([-0.075, -0.054], "The linear model is better, by 5.4 to 7.5 points", "线性模型的准确率高出 5.4 到 7.5"),
    ],
)
def test_the_page_says_which_model_is_better_and_by_how_much(browser, open_page, contents, apart, en, zh):
    open_page(network_with_words(model_params()), metrics=contents["metrics"] | {"above_baseline_interval": apart})
    for language, sentence in (("en", en), ("zh", zh)):
        choose_language(browser, language)
        assert sentence in browser.find_element(By.ID, "numbers-text").text


def test_what_was_run_is_folded_at_the_end_and_the_contents_follow_the_sections(opened):
    links = opened.find_elements(By.CSS_SELECTOR, "#contents a")
    assert [link.get_attribute("href").split("#")[1] for link in links] == SECTIONS
    parameters = opened.find_element(By.ID, "parameters")
    assert not parameters.is_displayed()
    opened.find_element(By.CSS_SELECTOR, "#run summary").click()
    assert parameters.is_displayed()
    assert "train.seed" in parameters.text
    assert opened.find_element(By.ID, "provenance").text.startswith("source ")


def test_the_probability_is_keras_on_test_reviews(opened, folder):
    """200 of them, typed as text."""
    params = parse_params((folder / "params.yaml").read_text(encoding="utf-8"))
    assert params.pad.truncating == "pre"
    reviews, vocabulary = read_reviews(folder / "data/reviews", "test"), read_vocabulary(folder / "data/reviews")
    x = np.load(folder / "data/padded/x_test.npy")
    rows = sensitivity.sample(len(x), 200)
    assert len(rows) == 200
    x = x[rows].copy()
    read = [reviews.ranks[row][-count:] for row, count in zip(rows, (x > START).sum(axis=1), strict=True)]
    # A word that the tokenizer would split cannot be typed; another unknown word is typed instead.
    texts = [
        " ".join(word if tokenize(word) == [word] else UNTYPABLE for word in words_of_ranks(ranks, vocabulary))
        for ranks in read
    ]
    for rank, word in enumerate(vocabulary[: params.pad.vocab_size - RANK_OFFSET - 1], start=1):
        if tokenize(word) != [word]:
            x[x == rank + RANK_OFFSET] = OOV
    # A review that was cut has lost its start token; the typed text has to be too long as well.
    texts = [
        "cut " * params.pad.maxlen + text if START not in ids else text for text, ids in zip(texts, x, strict=True)
    ]
    keras = load_keras()
    model = keras.models.load_model(folder / "results/export/model.keras", compile=False)
    expected = model(x).numpy()[:, 0]
    assert np.ptp(expected) > 0.2
    np.testing.assert_allclose(typed_probabilities(opened, texts), expected, atol=1e-4, rtol=0)


UNTYPABLE = "qqqqqqqq"


@pytest.mark.parametrize(
    ("mask_padding", "side", "classes"), [(True, "pre", 2), (False, "pre", 2), (False, "post", 2), (True, "pre", 3)]
)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_network_reads_what_is_typed_as_it_does_in_python(
    browser, open_page, name, mask_padding, side, classes
):
    """Where padding is skipped, its side makes no difference."""
    params = NETWORKS[name].model_copy(update={"mask_padding": mask_padding})
    network = network_with_words(params, classes=classes, maxlen=30, padding=side, truncating=side)
    open_page(network)
    typed = typed_probabilities(browser, AWKWARD)
    ids = network.encode(AWKWARD)
    np.testing.assert_allclose(typed, network.probabilities(ids), atol=1e-5, rtol=0)
    assert np.ptp(typed) > 0.01


@pytest.mark.parametrize("cell", CELLS)
def test_long_reviews_read_by_wide_networks_agree_too(browser, open_page, cell):
    params = model_params(cell=cell, embedding_dim=16, units=32, bidirectional=True)
    network = network_of(params, vocab_size=20, maxlen=500)
    network = replace(
        network, weights=changed(network.weights, lambda array: array * np.float32(0.4))
    )  # so that rounding
    ids = np.random.default_rng(3).integers(1, 20, (50, 500), dtype=np.int32)  # does not grow
    open_page(network)
    probabilities = browser.execute_script(
        "const it = openNetwork(contents.network); return arguments[0].map((ids) => it.predict(ids).probabilities[0]);",
        ids.tolist(),
    )
    np.testing.assert_allclose(probabilities, network.probabilities(ragged(*ids)), atol=1e-4, rtol=0)
    assert np.ptp(probabilities) > 0.01


def test_the_page_tokenizes_as_the_pipeline_does(opened):
    """Every character that this Python knows, between letters and alone."""
    characters = [chr(i) for i in range(0x110000) if unicodedata.category(chr(i)) not in ("Cn", "Cs", "Co")]
    texts = [f"A{c}b {c} {c}{c}" for c in characters] + AWKWARD
    tokens = opened.execute_script(
        "const it = openNetwork(contents.network); return arguments[0].map((text) => it.tokenize(text).join(' '))",
        texts,
    )
    expected = [" ".join(tokenize(text)) for text in texts]
    different = [row for row in zip(texts, tokens, expected, strict=True) if row[1] != row[2]]
    assert different == []


def test_a_network_of_characters_reads_chinese_as_it_is_typed(browser, open_page):
    network = replace(network_of(model_params(), 20), tokenizer="char", vocabulary=list("这部电影很好看不难,!ab"))
    open_page(network, tokenizer="char")
    texts = ["这部电影很好看！", "这部 电影不好看，很 难看", "A b 🎬 電影", *AWKWARD]
    np.testing.assert_allclose(typed_probabilities(browser, texts), network.predict_proba(texts), atol=1e-5, rtol=0)
    typed_probabilities(browser, texts[:1])
    assert browser.find_element(By.CSS_SELECTOR, "#surface .words").text == "这部电影很好看！"


def test_the_page_tokenizes_chinese_as_jieba_does(browser, open_page):
    """The dictionary decides most, the hidden Markov model names and new words; letters and digits are between."""
    pytest.importorskip("jieba")
    network = replace(network_with_words(model_params()), tokenizer="jieba", vocabulary=["电影", "好看", "不", "的"])
    open_page(network, tokenizer="jieba")
    texts = [*CHINESE, *AWKWARD]
    random = np.random.default_rng(1)
    letters = [chr(code) for code in range(0x4E00, 0x9FA6)] + list(
        "的一是不了在人有我他这个们中来上大为和国aB7 .，龻🎬"
    )
    common = list("".join(CHINESE))
    texts += ["".join(random.choice(some, 60)) for some in (letters, common) for _ in range(100)]
    split = browser.execute_script("return arguments[0].map(openNetwork(contents.network).tokenize)", texts)
    expected = [network.tokenize(text) for text in texts]
    assert [row for row in zip(texts, split, expected, strict=True) if row[1] != row[2]] == []
    np.testing.assert_allclose(typed_probabilities(browser, texts), network.predict_proba(texts), atol=1e-5, rtol=0)
    joined = browser.execute_script("return arguments[0].map(joined)", expected[: len(CHINESE)])
    assert [network.tokenize(text) for text in joined] == expected[: len(CHINESE)]


def test_awkward_text_is_only_text(opened):
    for text in AWKWARD:
        typed_probabilities(opened, [text])
        words, verdict, elements = opened.execute_script(
            "return [byId('surface').querySelector('.words').textContent, byId('verdict').textContent,"
            " document.querySelectorAll('main script, main img, #surface b *').length]"
        )
        assert words == f"{text}\u200b"
        assert "%" in verdict
        assert elements == 0


def test_a_hostile_review_in_the_data_is_only_text(opened, contents):
    if os.environ.get("REPORT"):
        pytest.skip("the reviews of this report are real ones")
    assert any(HOSTILE in trace["words"] for trace in contents["traces"])
    assert opened.execute_script("return document.querySelectorAll('main script, img, #traces b *').length") == 0
    shown = []
    for button in opened.find_elements(By.CSS_SELECTOR, "#trace-choices button"):
        opened.execute_script("arguments[0].click()", button)
        shown += opened.find_element(By.CSS_SELECTOR, "#trace .words").get_attribute("textContent").split()
    assert HOSTILE in " ".join(shown)


@pytest.mark.parametrize("name", ["simple_rnn", "bidirectional", "everything", "pairs", "max"])
def test_the_words_are_read_one_by_one(browser, open_page, name):
    """The slider says the probability after each word, as if the review ended there."""
    network = network_with_words(NETWORKS[name], maxlen=9)
    open_page(network)
    for text, unread in (("The film was good, not bad!", 0), ("bad bad bad bad the film was good don't 10 good", 2)):
        typed_probabilities(browser, [text])
        WebDriverWait(browser, 10).until(lambda it: it.execute_script("return 'done' in byId('try').dataset"))
        words = tokenize(text)
        ids = network.encode([text])
        expected = network.trace_ids(ids[0], int(sensitivity.has_start_token(ids)[0]))
        lines = browser.execute_script(
            """
            const slider = byId("reading").querySelector("input"), status = byId("reading").querySelector(".status");
            return Array.from({ length: Number(slider.max) + 1 }, (_, place) => {
              slider.value = place;
              slider.dispatchEvent(new Event("input"));
              return status.textContent;
            });
            """
        )
        assert len(lines) == len(expected) == len(words) - unread + 1
        for place, probability in enumerate(expected):
            percent = float(lines[place].split("·")[1].split("%")[0])
            assert percent == pytest.approx(100 * probability, abs=0.051)
            if place:
                start = int(ids[0][0] == START)
                without = network.probabilities(ragged(np.delete(ids[0], start + place - 1)))[0]
                assert float(lines[place].split("without this word: ")[1].split("%")[0]) == pytest.approx(
                    100 * without, abs=0.051
                )
                assert f"“{words[unread + place - 1]}”" in lines[place]
                assert ("unknown" in lines[place]) == (words[unread + place - 1] not in VOCABULARY)
        assert ("words cut off" in browser.find_element(By.ID, "verdict").text) == bool(unread)


def test_an_unfinished_trace_shows_no_nan_and_the_slider_keeps_its_place(browser, open_page):
    """A bidirectional network reads each prefix on its own, which takes a while."""
    open_page(network_with_words(model_params(cell="lstm", bidirectional=True, units=64), maxlen=500))
    typed_probabilities(browser, ["the film was good " * 60])
    line, is_done = browser.execute_script(
        """
        const slider = byId("reading").querySelector("input");
        const line = byId("reading").querySelector(".status").textContent;
        slider.value = 3;
        slider.dispatchEvent(new Event("input"));
        return [line, "done" in byId("try").dataset];
        """
    )
    assert "NaN" not in line
    assert not is_done, "it was too fast to show anything"
    WebDriverWait(browser, 60).until(lambda it: it.execute_script("return 'done' in byId('try').dataset"))
    assert browser.execute_script("return byId('reading').querySelector('input').value") == "3"


def test_what_is_known_is_not_computed_again_while_the_rest_is_read(opened):
    """The answer without a word, and the heat map."""
    again, other = opened.execute_script(
        """
        const { prototype } = CanvasRenderingContext2D, { putImageData } = prototype;
        let asked = 0, drawn = 0;
        prototype.putImageData = () => { drawn++; };
        const view = readingView({ names: [NETWORK], surface: wordsView(null, () => document.body) });
        byId("try").append(view.figures);
        const readings = [{ label: NETWORK, probability: [0.5, NaN, 0.7], of: NAMES[1] }], states = [0.5, 0.5];
        const shown = { words: ["a", "film"], known: [true, true], readings, states, width: 1, readout: [1] };
        const show = (again) => view.show({ ...shown, other: () => ++asked / 9 }, again);
        const steps = [() => show(), () => { drawn = 0; view.move(2); }, () => show(true), () => show(true)];
        return (async () => {
          for (const step of steps) {
            step();
            await new Promise((done) => setTimeout(done, 100));
          }
          const again = [asked, drawn];
          show();
          view.move(2);
          shown.states = [0.5, 0.6];
          show(true);
          await new Promise((done) => setTimeout(done, 100));
          prototype.putImageData = putImageData;
          return [again, [asked, drawn]];
        })();
        """
    )
    assert again == [1, 0]
    assert other == [2, 1], "another text"


def test_the_word_that_is_read_is_in_view(opened):
    typed_probabilities(opened, ["the film was good and not bad " * 60])
    for share in (1, 0.5, 0):
        above, below = opened.execute_script(
            """
            const slider = byId("reading").querySelector("input");
            slider.value = Math.max(1, Math.round(slider.max * arguments[0]));
            slider.dispatchEvent(new Event("input"));
            const box = byId("surface").getBoundingClientRect();
            const word = byId("surface").querySelector("b.here").getBoundingClientRect();
            return [word.top - box.top, box.bottom - word.bottom];
            """,
            share,
        )
        assert above >= 0
        assert below >= 0


def test_the_label_is_that_of_the_threshold(browser, open_page, contents):
    network = network_with_words(NETWORKS["gru"])
    probability = network.predict_proba(["good film"])[0]
    rule = {"train": contents["parameters"]["train"] | {"threshold": {"precision": 0.9}}}
    for threshold, en, zh in ((probability - 0.01, "positive", "好评"), (probability + 0.01, "negative", "差评")):
        threshold = round(threshold, 3)
        open_page(replace(network, threshold=threshold), parameters=contents["parameters"] | rule)
        for language, verdict, said in (
            (
                "en",
                f"counts as {en} (threshold {threshold})",
                f"above {threshold}, chosen for a precision of at least 0.9",
            ),
            ("zh", f"判为{zh}（阈值 {threshold}）", f"概率高于 {threshold} 的评论判为好评"),
        ):
            choose_language(browser, language)
            typed_probabilities(browser, ["good film"])
            assert verdict in browser.find_element(By.ID, "verdict").text
            assert browser.find_element(By.CSS_SELECTOR, "#seen .name").text == (
                f"threshold {threshold}" if language == "en" else f"判定阈值 {threshold}"
            )
            assert said in browser.find_element(By.ID, "numbers-text").text


def test_the_half_life_is_said_also_where_there_is_none(browser, open_page, contents):
    flat = contents["gradient"] | {"gradient": [0.0] * len(contents["gradient"]["k"])}
    for half_life, ngrams, gradient, sentence in (
        (12.4, 2, contents["gradient"], "12 words before the end of the review: the half-life"),
        (None, 2, contents["gradient"], "its effect never falls to half"),
        (None, 2, flat, "The network has no influence on the answers: the n-grams decide alone"),
        (None, 0, flat, "its effect never falls to half"),
    ):
        network = network_with_words(model_params(ngrams=ngrams))
        open_page(network, half_life_words=half_life, gradient=gradient)
        choose_language(browser, "en")
        assert sentence in browser.find_element(By.ID, "memory-text").text


def test_a_change_that_is_rounded_to_nothing_has_no_sign(opened):
    assert opened.execute_script("return [-0.04, -0.06, 0.06].map((change) => signed(change, 1))") == [
        "0.0",
        "−0.1",
        "+0.1",
    ]


def a_sweep(settings: dict[str, object]) -> dict:
    """What the page shows of a sweep whose trials have these settings."""
    best = {"trial": 3, "status": "finished", "epochs": 3, "best_epoch": 2, "val_loss": 0.31234, "val_accuracy": 0.8676}
    best["settings"] = settings
    minutes, losses = [0.5, 1.0, 1.5], [0.4, None, 0.31234]
    return {
        "counts": {"finished": 2, "stopped": 1, "failed": 1},
        "best": [best, best | {"trial": 1, "val_loss": 0.4}, best | {"trial": 2, "status": "stopped", "val_loss": 0.3}],
        "progress": {"minutes": minutes, "best": [0.4, 0.4, 0.31234], "finished": losses, "stopped": [None, 0.3, None]},
    }


def test_the_best_trial_of_a_sweep_is_compared_with_this_run(browser, open_page):
    network = network_with_words(model_params(cell="gru"))
    settings = {"model.cell": "lstm", "model.units": 5, "model.dropout": 0.00266589, "model.own": None}
    open_page(network, sweep=a_sweep(settings))
    choose_language(browser, "en")
    assert browser.find_element(By.ID, "sweep-text").text == (
        "The best of 4 trials has a validation loss of 0.3123 and a validation accuracy of 86.8%. Its settings are "
        "model.cell = lstm (this run: gru), model.units = 5, model.dropout = 0.002666 (this run: 0), "
        "model.own = null. Finished: 2; stopped early: 1; failed: 1."
    )
    rows = browser.execute_script(
        "byId('sweep').querySelector('details').open = true;"
        "return Array.from(byId('sweep-table').rows, (row) => Array.from(row.cells, (cell) => cell.innerText))"
    )
    assert rows[1] == ["3", "0.3123", "86.8%", "lstm", "5", "0.002666", "null", "3", "finished"]
    assert [row[-1] for row in rows[2:]] == ["finished", "stopped early"]

    open_page(network, sweep=a_sweep({"model.cell": "gru", "model.bidirectional": False}))
    choose_language(browser, "en")
    assert "those of this run: model.cell = gru, model.bidir" in browser.find_element(By.ID, "sweep-text").text


def test_without_a_finished_trial_there_is_no_section_on_the_sweep(browser, open_page):
    open_page(network_with_words(model_params()), sweep=None)
    shown = [section.get_attribute("id") for section in browser.find_elements(By.TAG_NAME, "section")]
    assert shown == [name for name in SECTIONS if name != "sweep"]
    links = browser.find_elements(By.CSS_SELECTOR, "#contents a")
    assert [link.get_attribute("href").split("#")[1] for link in links] == shown


def test_hostile_settings_in_a_sweep_are_only_text(browser, open_page):
    settings = {f"model.{HOSTILE}": HOSTILE, "__proto__.a": HOSTILE, "model.__proto__": "x"}
    open_page(network_with_words(model_params()), sweep=a_sweep(settings))
    section = browser.find_element(By.ID, "sweep")
    assert section.get_attribute("textContent").count(HOSTILE) >= 2 * 3 + 3
    assert not section.find_elements(By.CSS_SELECTOR, "script, img")


def test_the_page_of_the_article_s_run_says_what_validation_means(browser, open_page, contents):
    """It has no validation scores, and the intervals of a perfect network may be missing."""
    model = network_with_words(model_params())
    parameters = contents["parameters"] | {"train": contents["parameters"]["train"] | {"validation": "test"}}
    intervals = contents["metrics"]["test_intervals"] | {"roc_auc": None}
    open_page(
        model, parameters=parameters, metrics=contents["metrics"] | {"validation": None, "test_intervals": intervals}
    )
    choose_language(browser, "en")
    assert "curves are drawn on the test reviews" in browser.find_element(By.ID, "training").text
    numbers = browser.find_element(By.ID, "numbers").text
    assert not any(word in numbers for word in ("undefined", "validation", "null"))


def test_own_reviews_are_not_called_film_reviews_and_their_skipped_rows_are_explained(browser, open_page, contents):
    left_out = {"a duplicate": 7, "3 fields where the header has 2": 1000}
    rows = {"rows_read": 1200, "left_out": left_out, "unlabelled": 3000}
    provenance = contents["provenance"] | {"source": "own"}
    open_page(network_with_words(model_params()), data_report=contents["data_report"] | rows, provenance=provenance)
    for language, title, text in (
        (
            "en",
            "A network reads reviews",
            "1,200 rows were read. Skipped: a duplicate (7); 3 fields where the header has 2 (1,000). "
            "Reviews without a label, used for their words alone: 3,000.",
        ),
        (
            "zh",
            "一个读评论的神经网络",
            "共读取 1,200 行。跳过：重复 7 行；3 fields where the header has 2 1,000 行。"
            "没有标签、只用来认词的评论：3,000 条。",
        ),
    ):
        choose_language(browser, language)
        assert browser.title == browser.find_element(By.TAG_NAME, "h1").text == title
        assert browser.find_element(By.ID, "data-text").text == text


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
    assert opened.find_element(By.CSS_SELECTOR, "#surface b.here").text == "good"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_picture_of_the_page(opened, tmp_path, language):
    choose_language(opened, language)
    opened.set_window_size(1040, 900)
    picture = Path(os.environ.get("PICTURES", tmp_path)) / ("report.png" if language == "en" else "report.zh.png")
    WebDriverWait(opened, 10).until(lambda it: it.find_element(By.CSS_SELECTOR, "#seen canvas").size["width"] > 300)
    clip = opened.execute_script(
        """
        document.documentElement.style.overflow = "hidden"; // no scroll bar
        const hidden = document.querySelectorAll("#try h2, #try-text, #examples, #share, #seen p");
        for (const it of hidden) it.style.display = "none";
        const { left, top, width } = document.querySelector("#try").getBoundingClientRect();
        const { bottom } = document.querySelector("#seen .states").getBoundingClientRect();
        return { x: left, y: top + scrollY, width, height: bottom - top + 24, scale: 1 };
        """
    )
    assert clip["width"] <= 1000
    assert clip["height"] <= 560
    taken = opened.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    picture.write_bytes(base64.b64decode(taken["data"]))
    assert picture.stat().st_size > 20_000


def test_the_words_are_coloured_where_they_are_typed_by_the_change_of_the_log_odds(browser, open_page):
    """Behind the letters of the box; what the network does not read is struck out."""
    network = network_with_words(NETWORKS["simple_rnn"], maxlen=9)
    open_page(network)
    text = "Bad, bad, the FILM — was “good”;\n not\u00a0bad: don’t   ﬁlm über 10!"
    typed_probabilities(browser, [text])
    surface = browser.find_element(By.ID, "surface")
    written, kinds, struck = browser.execute_script(
        """
        const words = [...arguments[0].querySelectorAll("b")], unread = [...arguments[0].querySelectorAll(".unread")];
        const texts = (all) => all.map((it) => it.textContent);
        return [texts(words), words.map((word) => word.className), texts(unread)];
        """,
        surface,
    )
    assert written == ["FILM", "was", "good", "not", "bad", "don’t", "", "über", "10"], "the ligature is two letters"
    assert struck == ["Bad, bad, the ", "\u200b"]
    ids = network.encode([text])[0]
    odds = logit(network.trace_ids(ids, 0))
    pushes = np.diff(odds).tolist()
    expected = [("up" if push > 0 else "down") * (abs(push) > 0.1) + " clear" * (abs(push) > 0.3) for push in pushes]
    assert len(set(expected)) >= 3
    assert [kind.replace(" unknown", "") for kind in kinds] == expected
    mirror, box = surface.find_element(By.CLASS_NAME, "words"), surface.find_element(By.ID, "text")
    assert mirror.rect == box.rect
    style = "const s = getComputedStyle(arguments[0]); return [s.font, s.padding, s.whiteSpace, s.overflowWrap]"
    assert browser.execute_script(style, mirror) == browser.execute_script(style, box)


@pytest.mark.parametrize("name", ["simple_rnn", "bidirectional"])
def test_a_word_is_struck_out_by_a_click_and_put_back_by_another(browser, open_page, name):
    """The network does not read it; the line stands still there. An edit elsewhere leaves it struck out."""
    network = network_with_words(NETWORKS[name], maxlen=30)
    open_page(network)
    choose_language(browser, "en")
    read = network.encode(["good film, not bad"])[0]
    whole, kept = read.tolist(), np.delete(read, 2).tolist()

    def shown() -> tuple[float, list[str], str]:
        WebDriverWait(browser, 10).until(lambda it: it.execute_script("return 'done' in byId('try').dataset"))
        return browser.execute_script(
            """
            const struck = [...byId("surface").querySelectorAll("b.struck")].map((it) => it.textContent);
            const status = byId("reading").querySelector(".status").textContent;
            return [Number(byId("verdict").dataset.probability), struck, status];
            """
        )

    def of(ids: list[int]) -> float:
        return pytest.approx(float(network.probabilities(ragged(ids))[0]), abs=1e-5)

    typed_probabilities(browser, ["good film, not bad"])
    click_word(browser, 1, 1.2)
    assert shown()[1] == [], "between two words"
    click_word(browser, 1, 0.9)
    probability, struck, status = shown()
    assert (probability, struck) == (of(kept), ["film"])
    assert "word 2 of 4: “film”" in status
    assert " positive, 0.0 points" in status
    assert f"with this word: {100 * network.probabilities(ragged(whole))[0]:.1f}% positive" in status
    assert browser.find_element(By.CSS_SELECTOR, "#surface b.here").text == "film"

    typed_probabilities(browser, ["good über film, not bad"])
    longer = network.encode(["good über not bad"])[0].tolist()
    assert shown()[:2] == [of(longer), ["film"]]
    typed_probabilities(browser, ["good über films, not bad"])
    assert shown()[1] == [], "another word"

    typed_probabilities(browser, ["good film, not bad"])
    click_word(browser, 1)
    click_word(browser, 1)
    assert shown()[:2] == [of(whole), []]


def test_the_character_that_is_clicked_is_struck_out(browser, open_page):
    network = replace(network_of(model_params(), 20), tokenizer="char", vocabulary=list("这部电影很好看不难"))
    open_page(network, tokenizer="char")
    typed_probabilities(browser, ["这部电影，很好看"])
    for place, share in ((0, 0.15), (2, 0.85), (7, 0.6)):  # the last one, too
        click_word(browser, place, share)
        click_word(browser, place, share)
        click_word(browser, place, share)
    struck = "return [...document.querySelectorAll('#surface b.struck')].map((it) => it.textContent).join('')"
    assert browser.execute_script(struck) == "这电看"
    click_word(browser, 3, 0.15)
    assert browser.execute_script(struck) == "这电影看"


def test_a_word_that_is_struck_out_is_not_counted_among_the_unknown_ones(browser, open_page):
    open_page(network_with_words(NETWORKS["gru"]))
    choose_language(browser, "en")
    typed_probabilities(browser, ["good qqq film"])
    assert "unknown words: 1 of 3" in browser.find_element(By.ID, "verdict").text
    click_word(browser, 0)
    assert "unknown words: 1 of 2" in browser.find_element(By.ID, "verdict").text
    click_word(browser, 1)
    assert "unknown" not in browser.find_element(By.ID, "verdict").text


def test_the_cursor_on_the_curve_shows_the_word(opened):
    typed_probabilities(opened, ["a good film"])
    WebDriverWait(opened, 10).until(lambda it: it.find_elements(By.CSS_SELECTOR, "#seen .u-over"))
    plot = opened.find_element(By.CSS_SELECTOR, "#seen .u-over")
    ActionChains(opened).move_to_element_with_offset(plot, round(plot.size["width"] / 6), 0).perform()
    assert opened.find_element(By.CSS_SELECTOR, "#surface b.here").text == "good"
    ActionChains(opened).move_to_element(opened.find_element(By.TAG_NAME, "h1")).perform()
    assert opened.find_element(By.CSS_SELECTOR, "#surface b.here").text == "good"


def test_words_are_struck_out_with_the_keyboard(opened):
    choose_language(opened, "en")
    typed_probabilities(opened, ["a good film"])
    slider = opened.find_element(By.CSS_SELECTOR, "#reading input")
    slider.send_keys(Keys.ARROW_LEFT, Keys.DELETE)
    assert opened.find_element(By.CSS_SELECTOR, "#surface b.struck").text == "good"
    assert "struck out" in slider.get_attribute("aria-valuetext")
    button = opened.find_elements(By.CSS_SELECTOR, "#reading .controls button")[1]
    assert button.text == "Put back"
    button.send_keys(Keys.ENTER)
    assert not opened.find_elements(By.CSS_SELECTOR, "#surface b.struck")
    assert button.text == "Strike out"


@pytest.mark.parametrize("name", ["simple_rnn", "everything"])
def test_the_heat_map_s_weights_make_the_answer_of_the_states(browser, open_page, name):
    network = network_with_words(NETWORKS[name])
    open_page(network)
    readout, states, width, probability = browser.execute_script(
        """
        const it = openNetwork(contents.network), { ids } = it.encode("the film was good");
        const { states, width, probabilities } = it.predict(ids);
        return [[...it.readout(0)], [...states], width, probabilities[0]];
        """
    )
    head = network.weights.head_kernel.reshape(-1, width)
    np.testing.assert_allclose(readout, head.sum(axis=0), atol=1e-6)
    if name == "simple_rnn":
        last = np.reshape(states, (-1, width))[-1]
        assert last @ readout + float(network.weights.head_bias[0]) == pytest.approx(logit(probability), abs=1e-5)


@pytest.mark.parametrize("width", [360, 768, 1400, 1920])
def test_nothing_is_cut_off(opened, width):
    """But in what can be scrolled, which is said by a scroll bar."""
    metrics = {"width": width, "height": 780, "deviceScaleFactor": 1, "mobile": width < 600}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        for language in ("en", "zh"):
            choose_language(opened, language)
            opened.execute_script(UNFOLD)
            cut = opened.execute_script(
                """
                const isScroller = (it) => /auto|scroll/.test(getComputedStyle(it).overflowX);
                const scrolls = (it) => it && (isScroller(it) || scrolls(it.parentElement));
                const isCut = (it) => it.getClientRects().length && it.getBoundingClientRect().right > innerWidth + 1;
                const cut = [...document.querySelectorAll("body *")].filter((it) => isCut(it) && !scrolls(it));
                return cut.map((it) => it.outerHTML.slice(0, 99));
                """
            )
            assert cut == []
            assert opened.execute_script("return document.documentElement.scrollWidth") <= width
            examples = opened.find_element(By.CSS_SELECTOR, "#behaviour .scroll")
            assert opened.execute_script("return arguments[0].scrollWidth - arguments[0].clientWidth", examples) == 0
            if width == 360:
                assert opened.find_element(By.ID, "text").rect["y"] < 700, "the box is on a phone's first screen"
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_link_fills_the_box(opened):
    text = "100% good & bad + <b>film</b>\n#text=no 电影"
    typed_probabilities(opened, [text])
    opened.find_element(By.ID, "share").click()
    WebDriverWait(opened, 10).until(lambda it: it.find_element(By.ID, "shared").text)
    link = opened.current_url
    typed_probabilities(opened, ["another text"])
    assert not opened.find_element(By.ID, "shared").text
    assert opened.current_url == link.split("#")[0], "of another text"
    opened.get("about:blank")
    for address, expected in ((link, text), (link.split("#")[0] + "#text=a%20good+%zz", "a good %zz")):
        opened.get(address)  # the second one differs in the fragment alone
        WebDriverWait(opened, 10).until(lambda it: it.find_element(By.ID, "text").get_attribute("value"))
        assert opened.find_element(By.ID, "text").get_attribute("value") == expected
        assert (
            opened.find_element(By.CSS_SELECTOR, "#surface .words").get_property("textContent") == f"{expected}\u200b"
        )


def test_a_link_has_no_word_that_is_struck_out(opened):
    choose_language(opened, "en")
    typed_probabilities(opened, ["a good film"])
    click_word(opened, 1)
    opened.find_element(By.ID, "share").click()
    assert opened.current_url.endswith("#text=a++film")
    opened.execute_script("history.replaceState = () => { throw new DOMException('too often', 'SecurityError'); }")
    opened.find_element(By.ID, "share").click()
    WebDriverWait(opened, 10).until(lambda it: "cannot" in it.find_element(By.ID, "shared").text)
    typed_probabilities(opened, ["a good film"])
    assert float(opened.find_element(By.ID, "verdict").get_attribute("data-probability"))


def test_it_is_printed_without_controls_and_on_white(opened):
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    ground = "return getComputedStyle(document.body).backgroundColor"
    try:
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
        assert opened.execute_script(ground) != "rgb(255, 255, 255)"
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
        assert opened.execute_script(ground) == "rgb(255, 255, 255)"
        assert not any(it.is_displayed() for it in opened.find_elements(By.CSS_SELECTOR, "button, input, nav"))
        assert opened.find_element(By.CSS_SELECTOR, "#seen canvas").is_displayed()
    finally:
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


@pytest.mark.parametrize("width", [360, 1400])
def test_lines_are_named_at_their_ends(opened, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        choose_language(opened, "en")
        opened.execute_script(UNFOLD)
        names = "return document.querySelectorAll('#together .name').length"
        WebDriverWait(opened, 10).until(lambda it: it.execute_script(names))
        for figure, expected in {
            "loss": {"training", "validation"},
            "gradient": set(),
            "compared-gradient": {"SimpleRNN", "LSTM", "GRU"},
            "compared-last-words": {"SimpleRNN", "LSTM", "GRU"},
            "together": {"SimpleRNN", "LSTM", "GRU", "threshold 0.5"},
            "calibration": {"ideal"},
        }.items():
            found = opened.execute_script(
                """
                const { right } = document.querySelector(`#${arguments[0]} figure`).getBoundingClientRect();
                return [...document.querySelectorAll(`#${arguments[0]} .name`)].map((it) => {
                  const box = it.getBoundingClientRect();
                  return [it.textContent, box.top, right - box.right];
                });
                """,
                figure,
            )
            assert {name for name, _, _ in found} == expected, figure
            ends = [row for row in found if row[0] not in ("ideal", "threshold 0.5")]
            assert all(room >= -1 for _, _, room in ends), figure
            assert all(gap >= 12 for gap in np.diff(sorted(top for _, top, _ in ends))), figure
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_curve_of_memory_is_relative_and_ends_where_few_reviews_are_that_long(browser, open_page, contents):
    k = list(range(6))
    reached = {"k": k, "gradient": [4, 2, 1, 0.5, 0.25, 8], "n_reviews": [80, 80, 60, 20, 10, 9]}
    open_page(network_with_words(model_params()), gradient=reached)
    choose_language(browser, "en")
    chart = browser.find_element(By.CSS_SELECTOR, "#gradient [role=img]")
    assert chart.get_attribute("aria-label").endswith("network from 1 to 0.0625")


def test_a_count_is_not_rounded_where_the_cursor_is(browser, open_page):
    points = [
        {"reviews": count, "accuracy": 0.81234, "baseline": 0.8, "low": 0.7, "high": 0.9} for count in (6172, 12345)
    ]
    curve = [point | {"expected": False} for point in points]
    open_page(network_with_words(model_params()), curve=curve)
    choose_language(browser, "en")
    WebDriverWait(browser, 10).until(lambda it: it.find_elements(By.CSS_SELECTOR, "#curve .u-over"))
    plot = browser.find_element(By.CSS_SELECTOR, "#curve .u-over")
    browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", plot)
    ActionChains(browser).move_to_element_with_offset(plot, plot.size["width"] // 2 - 3, 0).perform()
    told = browser.find_element(By.CSS_SELECTOR, "#curve .readout").text
    assert told.startswith("reviews to learn from: 12345 · network: 0.812 · ")


def test_every_text_can_be_read():
    """The contrast of WCAG is at least 4.5, in both themes."""
    css = (PAGE / "page.css").read_text(encoding="utf-8")
    light, dark = ("".join(block) for block in re.findall(r":root \{([^}]*)\}", css)[:2])
    for theme in (light, dark):
        values = dict(re.findall(r"--([\w-]+): ([^;]+);", theme))
        hexes = {name: value for name, value in values.items() if value.startswith("#")}
        rgb = {name: np.array([int(value[at : at + 2], 16) for at in (1, 3, 5)]) for name, value in hexes.items()}
        assert len(rgb) == 11
        assert "gate" in values
        grounds = [rgb.pop("ground"), rgb.pop("panel")]
        del rgb["line"]
        for name, colour in rgb.items():
            assert min(contrast(colour, ground) for ground in grounds) >= 4.5, name
        for side in ("up", "down"):  # behind a word: at most STRONGEST of it
            strongest = 0.55 * np.array([int(part) for part in values[side].split(",")]) + 0.45 * grounds[0]
            assert contrast(rgb["text"], strongest) >= 4.5, side


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    def luminance(colour: np.ndarray) -> float:
        share = colour / 255
        return float(
            np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        )

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
