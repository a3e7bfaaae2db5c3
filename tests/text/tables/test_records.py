import json

import pytest

from imdb_rnn.text.tables import Row, described, open_table, read_rows

OBJECTS = [{"text": 'a "good"\nfilm 好', "stars": 5}, {"text": "NA", "stars": None, "more": {"tags": [1, {"a": 2}]}}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n".join(map(json.dumps, OBJECTS)), "JSON lines"),
        ("\r\n\r\n".join(json.dumps(each, ensure_ascii=False) for each in OBJECTS) + "\r\n", "JSON lines"),
        (json.dumps(OBJECTS), "JSON array"),
        (json.dumps(OBJECTS, indent=1), "JSON array"),
        ("\n".join(json.dumps(each, indent=2) for each in OBJECTS), "JSON array"),
        ("".join(map(json.dumps, OBJECTS)), "JSON array"),
        (json.dumps({"version": {"n": 1}, "names": ["a"], "data": OBJECTS}), "JSON array"),
        (json.dumps({"count": 2, "data": OBJECTS, "next": None}, indent=1), "JSON array"),
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv"])
def test_json_is_read_in_all_its_shapes(write, text, said, name):
    table = open_table(write(name, text))
    assert [row.values for row in read_rows(table)] == OBJECTS
    assert table.columns == ["text", "stars", "more"]
    assert described(table) == f"{said}, UTF-8"


def test_a_long_array_in_one_line_is_read(write):
    objects = [{"text": f"film {number} " * 5, "label": number % 2} for number in range(20_000)]
    for separators in ((",", ":"), (", ", ": ")):
        path = write("a.json", json.dumps(objects, separators=separators))
        assert [row.values for row in read_rows(open_table(path))] == objects


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "not valid JSON"),
        ("{'stars': 5}", "not valid JSON"),
        ('{"a":' + "[" * 100_000, "not valid JSON"),
        ('{"stars": ' + "9" * 10_000 + "}", "not valid JSON"),
        ("null", "not a JSON object"),
        (b'{"text": "caf\xe9"}', "not UTF-8"),
        (r'{"text": "\ud83d"}', "an unpaired surrogate escape"),
    ],
    ids=range(7),
)
def test_a_line_of_json_says_why_it_cannot_be_read(write, line, fault):
    line = line.encode() if isinstance(line, str) else line
    good = b'{"text": "\\ud83d\\ude00 \xe5\xa5\xbd", "price": NaN, "n": 1e999}\n'
    rows = list(read_rows(open_table(write("a.jsonl", good * 2 + line + b"\n" + good))))
    assert [row.fault for row in rows] == ["", "", fault, ""]
    assert rows[3] == Row(4, {"text": "😀 好", "price": None, "n": None})
