from material import contents, run_stage, write_params

from imdb_rnn.core.params import PadParams
from imdb_rnn.text.data_report import DataReport
from stages.pad import summary

SET = {"reviews": 20000, "negative": 10000, "positive": 10000, "words": [5, 127, 177, 291, 2493], "truncated": 0.0852}
SET |= {"out_of_vocabulary": 0.0571, "duplicates": 72, "conflicting_labels": 0}
TEST = SET | {"reviews": 500, "positive": 125}
REPORT = DataReport(train=SET, test=TEST, test_also_in_train=18)


def test_the_report_in_a_few_lines():
    rest = "8.5% longer than maxlen (500), cut · 5.7% of words out of vocabulary · 72 duplicates · "
    assert summary(REPORT, PadParams()).splitlines() == [
        "training  20,000 reviews · 50.0% positive · median 177 words, longest 2,493",
        f"          {rest}0 with contradictory labels",
        "test         500 reviews · 25.0% positive · median 177 words, longest 2,493",
        f"          {rest}0 with contradictory labels",
        "18 test reviews also occur in the training set",
    ]
    own = REPORT.model_copy(update={"rows_read": 25000, "left_out": {"no text": 3000, "a duplicate": 1}})
    assert summary(own, PadParams()).startswith("25,000 rows read; skipped: no text (3,000); a duplicate (1)\n")
    none = own.model_copy(update={"left_out": {}})
    assert summary(none, PadParams()).startswith("25,000 rows read; skipped: none\n")


def test_a_missing_upstream_file_is_named_and_the_older_result_stays(params, tmp_path):
    write_params(tmp_path, params)
    older = tmp_path / "data/padded"
    older.mkdir(parents=True)
    (older / "x_train.npy").write_bytes(b"older")
    before = contents(tmp_path)
    result = run_stage("pad", tmp_path)
    assert result.returncode == 1
    assert result.stderr == "error: data/reviews/train_ranks.npy is missing; run `dvc repro download` to make it\n"
    assert contents(tmp_path) == before
