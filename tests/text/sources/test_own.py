import gzip
import json
import resource

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from material import as_lists
from own_reviews import LIES, LONG, killed, own_params, write_table

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import LabelParams
from imdb_rnn.text import counting
from imdb_rnn.text.sources import bundled, ingest, own
from imdb_rnn.text.split import split_by_position
from imdb_rnn.text.vocabulary import count_vocabulary, tokenize


def read(folder, tokenizer="auto", **params):
    return own.read(own_params(**params), folder, tokenizer)


def words_of(corpus, name):
    reviews = getattr(corpus, name)
    return [" ".join(corpus.vocabulary[rank - 1] if rank else "?" for rank in row) for row in as_lists(reviews)]


@pytest.mark.slow
def test_bundled_reviews_as_somebody_s_table_are_the_same_corpus(tmp_path, params, monkeypatch):
    """In chunks, split by several processes."""
    monkeypatch.setattr(ingest, "TASK_TEXTS", 700)
    monkeypatch.setattr(counting, "PIECE", 10_000)
    table = bundled.read_table(bundled.find_file()).iloc[::10]
    monkeypatch.setattr(bundled, "read_table", lambda _: table)
    theirs = bundled.read(params.data.bundled, tmp_path, "word")
    (tmp_path / "data/own").mkdir(parents=True)
    table[["text", "label"]].to_parquet(tmp_path / "data/own/a.parquet")
    ours = read(tmp_path, test_fraction=params.data.bundled.test_fraction)
    assert ours.vocabulary == theirs.vocabulary
    for name in ("train", "test"):
        assert as_lists(getattr(ours, name)) == as_lists(getattr(theirs, name))
        np.testing.assert_array_equal(getattr(ours, name).labels, getattr(theirs, name).labels)
    assert ours.provenance["rows"] == {"read": 2500, "kept": 2500, "left_out": {}}
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["own"]


@pytest.mark.parametrize("limit", [1000, 40_000])
def test_a_full_disk_is_one_line(tmp_path, limit):
    """A limit on file size stands in for it."""
    write_table(tmp_path, [[f"{text} " * 500, label] for text, label in LONG])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(UserError, match=r"data cannot be written to \(.+\); free space or allow writing"):
            read(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_vocabulary_is_counted_on_the_training_part_alone(tmp_path):
    rows = [["x x y", 0], ["y z", 1], ["z y", 0], ["x", 1], ["only here", 0], ["also here", 1]]
    write_table(tmp_path, rows)
    corpus = read(tmp_path, test_fraction=0.34)
    training = [rows[row][0] for row in (0, 1, 2, 3)]
    assert corpus.vocabulary == count_vocabulary(map(tokenize, training)) == ["x", "y", "z"]
    assert words_of(corpus, "test") == ["? ?", "? ?"]


def test_a_column_of_parts_splits(tmp_path):
    write_table(tmp_path, [[*row, "test" if row[0] < "c" else "train"] for row in LONG], ("text", "label", "fold"))
    corpus = read(tmp_path, split_column="fold")
    assert sorted(text[0] for text in words_of(corpus, "test")) == ["?"] * 4
    assert len(corpus.train) == 12


@pytest.mark.parametrize("how", ["tables", "column"])
def test_validation_reviews_are_the_last_training_reviews_and_that_is_said(tmp_path, capsys, how):
    for name, rows in (("train", LONG[:8]), ("dev", LONG[8:12]), ("test", LONG[12:])):
        if how == "tables":
            write_table(tmp_path, rows, name=f"{name}.csv")
        else:
            write_table(tmp_path, [[*row, name] for row in rows], ("text", "label", "fold"), f"{name[::-1]}.csv")
    corpus = read(tmp_path, split_column=None if how == "tables" else "fold")
    assert (len(corpus.train), len(corpus.test)) == (12, 4)
    assert words_of(corpus, "train") == [text for text, _ in LONG[:12]]
    names = ["train.csv"] * 8 + ["dev.csv"] * 4 if how == "tables" else ["niart.csv"] * 8 + ["ved.csv"] * 4
    places = zip(names, [*range(1, 9), *range(1, 5)], strict=True)
    assert list(corpus.places) == [f"{name}, row {row}" for name, row in places]
    said = "4 validation reviews are the last training reviews; set train.validation_fraction: 0.3333 to hold these out"
    assert said in corpus.provenance["split"]
    assert said in capsys.readouterr().out
    _, held_out = split_by_position(corpus.train.labels, 0.3333, "train.validation_fraction")
    assert held_out.tolist() == [8, 9, 10, 11]


@pytest.mark.slow
def test_a_process_that_the_system_kills_is_one_line_with_a_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(ingest, "TASK_TEXTS", 4)
    monkeypatch.setattr(counting.threads, "count", lambda: 2)
    monkeypatch.setattr(counting, "split_texts", killed)
    write_table(tmp_path, LONG)
    with pytest.raises(UserError, match=r"^the system stopped one of 2 processes .*NUMBA_NUM_THREADS=1 to work in one"):
        read(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(ingest, "TASK_TEXTS", 4)
    monkeypatch.setattr(counting.threads, "count", lambda: 1)
    monkeypatch.setattr(counting, "ProcessPoolExecutor", None)
    assert len(read(tmp_path).train) == 12


def test_groups_are_never_on_both_sides(tmp_path):
    rows = [[*row, row[0][0]] for row in LONG * 4]
    write_table(tmp_path, [*rows, *[["unlabelled", "", letter] for letter in "abcdefgh"]], ("text", "label", "film"))
    corpus = read(tmp_path, group_column="film", test_fraction=0.4)
    first = {text[0] for text in words_of(corpus, "train")}
    assert {text[0] for text in words_of(corpus, "test")} == {"?"}  # the letter of a film is in no training review
    assert 2 <= len(first) == len(corpus.unlabelled) <= 6
    of_group = {text[0]: group for text, group in zip(words_of(corpus, "train"), corpus.train_groups, strict=True)}
    assert [of_group[text[0]] for text in words_of(corpus, "train")] == corpus.train_groups.tolist()
    assert len(set(corpus.train_groups.tolist())) == len(first)
    assert 0.2 < len(corpus.test) / 64 < 0.6


@pytest.mark.parametrize("how", [{"test_fraction": 0.2}, {"split_column": "fold"}])
@pytest.mark.parametrize("order", ["mixed", "by label", "by film"])
def test_held_out_reviews_are_mostly_of_groups_that_are_not_trained_on(tmp_path, how, order):
    """Training holds out the last reviews of each label, of which some films have more than others."""
    random = np.random.default_rng(1)
    film = random.integers(0, 200, 4000)
    label = (random.random(4000) < 0.3 + 0.4 * film / 200).astype(int)
    fold = np.where(film % 5 == 0, "test", "train")
    rows = [[f"film{f} {n}", label[n], f, fold[n]] for n, f in enumerate(film)]
    key = {"mixed": lambda row: 0, "by label": lambda row: row[1], "by film": lambda row: row[2]}[order]
    write_table(tmp_path, sorted(rows, key=key), ("text", "label", "film", "fold"))
    training = read(tmp_path, group_column="film", **how)
    film_of = np.array([text.split()[0] for text in words_of(training, "train")])
    kept, held_out = split_by_position(training.train.labels, 0.1, "train.validation_fraction")
    assert np.isin(film_of[held_out], film_of[kept]).mean() < 0.2
    names = set(film_of)
    assert sorted(zip(words_of(training, "train"), training.train.labels, strict=True)) == sorted(
        (text, y) for text, y, _, _ in rows if text.split()[0] in names
    )


def test_reviews_without_a_group_are_groups_of_their_own(tmp_path):
    rows = [[*row, "x" if number % 3 else ""] for number, row in enumerate(LONG * 6)]
    write_table(tmp_path, rows, ("text", "label", "film"))
    assert 10 < len(read(tmp_path, group_column="film", test_fraction=0.2).test) < 30


@pytest.mark.slow
@pytest.mark.parametrize("processors", [1, 3])
def test_the_script_is_that_of_the_first_texts_however_many_processors_there_are(tmp_path, monkeypatch, processors):
    monkeypatch.setattr(ingest, "TASK_TEXTS", 8)
    monkeypatch.setattr(counting.threads, "count", lambda: processors)
    write_table(tmp_path, LONG + [["这部电影很好看", number % 2] for number in range(16)])
    assert len(read(tmp_path).train) == 24


def test_a_split_by_hash_does_not_depend_on_the_order(tmp_path):
    parts = []
    for number, rows in enumerate((LONG, LONG[::-1])):
        write_table(tmp_path / str(number), rows)
        parts.append(read(tmp_path / str(number), split="hash"))
    assert sorted(words_of(parts[0], "train")) == sorted(words_of(parts[1], "train"))
    assert len(parts[0].test) == 4


def test_stars_leave_the_middle_out_and_the_report_says_so(tmp_path):
    write_table(tmp_path, [[f"film {number}", number % 5 + 1] for number in range(40)], ("review", "stars"))
    rows = read(tmp_path).provenance["rows"]
    assert rows == {"read": 40, "kept": 32, "left_out": {"between the bounds of the labels": 8}}


def test_bad_rows_stop_the_stage_until_they_are_allowed(tmp_path):
    rows = [[text, ("neg", "pos")[label]] for text, label in LONG * 2]
    write_table(tmp_path, [*rows, ["", "pos"], ["!!!", "neg"], ["typing error", "psitive"]])
    with pytest.raises(UserError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        "data/own: 1 of 35 rows cannot be used: 1 a label that is neither neg nor pos (a.csv, row 35: 'psitive'); "
        "fix them, or set data.own.max_bad_rows: 1 to skip them"
    )
    rows = read(tmp_path, max_bad_rows=1).provenance["rows"]
    assert (rows["read"], rows["kept"], sum(rows["left_out"].values())) == (35, 32, 3)
    with pytest.raises(UserError, match="1 of 35 rows cannot be used"):
        read(tmp_path, max_bad_rows=0)


@pytest.mark.parametrize(("bad", "stops"), [(2, False), (3, True)])
def test_one_bad_row_in_a_hundred_is_left_out_and_said(tmp_path, capsys, bad, stops):
    write_table(tmp_path, [[f"film {n}", n % 2] for n in range(200 - bad)])
    with (tmp_path / "data/own/a.csv").open("ab") as table:
        table.writelines([b"caf\xe9 \xff,1,2,3,4\n"] * bad)
    if stops:
        with pytest.raises(UserError, match="3 of 200 rows cannot be used"):
            read(tmp_path)
    else:
        assert read(tmp_path).provenance["rows"]["kept"] == 198
        assert " (2)\n" in capsys.readouterr().out


def test_rows_without_text_or_label_are_counted_and_no_fault(tmp_path):
    """As in an app store's export: most people give stars and no text."""
    write_table(tmp_path, [*LONG, *[["", 1]] * 50, ["", "?"], ["!!!", "nan"], ["!!!", 0]])
    left_out = read(tmp_path).provenance["rows"]["left_out"]
    assert left_out == {"no label": 2, "no text": 50, "no word in the text": 1}


def test_words_are_learnt_from_rows_without_a_label(tmp_path, capsys):
    rows = [*LONG, ["new new words", ""], ["more words", "nan"], [LONG[-1][0], ""]]
    write_table(tmp_path, rows)
    write_table(tmp_path, [["hidden", ""]], name="blank.csv")  # no row of this table has a label
    corpus = read(tmp_path)
    assert corpus.vocabulary == [*count_vocabulary(map(tokenize, words_of(corpus, "train"))), "new", "words", "more"]
    assert [corpus.vocabulary[rank - 1] for rank in corpus.unlabelled[0]] == ["new", "new", "words"]
    assert corpus.provenance["unlabelled"] == {"reviews": 2, "words": 5}
    assert corpus.provenance["rows"]["left_out"] == {"no label": 2}  # one is a test review
    assert "without a label: 2 reviews, from which only words are learnt" in capsys.readouterr().out
    write_table(tmp_path, [["hidden", ""], ["words", 1]], name="blank.csv")
    assert "hidden" in read(tmp_path).vocabulary


@pytest.mark.parametrize("how", ["table", "column", "named"])
def test_no_words_are_learnt_from_a_test_set_without_labels_unless_it_is_named(tmp_path, how):
    hidden = [["hidden words", ""]]
    if how == "column":
        rows = [[*row, "train" if number < 12 else "test"] for number, row in enumerate(LONG)] + [[*hidden[0], "test"]]
        write_table(tmp_path, rows, ("text", "label", "fold"))
    else:
        write_table(tmp_path, LONG)
        write_table(tmp_path, [row[:1] for row in hidden], ("text",), "test.csv")
    corpus = read(tmp_path, unlabelled="data/own/test.csv" if how == "named" else None)
    assert (len(corpus.unlabelled), "hidden" in corpus.vocabulary) == ((1, True) if how == "named" else (0, False))


def test_a_table_without_labels_is_named_and_its_words_are_learnt(tmp_path):
    write_table(tmp_path, [*LONG, ["x", ""], ["x", ""]])
    write_table(tmp_path, [["1", "x y"], ["2", "y"], ["3", ""]], ("number", "text"), "more.csv")
    corpus = read(tmp_path, unlabelled="data/own/more.csv", remove_duplicates=True)
    assert [corpus.vocabulary[rank - 1] for row in range(3) for rank in corpus.unlabelled[row]] == ["x", "x", "y", "y"]
    assert "data/own/more.csv: comma-separated, UTF-8; 3 rows; text: text, label: none (by name)" in corpus.confirmation
    assert corpus.provenance["rows"] == {"read": 21, "kept": 16, "left_out": {"no label": 2}}
    for name, says in (
        ("none.csv", "none.csv does not exist"),
        ("", "is a folder; name a table in data.own.unlabelled"),
    ):
        with pytest.raises(UserError, match=says):
            read(tmp_path, unlabelled=f"data/own/{name}")


def test_a_folder_of_texts_without_labels_is_read(tmp_path):
    for folder in ("train/pos", "train/neg", "train/unsup", "test/pos", "test/neg", "test/unsup"):
        for number in range(3):
            path = tmp_path / f"data/own/{folder}/{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{folder} {number}")
    corpus = read(tmp_path)
    assert [corpus.vocabulary[rank - 1] for rank in corpus.unlabelled[0]] == ["train", "unsup", "0"]
    assert len(corpus.unlabelled) == 3


@pytest.mark.parametrize("positive", [3, 5, 196])
def test_few_reviews_of_a_label_are_split_so_that_each_part_has_one(tmp_path, positive):
    write_table(tmp_path, [[f"good {n}", 1] for n in range(positive)] + [[f"bad {n}", 0] for n in range(4)])
    corpus = read(tmp_path, test_fraction=0.2)
    assert np.bincount(corpus.test.labels).tolist() == [1, max(1, round(positive / 5))]
    train, held_out = split_by_position(corpus.train.labels, 0.1, "train.validation_fraction")
    assert {0, 1} == set(corpus.train.labels[held_out]) == set(corpus.train.labels[train])


def test_too_few_reviews_of_a_label_are_one_line(tmp_path):
    write_table(tmp_path, [*LONG[1::2], ["alone", 0]])
    with pytest.raises(
        UserError, match="data/own: reviews with the label negative: 1; at least 3 are needed, to train"
    ):
        read(tmp_path)


def test_validation_rows_are_the_test_set_where_no_test_row_has_a_label(tmp_path):
    """As in GLUE."""
    for name, label in (("train", "{}"), ("dev", "{}"), ("test", "-1")):
        rows = [[text, label.format(number)] for text, number in LONG]
        write_table(tmp_path, rows, name=f"{name}.csv")
    corpus = read(tmp_path)
    assert (len(corpus.train), len(corpus.test)) == (16, 16)
    assert corpus.provenance["rows"]["left_out"] == {"no label": 16}
    assert "with the validation reviews as the test set" in corpus.provenance["split"]


@pytest.mark.parametrize(
    "names", [("pos.txt", "neg.txt"), ("rt-polarity.pos", "rt-polarity.neg"), ("spam.txt", "ham.txt")]
)
def test_a_file_for_each_label_has_a_review_a_line(tmp_path, names):
    (tmp_path / "data/own").mkdir(parents=True)
    for name in names:
        (tmp_path / "data/own" / name).write_text("".join(f"{text}\n" for text, _ in LONG))
    corpus = read(tmp_path)
    assert np.bincount(corpus.train.labels).tolist() == [12, 12]
    assert corpus.provenance["labels"] == sorted(
        name.replace(".", " ").split()[-2 if "txt" in name else -1] for name in names
    )


def test_fasttext_s_lines_begin_with_their_label(tmp_path):
    (tmp_path / "data/own").mkdir(parents=True)
    lines = [f"__label__{label + 1} {text}, and so on\n" for text, label in LONG]
    (tmp_path / "data/own/train.ft.txt").write_text("".join(lines))
    corpus = read(tmp_path)
    assert corpus.provenance["rule"] == "negative: 1; positive: 2"
    assert not any("label" in word for word in corpus.vocabulary)


def test_text_files_may_have_the_encoding_of_their_country(tmp_path):
    for number in range(12):
        for label, text in (("pos", "这部电影很好看，演员很棒"), ("neg", "剧情拖沓，看到一半就睡着了")):
            path = tmp_path / f"data/own/{label}/{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}，第{number}场", encoding="gb18030")
    corpus = read(tmp_path, "auto")
    assert {"好", "剧"} <= set(corpus.vocabulary)
    assert next(iter(corpus.places)) == "neg/0.txt"


def test_what_was_understood_is_said_and_kept(tmp_path, capsys):
    write_table(
        tmp_path, [[n, f"film {n}", n % 5 + 1, ""] for n in range(40)], ("product_id", "Review Text", "Stars", "x")
    )
    write_table(tmp_path, [], ("id", "label"), "sample_submission.csv")
    corpus = read(tmp_path)
    assert capsys.readouterr().out.splitlines() == list(corpus.confirmation)
    assert list(corpus.confirmation) == [
        "a.csv: comma-separated, UTF-8; 40 rows; text: Review Text, label: Stars (by name)",
        "labels: negative: at most 2; positive: at least 4; left out: between them",
        "reviews: 16 negative, 16 positive",
        "split: by position within each label, the last 0.25 of it are the test set: 24 training and 8 test reviews",
        "tokens: word",
        "left out: between the bounds of the labels (8)",
        "to keep each rating as a class of its own, set data.own.labels: {classes: all}",
        "to keep all reviews of the same product_id on one side, set data.own.group_column: product_id",
        "not read: sample_submission.csv (cannot tell which column to use as the text (columns: id, label))",
        "negative | film 0",
        "positive | film 3",
        "negative | film 1",
    ]
    assert corpus.provenance["text_columns"] == ["Review Text"]
    assert own.look(own_params(), tmp_path / "data/own", 1000)[1:] == list(corpus.confirmation)[1:]


@pytest.mark.parametrize("is_sorted", [False, True])
def test_looking_reads_no_more_than_it_needs(tmp_path, monkeypatch, is_sorted):
    monkeypatch.setattr(ingest, "TASK_TEXTS", 10)
    labels = [n // 50 if is_sorted else n % 2 for n in range(100)]
    write_table(tmp_path, [[f"film {n}", label] for n, label in enumerate(labels)])
    lines = own.look(own_params(), tmp_path / "data/own/a.csv", 20)
    assert f"reviews: {'50 negative, 20' if is_sorted else '10 negative, 10'} positive" in lines
    assert lines[-1] == f"only the first {70 if is_sorted else 20} rows were read"


def test_duplicates_are_removed_if_that_is_asked_for(tmp_path):
    write_table(tmp_path, LONG + LONG)
    corpus = read(tmp_path, remove_duplicates=True)
    assert corpus.provenance["rows"]["left_out"] == {"a duplicate": 16}
    assert len(corpus.train) + len(corpus.test) == 16


def test_chinese_text_is_read_as_characters_unless_something_else_is_asked_for(tmp_path):
    write_table(tmp_path, [["这部电影很好看", "好评"], ["太难看了！", "差评"]] * 8)
    with pytest.raises(UserError, match=r"no spaces between words; set data\.tokenizer: auto, char"):
        read(tmp_path, "word")
    corpus = read(tmp_path)
    assert corpus.provenance["tokenizer"] == "char"
    assert words_of(corpus, "test")[0] in ("这 部 电 影 很 好 看", "太 难 看 了 !")
    assert corpus.provenance["labels"] == ["差评", "好评"]
    words = read(tmp_path, "jieba")
    assert "tokens: jieba" in own.look(own_params(), tmp_path / "data/own", tokenizer="jieba")
    assert "电影" in words.vocabulary
    assert "电" not in words.vocabulary


def test_several_labels_are_as_many_classes(tmp_path):
    moods = ["neutral", "positive", "negative"]
    write_table(tmp_path, [[f"film {n}", moods[n % 3]] for n in range(60)])
    corpus = read(tmp_path)
    assert corpus.provenance["labels"] == ["negative", "neutral", "positive"]
    assert np.bincount(corpus.test.labels).tolist() == [5, 5, 5]
    corpus = read(tmp_path, labels=LabelParams(negative=["negative"], positive=["positive"]))
    assert corpus.provenance["labels"] == ["negative", "positive"]
    assert corpus.provenance["rows"]["left_out"] == {"a label that is not listed": 20}
    write_table(tmp_path, [[f"film {n}", moods[n % 3]] for n in range(60)] + [["so", "so so"]] * 3)
    setting = r"set data\.own\.labels: \{classes: \[negative, neutral, positive\]\}$"
    with pytest.raises(UserError, match=f"reviews with the label so so: 3; at least 10 are needed.*{setting}"):
        read(tmp_path)
    corpus = read(tmp_path, labels=LabelParams(classes=["positive", "Neutral", "negative"]))
    assert corpus.provenance["labels"] == ["positive", "neutral", "negative"]
    assert corpus.provenance["rows"]["left_out"] == {"a label that is not listed": 3}


def test_ratings_are_two_classes_or_one_each(tmp_path, capsys):
    write_table(tmp_path, [[f"film {n}", n % 5 + 1] for n in range(100)], ("text", "stars"))
    assert read(tmp_path).provenance["labels"] == ["negative", "positive"]
    assert "to keep each rating as a class of its own, set data.own.labels: {classes: all}\n" in capsys.readouterr().out
    assert read(tmp_path, labels=LabelParams(classes="all")).provenance["labels"] == ["1", "2", "3", "4", "5"]
    assert "reviews: 1 (20), 2 (20), 3 (20), 4 (20), 5 (20)\n" in capsys.readouterr().out


def test_a_score_with_many_values_is_read_by_its_bounds(tmp_path):
    write_table(tmp_path, [[f"film {n}", n / 3000] for n in range(3000)], ("text", "score"))
    with pytest.raises(UserError, match=r"labels: \{negative_max: 0\.\d+, positive_min: 0\.\d+\}"):
        read(tmp_path)
    corpus = read(tmp_path, labels=LabelParams(negative_max=0.4, positive_min=0.6))
    assert np.bincount(corpus.test.labels).tolist() == [300, 300]


def test_one_label_alone_is_one_line(tmp_path):
    write_table(tmp_path, [[text, 1] for text, _ in LONG])
    with pytest.raises(UserError, match="all labels are 1; add reviews with another label"):
        read(tmp_path)
    with pytest.raises(UserError, match="reviews with the label negative: 0; at least 3 are needed"):
        read(tmp_path, labels=LabelParams(negative=["0"], positive=["1"]))


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet", ".csv.gz"])
def test_a_table_that_lies_ends_well_or_in_one_line(tmp_path, lie, ending):
    (tmp_path / "data/own").mkdir(parents=True)
    content = gzip.compress(LIES[lie], 1) if ending.endswith(".gz") else LIES[lie]
    (tmp_path / f"data/own/a{ending}").write_bytes(content)
    try:
        corpus = read(tmp_path, max_bad_rows=2)
    except UserError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
        return
    assert lie in ("ragged", "formula", "BOM", "label typos", "mixed types", "Latin-1", "UTF-16", "no end"), lie
    assert len(corpus.train) + len(corpus.test) >= 16


@pytest.mark.parametrize("lie", ["BOM", "formula"])
def test_what_looks_odd_and_is_sound_is_read(tmp_path, lie):
    (tmp_path / "data/own").mkdir(parents=True)
    (tmp_path / "data/own/a.csv").write_bytes(LIES[lie])
    corpus = read(tmp_path)
    assert len(corpus.train) + len(corpus.test) == len(LIES[lie].splitlines()) - 1


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=4, max_size=12))
def test_any_text_is_read_as_it_is(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("own")
    (folder / "data/own").mkdir(parents=True)
    rows = [{"text": f"{text} x", "label": number % 2} for number, text in enumerate(texts)]
    (folder / "data/own/a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    try:
        corpus = read(folder, test_fraction=0.5)
    except UserError as error:
        assert "are needed" in str(error) or "no spaces between words" in str(error)
        return
    known = set(corpus.vocabulary)
    expected = [" ".join(word if word in known else "?" for word in tokenize(row["text"])) for row in rows]
    assert sorted(words_of(corpus, "train") + words_of(corpus, "test")) == sorted(expected)


def test_a_table_of_pandas_is_read_as_csv_and_as_parquet(tmp_path):
    table = pd.DataFrame(LONG, columns=["text", "label"])
    corpora = []
    for name, write in (("a.csv", table.to_csv), ("a.parquet", table.to_parquet)):
        (tmp_path / name / "data/own").mkdir(parents=True)
        write(tmp_path / name / "data/own" / name, index=False)
        corpora.append(read(tmp_path / name))
    assert corpora[0].vocabulary == corpora[1].vocabulary
    assert words_of(corpora[0], "train") == words_of(corpora[1], "train")
