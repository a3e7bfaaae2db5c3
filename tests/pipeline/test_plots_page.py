"""The page that `dvc plots` writes, opened in a browser that has no network."""

import pytest
import yaml
from material import complaints
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = pytest.mark.slow

CHARTS = "return Array.from(document.querySelectorAll('.vega-embed canvas'), (c) => [c.closest('[id]').id, c.width])"
PICTURES = "return Array.from(document.images, (image) => [decodeURI(image.src), image.naturalWidth])"


def test_every_plot_is_drawn_and_nothing_is_fetched(project, browser):
    project.run("dvc", "plots", "show")
    plots = yaml.safe_load((project.folder / "dvc.yaml").read_text())["plots"]
    charts = {name for plot in plots if isinstance(plot, dict) for name in plot}
    pictures = [plot for plot in plots if isinstance(plot, str)]

    complaints(browser)
    browser.get((project.folder / "dvc_plots/index.html").as_uri())
    WebDriverWait(browser, 20).until(lambda it: {name for name, width in it.execute_script(CHARTS) if width} == charts)
    shown = browser.execute_script(PICTURES)
    assert len(shown) == len(pictures)
    assert all(width for _, width in shown)
    for picture in pictures:
        assert any(source.endswith(picture.replace("/", "_")) for source, _ in shown)
    assert complaints(browser) == []
