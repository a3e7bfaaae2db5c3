"""A table that is dropped on the page: read, scored by a worker and given back, as `imdb-rnn predict --table` does."""

import base64
import csv
import datetime
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xlsxwriter
from material import model_params, network_of
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from imdb_rnn import model_file
from imdb_rnn.cli.scoring import score_table
from imdb_rnn.text import tables

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("finished")]

READ = """
const [name, bytes, done] = arguments;
const file = new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], name);
readTable(file).then((table) => done([table.columns, table.rows, textColumns(table)]), (error) => done(String(error)));
"""
ROWS = [
    ["id", "Review Text", "note"],
    ["1", "A good film;\nreally", ""],
    ["2", 'He said "bad", I left', "x"],
    ["3", "", "y"],
]


def delimited(delimiter: str, line_end: str = "\n", **style) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator=line_end, **style).writerows(ROWS)
    return file.getvalue()


def workbook(path: Path) -> bytes:
    """A cover sheet without rows; a title, a gap, shared and rich texts, a number, a date, a truth and a formula."""
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Cover").write(0, 0, "Reviews")
        sheet, bold = book.add_worksheet("Reviews"), book.add_format({"bold": True})
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        sheet.write(0, 0, "All reviews of May")
        sheet.write_row(1, 0, ["day", "评论", "stars", "kept", "twice"])
        sheet.write_row(2, 1, ["A <good> film & \r\n  more", 4.5, True])
        sheet.write_datetime(2, 0, datetime.datetime(2024, 2, 29), day)
        sheet.write_formula(2, 4, "=2*C3", None, 9)
        sheet.write_rich_string(4, 1, "a ", bold, "bad", " film")
        sheet.write_datetime(4, 0, datetime.datetime(1999, 12, 31, 18, 30), day)
    return path.read_bytes()


def read_in_page(browser, name: str, content: bytes) -> list:
    return browser.execute_async_script(READ, name, base64.b64encode(content).decode())


def opened_by_python(path: Path) -> list:
    table = tables.open_table(path)
    rows = [list(row.values.values()) for row in tables.read_rows(table, blank=True)]
    return [table.columns, [[str(cell) for cell in row] for row in rows]]


def download(browser, folder: Path) -> list[list[str]]:
    """The rows of the file that the page offers when all is scored."""
    link = browser.find_element(By.ID, "download")
    WebDriverWait(browser, 300).until(lambda _: link.is_displayed())
    path = folder / link.get_attribute("download")
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    link.click()
    WebDriverWait(browser, 60).until(lambda _: path.exists())
    text = path.read_text(encoding="utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in text.split("\n")[0] else ","))


def scored_by_python(model, path: Path, texts: list[str]) -> list[list[str]]:
    out = path.with_name("expected.csv")
    score_table(model, tables.open_table(path), out, texts)
    with out.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=tables.open_table(out).delimiter))


def assert_same_answers(found, expected, threshold: float, probability: str, label: str) -> None:
    """Every cell, but for a probability's last digits, and the label of one at the threshold."""
    assert found[0] == expected[0]
    assert len(found) == len(expected)
    p, said = (expected[0].index(name) for name in (probability, label))
    for one, other in zip(found[1:], expected[1:], strict=True):
        near = other[p] and abs(float(other[p]) - threshold) < 1e-4
        assert [cell for j, cell in enumerate(one) if j != p and not (near and j == said)] == [
            cell for j, cell in enumerate(other) if j != p and not (near and j == said)
        ]
        assert bool(one[p]) == bool(other[p])
        assert not other[p] or abs(float(one[p]) - float(other[p])) < 1e-4


def test_five_thousand_rows_are_scored_as_predict_does_while_the_page_is_used(opened, folder, tmp_path):
    model = model_file.load(folder / "data/model.safetensors")
    words, random = [word for word in model.vocabulary[:300] if word.isalpha()], np.random.default_rng(1)
    path = tmp_path / "reviews.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(["number", "review", "predicted_label"])
        for n in range(5000):
            text = " ".join(random.choice(words, random.integers(1, 200)))
            writer.writerow([n, "" if n % 1000 == 7 else f'"{text}";\nso it goes', "of an earlier run"])
    opened.find_element(By.ID, "file").send_keys(str(path))
    progress = opened.find_element(By.ID, "scored")
    WebDriverWait(opened, 60, 0.02).until(lambda _: progress.is_displayed())
    opened.execute_script("byId('text').value = 'good'; byId('text').dispatchEvent(new Event('input'))")
    assert progress.is_displayed(), "the page was read while the worker was at work"
    found = download(opened, tmp_path)
    expected = scored_by_python(model, path, ["review"])
    assert_same_answers(found, expected, model.threshold, "predicted_probability", "predicted_label")
    assert expected[0] == ["number", "review", "predicted_probability", "predicted_label"]
    assert {row[3] for row in found[1:]} == {"", "negative", "positive"}
    assert [row[0] for row in found[1:]] == [str(n) for n in range(5000)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bom.csv", delimited(",", "\r\n").encode("utf-8-sig")),
        ("semicolon.csv", delimited(";").encode()),
        ("quoted.tsv", delimited("\t", "\r\n", quoting=csv.QUOTE_ALL).encode()),
        ("bars.txt", delimited("|").encode()),
        ("said.csv", b"sep=;\r\n" + delimited(";", "\r\n").encode()),
        ("excel.txt", delimited("\t").encode("utf-16")),
        ("western.csv", "text;stars\nUn film très réussi à voir;5\nGrößter Quatsch;1\n".encode("windows-1252")),
        ("chinese.csv", "评论,星级\n这部电影很好看，演员的表演也不错,5\n剧情拖沓，想走了,1\n".encode("gb18030")),
        ("stray.tsv", b'text\tlabel\n"Good" film\t1\n"Bad\t0\nsome "more\t1\n'),
        ("bare.csv", b"1,A good film\n2,A bad film\n\n3,good film\n"),
        ("lines.txt", b"A good film.\nBad, bad, bad\nI liked it, really\nno\n"),
        ("one.csv", b'review\n"Good, really"\n"Bad ""film"""\n'),
    ],
)  # fmt: skip
def test_tables_are_read_as_python_reads_them(opened, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    columns, rows, _ = read_in_page(opened, name, content)
    assert [columns, rows] == opened_by_python(path)


def test_a_workbook_is_read_as_python_reads_it(opened, tmp_path):
    content = workbook(tmp_path / "reviews.xlsx")
    columns, rows, texts = read_in_page(opened, "reviews.xlsx", content)
    assert texts == [1]
    expected = opened_by_python(tmp_path / "reviews.xlsx")
    assert columns == expected[0]
    assert rows == [
        ["2024-02-29", "A <good> film & \r\n  more", "4.5", "TRUE", "9"],
        ["", "", "", "", ""],
        ["1999-12-31 18:30:00", "a bad film", "", "", ""],
    ]
    assert [row[1] for row in rows] == [row[1] for row in expected[1]]


@pytest.mark.parametrize(
    ("columns", "texts"),
    [
        (["id", "comment", "much longer than the comment"], [1]),
        (["id", "reviewText", "title"], [1]),
        (["标题", "商品评论", "用户"], [1]),
        (["a", "b", "c"], [2]),
        (["title", "text", "body of it"], [1]),
    ],
)
def test_the_column_of_the_texts_is_found_by_name_or_by_content(opened, columns, texts):
    content = "\n".join([",".join(columns), "1,fine,a text of many words", "2,poor,another one"]).encode()
    assert read_in_page(opened, "a.csv", content)[2] == texts


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("empty.csv", b"", "has no rows"),
        ("header.csv", b"text,label\n", "has no rows"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "Save it as .xlsx or CSV"),
        ("cut.xlsx", b"PK\x03\x04and no more than this", "Save it as .xlsx or CSV"),
        ("wide.csv", b"text,label\n" + b"good,1\n" * 9 + b"a, b, c\n", "Row 11 has 3 cells"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(opened, tmp_path, name, content, complaint):
    path = tmp_path / name
    path.write_bytes(content)
    opened.execute_script("setLanguage('en')")
    opened.find_element(By.ID, "file").send_keys(str(path))
    status = opened.find_element(By.ID, "table-status")
    WebDriverWait(opened, 20).until(lambda _: complaint in status.text)
    assert not opened.find_element(By.ID, "download").is_displayed()


CHINESE = "text,more\n这部电影很好看,难看\n\n不好看,好\n难看，不好,x\n"


@pytest.mark.parametrize("classes", [2, 3, 100])
@pytest.mark.parametrize("tokenizer", ["word", "char", "jieba"])
def test_any_network_scores_a_table_in_the_column_that_is_chosen(browser, open_page, tmp_path, tokenizer, classes):
    if tokenizer == "jieba":
        pytest.importorskip("jieba")
    network = network_of(model_params(cell="gru", bidirectional=True), vocab_size=20, classes=classes)
    words = list("这部电影好看不") if tokenizer == "char" else ["电影", "好看", "不", "难看"]
    network = replace(network, tokenizer=tokenizer, vocabulary=words, threshold=0.45)
    open_page(network, tokenizer=tokenizer)
    path = tmp_path / "table.csv"
    path.write_text(CHINESE, encoding="utf-8")
    added = ["predicted_probability", "predicted_label"] if classes == 2 else ["probability", "predicted_label"]
    browser.find_element(By.ID, "file").send_keys(str(path))
    WebDriverWait(browser, 10).until(lambda it: it.find_elements(By.CSS_SELECTOR, "#text-column option"))
    for column in ("text", "more"):
        Select(browser.find_element(By.ID, "text-column")).select_by_visible_text(column)
        found = download(browser, tmp_path)
        assert_same_answers(found, scored_by_python(network, path, [column]), network.threshold, *added)
        (tmp_path / "table-scored.csv").unlink()


def test_a_table_can_be_chosen_with_the_keyboard_and_is_told_aloud(opened, tmp_path):
    for _ in range(60):
        opened.switch_to.active_element.send_keys(Keys.TAB)
        if opened.execute_script("return document.activeElement.id") == "file":
            break
    assert (
        opened.execute_script("return getComputedStyle(document.activeElement.parentElement).outlineStyle") == "solid"
    )
    path = tmp_path / "a.csv"
    path.write_text("text\ngood film\nbad film\n", encoding="utf-8")
    opened.switch_to.active_element.send_keys(str(path))
    status = opened.find_element(By.ID, "table-status")
    WebDriverWait(opened, 20).until(lambda _: "2 rows in" in status.text or "2 行，" in status.text)
    assert status.get_attribute("role") == "status"


def test_a_file_that_is_dropped_anywhere_is_scored(opened):
    opened.execute_script(
        """
        const files = new DataTransfer();
        files.items.add(new File(["text\\ngood film\\n"], "dropped.csv"));
        const event = new DragEvent("drop", { dataTransfer: files, cancelable: true, bubbles: true });
        byId("numbers").dispatchEvent(event);
        """
    )
    link = opened.find_element(By.ID, "download")
    WebDriverWait(opened, 20).until(lambda _: link.is_displayed())
    assert link.get_attribute("download") == "dropped-scored.csv"
