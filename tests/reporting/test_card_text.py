from string import Formatter

import pytest

from imdb_rnn.reporting import card_text


def places(text: str) -> set[str]:
    """What a text leaves to be filled in."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_say_the_same_of_a_run():
    english, chinese = card_text.TEXT["en"], card_text.TEXT["zh"]
    assert places(english) == places(chinese)
    headings = [[line.count("#") for line in text.splitlines() if line.startswith("#")] for text in (english, chinese)]
    assert headings[0] == headings[1]
    english, chinese = card_text.PHRASES["en"], card_text.PHRASES["zh"]
    assert list(english) == list(chinese)
    for name in english:
        assert places(english[name]) == places(chinese[name]), name


@pytest.mark.parametrize("names", [card_text.HEADINGS, card_text.SLICES, card_text.TESTS])
def test_everything_has_a_name_in_both_languages(names):
    for name, languages in names.items():
        assert set(languages) == {"en", "zh"}, name
        assert len(languages["en"]) == len(languages["zh"]) or isinstance(languages["en"], str), name
