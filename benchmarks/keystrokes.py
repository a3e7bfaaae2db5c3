"""How long a keystroke takes in the report: `python -m benchmarks.keystrokes`.

Opens `results/report/index.html` in headless Chromium, fills the box with 500 words of test reviews, types on, letter
by letter, and prints the time from each keystroke to the frame that shows it.
"""

import shutil
import tempfile

import numpy as np
from selenium import webdriver

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command

WORDS, TYPED = 500, " and in the end it was truly wonderful to watch"

TYPE = """
const [count, typed, done] = arguments, text = byId("text"), times = [];
text.value = contents.traces.flatMap((trace) => trace.words).slice(0, count).join(" ");
text.dispatchEvent(new Event("input"));
const next = (i) => {
  if (i === typed.length) return done(times);
  const begun = performance.now();
  text.value += typed[i];
  text.dispatchEvent(new Event("input"));
  requestAnimationFrame(() => {
    const shown = new MessageChannel(); // its message comes after the frame
    shown.port1.onmessage = () => {
      times.push(performance.now() - begun);
      setTimeout(next, 100, i + 1);
    };
    shown.port2.postMessage(null);
  });
};
setTimeout(next, 2000, 0);
"""


def main() -> None:
    page = files.require(files.REPORT / "index.html", "report")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        raise UserError("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    with tempfile.TemporaryDirectory() as profile:
        for argument in ("headless", "no-sandbox", "disable-gpu", f"user-data-dir={profile}"):
            options.add_argument(f"--{argument}")
        browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
        try:
            browser.get(page.absolute().as_uri())
            times = np.array(browser.execute_async_script(TYPE, WORDS, TYPED))
        finally:
            browser.quit()
    print(f"{len(times)} keystrokes: median {np.median(times):.0f} ms, longest {times.max():.0f} ms")


if __name__ == "__main__":
    run_command(main)
