"""The section of the page in which three small networks read what is typed, in a browser."""

import base64
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from material import ROOT, model_params, network_of
from networks import CELLS
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from imdb_rnn.engine import reference
from imdb_rnn.keras_model import load_keras
from imdb_rnn.model import Model
from imdb_rnn.reporting.small_networks import SMALL_NETWORKS, load

# The page is that of `finished`, as in test_report_page.py.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("finished")]

TEXT = "I expected a terrible film, but it was not bad at all; in the end I loved it."
OPEN = "const it = openNetwork({ ...contents.cells.networks[arguments[0]], vocabulary: contents.cells.vocabulary });"
NETWORKS = load(ROOT / SMALL_NETWORKS)
LAST = {one.network.params.cell: one.network for one in NETWORKS}


@pytest.fixture
def section(opened):
    """The section of the report, in English."""
    opened.execute_script("setLanguage('en')")
    opened.execute_script("byId('cells').scrollIntoView()")
    return opened.find_element(By.ID, "cells")


def type_text(section, text: str) -> None:
    script = """
        delete byId("cells").dataset.done;
        byId("text").value = arguments[0];
        byId("text").dispatchEvent(new Event("input"));
    """
    section.parent.execute_script(script, text)
    wait(section)


def wait(section) -> None:
    WebDriverWait(section.parent, 10).until(lambda _: section.get_attribute("data-done"))


def choose(section, cell: str) -> None:
    section.parent.execute_script("delete byId('cells').dataset.done")
    section.find_element(By.CSS_SELECTOR, f"[data-cell={cell}]").click()
    wait(section)


def move(section, name: str, to: int) -> None:
    """Move a slider: `epoch`, or `word`."""
    slider = section.find_element(By.CSS_SELECTOR, {"epoch": "#cells-epoch", "word": ".at-plot"}[name])
    script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
    section.parent.execute_script(script, slider, to)


def probabilities(section) -> dict[str, float]:
    buttons = section.find_elements(By.CSS_SELECTOR, "[data-cell]")
    return {button.get_attribute("data-cell"): float(button.get_attribute("data-probability")) for button in buttons}


def parameters_of(contents: dict, network: Model, **data: object) -> dict:
    """The parameters of a run on the bundled reviews, but for changes of `data`."""
    bundled = {"source": "bundled", "bundled": {"test_fraction": 0.2}}
    return contents["parameters"] | {"model": network.params.model_dump(), "data": bundled | data}


def steps_of(network: Model, ids: np.ndarray) -> list:
    """The state and the cache of each step of the reference."""
    step, _ = reference.CELLS[network.params.cell]
    weights = network.weights.layers[0][0]
    state, found = (np.zeros(network.params.units),) * 2, []
    for word in ids:
        state, cache = step(network.weights.embeddings[word].astype(float), state, weights)
        found.append((state, cache))
    return found


def sums_of(network: Model, word: int, state: np.ndarray, unit: int) -> dict[str, list[float]]:
    """What a word and the old state bring to a unit, by the symbols of the gates and the candidate."""
    kernel, recurrent, bias = network.weights.layers[0][0]
    input_bias, recurrent_bias = bias if bias.ndim == 2 else (bias, 0)
    inputs = network.weights.embeddings[word] @ kernel + input_bias
    products = state @ recurrent + recurrent_bias
    symbols = {"simple_rnn": "h", "lstm": "ifgo", "gru": "zrg"}[network.params.cell]
    places = range(unit, len(inputs), network.params.units)
    return {symbol: [inputs[k], products[k]] for symbol, k in zip(symbols, places, strict=True)}


def test_all_of_them_read_as_in_python(opened, corpus):
    rows = np.arange(0, len(corpus.test), 250)
    reviews = [" ".join(corpus.vocabulary[rank - 1] for rank in corpus.test.ranks[row] if rank) for row in rows]
    texts = [TEXT, "", "good", "Chalamet bored me — 10/10", *reviews]
    script = OPEN + "return arguments[1].map((text) => it.predict(it.encode(text).ids).probabilities[0])"
    for place, (network, *_) in enumerate(NETWORKS):
        shown = opened.execute_script(script, place, texts)
        np.testing.assert_allclose(shown, network.predict_proba(texts), atol=1e-4, rtol=0)
        assert np.ptp(shown) > (0.2 if network.best_epoch else 0.001)


@pytest.mark.parametrize("cell", CELLS)
def test_the_gates_are_those_of_a_keras_cell(opened, cell):
    """Which tells them by the functions that it makes them with."""
    network, seen = LAST[cell], []
    keras = load_keras()

    def noting(function):
        def noted(x):
            seen.append(np.asarray(function(x))[0])
            return function(x)

        return noted

    functions = {"activation": noting(keras.ops.tanh)}
    if cell != "simple_rnn":
        functions["recurrent_activation"] = noting(keras.ops.sigmoid)
    kinds = {"simple_rnn": keras.layers.SimpleRNNCell, "lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell}
    made = kinds[cell](network.params.units, **functions)
    made.build((None, network.params.embedding_dim))
    made.set_weights(list(network.weights.layers[0][0]))
    states = [np.zeros((1, network.params.units), np.float32)] * (2 if cell == "lstm" else 1)
    ids, gates = network.encode([TEXT])[0], []
    for word in ids:
        seen.clear()
        _, states = made(network.weights.embeddings[[word]], states)
        gates.append(np.concatenate(seen)[: network.weights.layers[0][0].kernel.shape[1]])  # then an LSTM's tanh(c)
    place = [one.network for one in NETWORKS].index(network)
    found = opened.execute_script(OPEN + "return Array.from(it.steps(arguments[1]).gates)", place, ids.tolist())
    np.testing.assert_allclose(np.reshape(found, (len(ids), -1)), gates, atol=1e-4, rtol=0)


def test_before_training_they_know_nothing_and_then_they_follow_what_is_typed(section):
    type_text(section, TEXT)
    wait(section)
    assert "Look at the cell state" in section.text
    section.parent.execute_script("delete byId('cells').dataset.done")
    move(section, "epoch", 0)
    wait(section)
    assert "before training" in section.text
    assert "Look at" not in section.text, "there is nothing to see yet"
    assert list(probabilities(section).values()) == pytest.approx([0.5] * 3, abs=0.06)
    move(section, "epoch", 5)
    assert "after epoch 8" in section.text
    for text in (TEXT, "A wonderful film.", "A terrible film.", ""):
        type_text(section, text)
        expected = {cell: network.predict_proba([text])[0] for cell, network in LAST.items()}
        assert probabilities(section) == pytest.approx(expected, abs=1e-3)
    type_text(section, TEXT)
    before = section.find_element(By.CSS_SELECTOR, ".curve").get_attribute("points")
    move(section, "epoch", 1)
    WebDriverWait(section.parent, 10).until(
        lambda _: section.find_element(By.CSS_SELECTOR, ".curve").get_attribute("points") != before
    )
    move(section, "epoch", 5)


def test_what_is_printed_was_read_though_nobody_scrolled_there(section):
    def type_out_of_view(text: str) -> dict[str, float]:
        section.parent.execute_script(
            """
            byId("run").scrollIntoView();
            const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
            return (async () => {
              await wait(200); // for the observer
              byId("text").value = arguments[0];
              byId("text").dispatchEvent(new Event("input"));
              await wait(200);
            })();
            """,
            text,
        )
        return probabilities(section)

    texts = ("A wonderful film.", "A terrible film.", "Dull.")
    good, bad, dull = ({cell: one.predict_proba([text])[0] for cell, one in LAST.items()} for text in texts)
    type_text(section, texts[0])
    assert type_out_of_view(texts[1]) == pytest.approx(good, abs=1e-3)
    section.parent.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert probabilities(section) == pytest.approx(bad, abs=1e-3)
    assert type_out_of_view(texts[2]) == pytest.approx(bad, abs=1e-3)
    section.parent.execute_script("byId('cells').scrollIntoView()")
    WebDriverWait(section.parent, 10).until(lambda _: probabilities(section) == pytest.approx(dull, abs=1e-3))


def test_a_word_that_is_struck_out_is_read_by_none(section):
    type_text(section, "A terrible film.")
    section.parent.execute_script("delete byId('cells').dataset.done")
    word = section.parent.find_elements(By.CSS_SELECTOR, "#surface b")[1]
    ActionChains(section.parent).move_to_element(word).click().perform()
    section.parent.execute_script("byId('cells').scrollIntoView()")
    wait(section)
    expected = {cell: network.predict_proba(["A film."])[0] for cell, network in LAST.items()}
    assert probabilities(section) == pytest.approx(expected, abs=1e-3)
    type_text(section, "")


@pytest.mark.parametrize("cell", CELLS)
def test_the_equation_has_the_numbers_of_the_word(section, cell):
    type_text(section, TEXT)
    choose(section, cell)
    network = LAST[cell]
    ids = network.encode([TEXT])[0]
    steps = steps_of(network, ids)
    readout = network.weights.head_kernel[:, 0]
    for word in (4, 17):
        move(section, "word", word)
        (h_before, _), (h, c), cache = steps[word - 1][0], *steps[word]
        unit = int(np.argmax(np.abs(readout * (h - h_before))))
        lines = section.find_elements(By.CSS_SELECTOR, "[data-symbol]")
        shown = {
            line.get_attribute("data-symbol"): float(line.find_element(By.TAG_NAME, "strong").text.replace("−", "-"))
            for line in lines
        }
        assert f"unit {unit + 1} of 16" in section.text
        values = {"h": h, "v": readout * h}
        if cell == "lstm":
            values |= dict(zip("ifgo", cache[:4], strict=True)) | {"c": c}
        elif cell == "gru":
            values |= dict(zip("zrg", cache[:3], strict=True))
        assert shown == pytest.approx({name: value[unit] for name, value in values.items()}, abs=0.0051)
        for symbol, sums in sums_of(network, ids[word], h_before, unit).items():
            line = section.find_element(By.CSS_SELECTOR, f"[data-symbol={symbol}]")
            told = [line.find_element(By.CSS_SELECTOR, f".{of}").text for of in ("of-word", "of-memory")]
            sign = -1 if re.search(r"− (r·)?$", line.text.split(told[1])[0]) else 1
            assert [float(told[0].replace("−", "-")), sign * float(told[1])] == pytest.approx(sums, abs=0.0051)
        assert ("h·U + b′." if cell == "gru" else "h·U.") in section.text
        assert f"reads “{TEXT.replace(',', '').replace(';', '').lower().split()[word - 1]}”" in section.text


def test_words_and_units_are_chosen_with_the_keyboard_or_by_pointing(section):
    type_text(section, TEXT)
    choose(section, "lstm")
    heading = section.find_element(By.CSS_SELECTOR, ".step")
    assert "reads “terrible”" in heading.text, "the word that moves it most comes first"
    section.find_element(By.CSS_SELECTOR, ".at-plot").send_keys(Keys.ARROW_RIGHT)
    assert "reads “film”" in heading.text
    section.find_elements(By.CSS_SELECTOR, ".words b")[-2].click()
    assert "reads “loved”" in heading.text
    canvas = section.find_elements(By.CSS_SELECTOR, "canvas.units")[2]
    section.parent.execute_script(
        """
        const [canvas] = arguments, { left, top, width } = canvas.getBoundingClientRect();
        const at = { clientX: left + (9.5 / 18) * width, clientY: top + 1, bubbles: true };
        canvas.dispatchEvent(new MouseEvent("click", at));
        """,
        canvas,
    )
    highest = int(np.argmax(LAST["lstm"].weights.head_kernel[:, 0])) + 1
    assert re.search(rf"reads “bad”\nword 10 of 18, unit {highest} of 16", heading.text)
    chosen = heading.find_element(By.TAG_NAME, "select")
    assert chosen.get_attribute("value") == str(highest - 1)
    chosen.send_keys(Keys.HOME)
    assert chosen.get_attribute("value") == ""
    chosen.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)  # it keeps the focus
    second = int(np.argsort(LAST["lstm"].weights.head_kernel[:, 0])[-2]) + 1
    assert f"unit {second} of 16" in heading.text


def test_it_shows_how_it_learns(section):
    type_text(section, TEXT)
    play = section.find_element(By.CSS_SELECTOR, ".controls button")
    play.click()
    assert play.text == "Stop"
    WebDriverWait(section.parent, 20).until(lambda _: "after epoch 2" in section.text)
    play.click()
    assert play.text == "Watch it learn"
    move(section, "epoch", 5)


@pytest.mark.parametrize(("language", "name"), [("en", "cells.png"), ("zh", "cells.zh.png")])
def test_a_picture_of_them(section, tmp_path, language, name):
    """PICTURES=docs keeps it for the README."""
    browser = section.parent
    browser.set_window_size(859, 1290)  # one column
    browser.execute_script("setLanguage(arguments[0])", language)
    type_text(section, TEXT)
    for cell in ("simple_rnn", "lstm"):  # the chart of all, and below it the words and the hidden states of two
        choose(section, cell)
        browser.execute_script(
            """
            document.documentElement.style.overflow = "hidden"; // no scroll bar
            const section = byId("cells"), plot = section.querySelector(".cells-inside figure");
            const words = section.querySelector(".words").cloneNode(true);
            words.prepend(element("strong", {}, section.querySelector("[aria-pressed=true] b").textContent), " ");
            words.querySelector(".here")?.classList.remove("here");
            const strip = [...section.querySelectorAll(".cells-inside .strip")].at(-1);
            const canvas = strip.querySelector("canvas").cloneNode();
            canvas.getContext("2d").drawImage(strip.querySelector("canvas"), 0, 0);
            const copy = strip.cloneNode();
            copy.style.height = "48px";
            copy.append(canvas);
            const picture = byId("picture") ?? element("div", { id: "picture" }, plot.cloneNode(true));
            picture.append(words, copy);
            section.append(picture);
            """
        )
    clip = browser.execute_script(
        """
        const { left, top, width, height } = byId("picture").getBoundingClientRect();
        return { x: left - 12, y: top + scrollY - 4, width: width + 24, height: height + 16, scale: 1 };
        """
    )
    assert clip["width"] <= 1000
    assert clip["height"] <= 560
    taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    picture = Path(os.environ.get("PICTURES", tmp_path)) / name
    picture.write_bytes(base64.b64decode(taken["data"]))
    assert picture.stat().st_size > 20_000


def test_a_page_without_them_has_no_such_section(browser, open_page):
    open_page(network_of(model_params()), cells=None)
    assert not browser.find_elements(By.ID, "cells")
    assert "#cells" not in browser.find_element(By.ID, "contents").get_attribute("innerHTML")


@pytest.mark.parametrize("cell", ["gru", "simple_rnn"])
def test_the_network_of_the_run_stands_beside_them_if_it_has_gates(browser, open_page, contents, cell):
    network = LAST[cell]
    open_page(network, parameters=parameters_of(contents, network))
    browser.execute_script("setLanguage('en'); byId('cells').scrollIntoView()")
    own = browser.find_elements(By.CSS_SELECTOR, "[data-cell=own]")
    if cell == "simple_rnn":
        assert not own
        return
    section = browser.find_element(By.ID, "cells")
    type_text(section, TEXT)
    choose(section, "own")
    assert own[0].text.startswith("this run")
    assert probabilities(section)["own"] == pytest.approx(network.predict_proba([TEXT])[0], abs=1e-3)
    move(section, "epoch", 0)
    assert probabilities(section)["own"] == pytest.approx(network.predict_proba([TEXT])[0], abs=1e-3)
    assert [line.get_attribute("data-symbol") for line in section.find_elements(By.CSS_SELECTOR, "[data-symbol]")] == [
        *"zrghv"
    ]
    assert "Look at the update gate" in section.text, "this run is trained"


def test_only_a_network_of_the_same_test_reviews_stands_beside_them(browser, open_page, contents):
    network = LAST["gru"]
    for threshold, changes, count in (
        (0.5, {}, 4),
        (0.6, {}, 3),
        (0.5, {"source": "own"}, 3),
        (0.5, {"bundled": {"test_fraction": 0.5}}, 3),
    ):
        open_page(replace(network, threshold=threshold), parameters=parameters_of(contents, network, **changes))
        assert len(browser.find_elements(By.CSS_SELECTOR, "[data-cell]")) == count
