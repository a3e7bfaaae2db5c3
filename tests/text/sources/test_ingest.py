from own_reviews import own_params, write_table

from imdb_rnn.text.sources import ingest
from imdb_rnn.text.sources.ingest import NONE, IngestedRows, texts_of
from imdb_rnn.text.sources.rows import find_sources


def test_texts_come_in_chunks_and_the_rest_of_their_rows_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(ingest, "TASK_TEXTS", 3)
    rows = [["good film", 1, "x"], ["", 1, "x"], ["bad film", 0, "y"], ["more", "", "y"], ["very good", 1, ""]]
    write_table(tmp_path, rows, ("text", "label", "film"))
    params = own_params(group_column="film")
    sources, _ = find_sources(params, tmp_path / "data/own")
    found = IngestedRows(is_grouped=True)
    assert list(texts_of(params, sources, found)) == [["good film", "bad film", "more"], ["very good"]]
    assert found.labels.tolist() == [0, 1, NONE, 0]
    assert found.places == ["a.csv, row 1", "a.csv, row 3"]
    assert (found.rows, found.left_out) == ({"a.csv": 5}, {"no text": 1})
    assert (found.sources.tolist(), found.numbers.tolist()) == ([0] * 4, [1, 3, 4, 5])
    assert found.groups[1] == found.groups[2] != found.groups[0]
    assert len(set(found.groups)) == 3
    assert found.examples == [(0, "good film"), (1, "bad film"), (0, "very good")]
