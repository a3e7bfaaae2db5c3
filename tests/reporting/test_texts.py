import re
from string import Formatter

import pytest
from material import ROOT

from imdb_rnn.core.params import LANGUAGES
from imdb_rnn.reporting import texts


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_templates_of_the_card_have_the_same_parts():
    english, chinese = ((ROOT / f"imdb_rnn/reporting/card_{language}.md").read_text() for language in LANGUAGES)
    assert re.findall(r"^#+ ", english, re.MULTILINE) == re.findall(r"^#+ ", chinese, re.MULTILINE)
    assert set(re.findall(r"\$\{\w+\}", english)) == set(re.findall(r"\$\{\w+\}", chinese))


@pytest.mark.parametrize("phrases", [texts.PHRASES, texts.HEADINGS, texts.FIGURE_LABELS, texts.SLICES, texts.TESTS])
def test_everything_has_a_name_in_both_languages(phrases):
    english, chinese = (texts.in_language(phrases, language) for language in LANGUAGES)
    for name in phrases:
        assert english[name] != chinese[name]
        if isinstance(english[name], str):
            assert placeholders(english[name]) == placeholders(chinese[name]), name
        else:
            assert len(english[name]) == len(chinese[name]), name
