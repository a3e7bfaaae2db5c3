import gzip
import io
import json
import os
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

pytestmark = pytest.mark.slow

CSV = "id;text\n1;a wonderful film\n2;\n3;terrible\n".encode("utf-8-sig")


@pytest.mark.parametrize(
    ("name", "table", "kind"),
    [
        ("table.csv", CSV, "text/csv"),
        ("table.tsv", b"text\tid\na wonderful film\t1\n", "text/tab-separated-values"),
        ("table.csv", "text,id\n很 wonderful,1\n电影,2\n".encode("gb18030"), "application/octet-stream"),
        ("table.jsonl", b'{"text": "wonderful", "id": 1}\n{"text": "terrible", "id": 2}\n', "application/jsonl"),
        ("table.json", b'[{"text": "wonderful"}, {"text": "terrible"}]', "application/octet-stream"),
    ],
)
def test_a_table_is_scored_as_by_the_command(service, predict, project, name, table, kind):
    (project / name).write_bytes(table)
    out = f"scored{os.path.splitext(name)[1]}"  # noqa: PTH122
    predict("--table", name, "--out", out, "--probabilities", "--unsure", "0.2")
    scored = project.joinpath(out).read_bytes()
    assert scored.count(b"pos") + scored.count(b"unsure") > 0
    assert service.upload("any name", table, probabilities="true", unsure="0.2") == (200, scored)
    assert service.ask("/predict?probabilities=true&unsure=0.2", table, kind) == (200, scored)


def test_a_workbook_comes_back_as_a_workbook(service):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["review", "a wonderful film", "terrible"])
        sheet.write_column(0, 1, ["note", "kept", "kept"])
    status, said = service.upload("reviews.xlsx", content.getvalue(), text_column="review")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(said)).get_sheet_by_index(0).to_python()
    assert status == 200
    assert rows[0] == ["review", "note", "predicted_probability", "predicted_label"]
    assert [row[3] for row in rows[1:]] == ["positive", "negative"]


# The end record of a zip archive says that its list of files begins where there is none.
DAMAGED = b"PK\x03\x04" + 26 * b"\0" + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, 46, 9, 0)


@pytest.mark.parametrize(
    ("table", "fields", "status", "fault"),
    [
        (b"", {}, 422, "table is empty; put a table there"),
        (
            b'{"text": "a"}\n{"text": [1]}\n',
            {},
            422,
            "table.jsonl, row 2: [1] is no text; is text_column another column?",
        ),
        (b"review,stars\na,1\nb,2\n", {"text_column": "text"}, 422, "table.csv has no column 'text'; it has review, "),
        (b"text\na\n", {"unsure": "often"}, 422, "unsure: Input should be a valid number"),
        (b"text\na\n", {"wish": "1"}, 422, "wish: Extra inputs are not permitted"),
        (gzip.compress(b"text\na\n"), {}, 415, "the table is compressed"),
        (DAMAGED, {}, 422, "table is damaged"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_wrong_with_a_table_is_said_in_a_line_without_our_paths(service, table, fields, status, fault):
    answered, said = service.upload("reviews.csv", table, **fields)
    assert answered == status
    detail = json.loads(said)["detail"]
    assert fault in detail
    assert "/tmp" not in detail
    assert "--" not in detail


def test_a_form_without_a_table_is_refused(service):
    status, said = service.ask("/predict", b"--x--\r\n", "multipart/form-data; boundary=x")
    assert (status, json.loads(said)["detail"]) == (422, "the form has no file `table`")


def test_a_workbook_that_would_fill_the_memory_is_refused(serve):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet().write_column(0, 0, ["text", *["a" * 100] * 50])
    with serve(setup="uploads.MAX_UNPACKED = 5_000") as service:
        status, said = service.upload("a.xlsx", content.getvalue())
        assert (status, b"when it is unpacked" in said) == (413, True)


def test_a_table_that_takes_too_long_is_given_up_and_leaves_no_file(serve, tmp_path):
    with serve(setup=f"uploads.SECONDS = app.SECONDS = 0\nimport tempfile; tempfile.tempdir = '{tmp_path}'") as service:
        assert service.upload("a.csv", CSV)[0] == 503
    assert not list(tmp_path.iterdir())


def test_a_table_that_waits_too_long_for_another_is_given_up(serve):
    slow = "import time; app.SECONDS = 1; app.score = lambda *_: time.sleep(5) or (b'', '.csv')"
    with serve(setup=slow) as service, ThreadPoolExecutor() as pool:
        statuses = sorted(status for status, _ in pool.map(lambda _: service.upload("a.csv", CSV), range(2)))
    assert statuses == [200, 503]
