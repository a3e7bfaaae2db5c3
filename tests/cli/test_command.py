import dataclasses
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from material import ROOT, model_params, network_of

from imdb_rnn import model_file
from imdb_rnn.cli import command
from imdb_rnn.core import files
from imdb_rnn.decision import predicted
from imdb_rnn.text.profiles import profile


@pytest.fixture
def run(folder, monkeypatch, capsys):
    """Run the command in a project with a trained network, and return its status and what it prints."""

    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["imdb-rnn", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "ascii"))
        status = 0
        try:
            command.main()
        except SystemExit as error:
            status = error.code
        return status, *capsys.readouterr()

    return run


def start(*arguments: str, **options) -> subprocess.Popen:
    """Start the command as a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-m", "imdb_rnn", *arguments], env=environment, **pipes | options)


def test_without_arguments_it_helps(run):
    status, out, err = run()
    assert (status, err) == (0, "")
    assert 'imdb-rnn predict "A wonderful film."' in out
    assert "imdb-rnn predict --table reviews.csv --out scored.csv" in out
    assert "imdb-rnn predict --table 'reviews/*.parquet' --out scored/" in out


def test_it_has_a_version(run):
    status, out, _ = run("--version")
    name, version = out.split()
    assert (status, name) == (0, "imdb-rnn")
    assert version[0].isdigit()


def test_a_text_gets_a_line(run):
    status, out, err = run("predict", "A wonderful film.", "a\nterrible film 影评")
    assert (status, err) == (0, "")
    assert out == "0.947  positive  A wonderful film.\n0.053  negative  a terrible film 影评\n"


def test_a_trace_has_a_line_for_each_word(run):
    _, out, _ = run("predict", "--trace", "A splendid, wonderful film.")
    assert out.splitlines() == [
        "0.947  positive  A splendid, wonderful film.",
        "  0.500  (before the first word)",
        "  0.500  a",
        "  0.500  splendid (unknown)",
        "  0.952  wonderful",
        "  0.947  film",
    ]


def test_json_is_an_object_a_line(run):
    _, out, _ = run("predict", "--json", "A wonderful\nfilm", "影评")
    assert [json.loads(line) for line in out.splitlines()] == [
        {"text": "A wonderful\nfilm", "probability": 0.947348, "label": "positive"},
        {"text": "影评", "probability": 0.5, "label": "negative"},
    ]
    assert "影评" in out
    _, out, _ = run("predict", "--json", "--trace", "a nice film")
    answer = json.loads(out)
    assert (answer["tokens"], answer["known"]) == (["a", "nice", "film"], [True, False, True])
    assert answer["trace"] == [0.5] * 4


def test_of_more_labels_the_predicted_one_has_its_probability(run, folder):
    model = replace(network_of(model_params(), 6, classes=3), vocabulary=["wonderful", "terrible"])
    model_file.save(model, folder / files.MODEL)
    trace = model.trace("wonderful terrible film").probability
    label = int(trace[-1].argmax())
    _, out, _ = run("predict", "--trace", "wonderful terrible film")
    first, *rest = out.splitlines()
    assert first.split()[:3] == [f"{trace[-1, label]:.3f}", *model.labels[label].split()]
    assert [line.split()[0] for line in rest] == [f"{probability:.3f}" for probability in trace[:, label]]
    _, out, _ = run("predict", "--json", "--trace", "wonderful terrible film")
    answer = json.loads(out)
    assert answer["probabilities"] == dict(zip(model.labels, trace[-1].round(6).tolist(), strict=True))
    assert (answer["label"], answer["probability"]) == (model.labels[label], round(trace[-1, label], 6))
    assert answer["trace"] == trace[:, label].round(6).tolist()


def test_where_the_label_is_too_likely_to_be_wrong_the_answer_is_unsure(run, folder):
    texts = "A wonderful film.", "film"
    status, out, err = run("predict", "--unsure", "0.2", *texts)
    assert (status, out, err) == (0, "0.947  positive  A wonderful film.\n0.500  unsure    film\n", "")
    _, out, _ = run("predict", "--unsure", "0.05", "--json", *texts)
    assert [json.loads(line)["label"] for line in out.splitlines()] == ["unsure", "unsure"]
    (folder / "in.csv").write_text("text\nwonderful film\nfilm\nterrible\n")
    _, out, _ = run("predict", "--unsure", "0.2", "--table", "in.csv", "--out", "out.csv")
    assert out == "3 reviews, 1 of them positive, 1 unsure, in out.csv\n"
    assert [line.split(",")[2] for line in (folder / "out.csv").read_text().splitlines()[1:]] == [
        "positive",
        "unsure",
        "negative",
    ]
    status, out, err = run("predict", "--unsure", "0.5", "film")
    assert (status, out) == (1, "")
    assert err == "error: unsure is 0.5; choose a number above 0 and below 0.5, such as 0.2\n"


def test_texts_of_unknown_words_are_pointed_out(run):
    assert run("predict", "Ein Meisterwerk!")[2] == "the model knows no word of this text; is it in another language?\n"
    _, _, err = run("predict", "-", stdin=b"Un\nfilm\nsplendide\n")
    assert err == "the model knows no word of 2 of 3 texts; are they in another language?\n"


def test_standard_input_is_answered_line_by_line(run):
    content = "\ufeffA wonderful film.\r\na terrible film\r\n影评 film".encode()
    status, out, err = run("predict", "-", stdin=content)
    assert (status, err) == (0, "")
    assert out == "0.947  positive  A wonderful film.\n0.053  negative  a terrible film\n0.500  negative  影评 film\n"


def test_many_lines_keep_their_order(run, monkeypatch):
    monkeypatch.setattr(command, "READ_BYTES", 1000)
    lines = [f"{'a wonderful' if number % 3 else 'a terrible'} film {number}" for number in range(500)]
    _, out, _ = run("predict", "-", stdin="\n".join(lines).encode())
    assert [line.split("  ") for line in out.splitlines()] == [
        ["0.947" if number % 3 else "0.053", "positive" if number % 3 else "negative", line]
        for number, line in enumerate(lines)
    ]


def test_no_input_has_no_answers(run):
    assert run("predict", "-") == (0, "", "")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"caf\xe9", "line 3 of standard input is not UTF-8 text"),
        (b"PK\x03\x04\0", "line 3 of standard input contains NUL bytes: it is binary, not text"),
        (b"a" * (10 << 20 | 1), "line 3 of standard input is longer than 10 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_that_is_no_text_is_named_after_the_answers_before_it(run, line, fault):
    status, out, err = run("predict", "-", stdin=b"wonderful\nterrible\n" + line + b"\nfilm\n")
    assert (status, err) == (1, f"error: {fault}\n")
    assert len(out.splitlines()) == 2


def test_blank_lines_are_left_out_and_counted(run):
    status, out, err = run("predict", "-", stdin=b"\xef\xbb\xbf\r\nwonderful\n\n \t\nterrible")
    assert [line.split() for line in out.splitlines()] == [
        ["0.952", "positive", "wonderful"],
        ["0.048", "negative", "terrible"],
    ]
    assert (status, err) == (0, "3 blank lines of standard input left out\n")


def test_a_table_is_scored(run, folder):
    (folder / "reviews.csv").write_text("id,review\n1,A wonderful film.\n2,a terrible film\n")
    status, out, err = run("predict", "--table", "reviews.csv", "--out", "scored.csv")
    assert (status, err) == (0, "text column: review\n")
    assert out == "2 reviews, 1 of them positive, in scored.csv\n"
    assert (folder / "scored.csv").read_text() == (
        "id,review,predicted_probability,predicted_label\n"
        "1,A wonderful film.,0.947348,positive\n2,a terrible film,0.052652,negative\n"
    )
    status, _, err = run("predict", "--table", "reviews.csv", "--text-column", "id", "--out", "reviews.csv")
    assert (status, err) == (0, "")
    assert (
        (folder / "reviews.csv")
        .read_text()
        .startswith("id,review,predicted_probability,predicted_label\n1,A wonderful film.,0.500000")
    )


def test_a_table_unlike_the_training_texts_is_pointed_out(run, folder, model):
    texts = ["A wonderful film.", "a terrible film"] * 50
    training = profile([model.encode(texts)], predicted(model.decision_function(texts)), 2)
    model_file.save(replace(model, profile=training), folder / "model.safetensors")
    foreign = ["Ein wunderbares Werk!", "Ein schreckliches Werk"] * 10
    for name, rows in (("like", texts[:20]), ("foreign", foreign)):
        (folder / f"{name}.csv").write_text("\n".join(["review", *rows]))
    asked = ("--model", "model.safetensors", "--text-column", "review", "--report", "page.html", "--out")
    assert run("predict", "--table", "like.csv", *asked, "a.csv")[2] == ""
    assert "like the training texts, as far as compared here" in (folder / "page.html").read_text(encoding="utf-8")
    unlike = (
        "these texts are unlike the training texts: 100% have 100% unknown words or more (training texts: 0%); "
        "are they in another language?\n"
    )
    assert run("predict", "--table", "foreign.csv", *asked, "b.csv")[2] == unlike
    assert run("predict", "--table", "foreign.csv", "foreign.csv", *asked, "many")[2] == unlike
    assert "20 texts, compared with 100" in (folder / "page.html").read_text(encoding="utf-8")
    again = run("predict", "--table", "foreign.csv", "foreign.csv", *asked, "many")[2]
    assert again == f"done already: 1 of 1 tables\n{unlike}"


def test_an_older_model_has_nothing_to_compare_a_table_with(run, folder):
    (folder / "a.csv").write_text("text\nEin Werk\n")
    status, _, err = run("predict", "--table", "a.csv", "--out", "b.csv", "--report", "c.html")
    assert (status, err) == (
        1,
        "error: data/model.safetensors does not know its training texts, so --report needs a newer model file\n",
    )


def test_a_labelled_table_is_scored_and_a_scored_table_is_scored_again(run, folder):
    (folder / "a.csv").write_text("label,text\nneg,A wonderful film.\n")
    assert run("predict", "--table", "a.csv", "--out", "b.csv")[0] == 0
    scored = (folder / "b.csv").read_bytes()
    assert scored == b"label,text,predicted_probability,predicted_label\nneg,A wonderful film.,0.947348,positive\n"
    status, _, err = run("predict", "--table", "b.csv", "--out", "c.csv", "--text-column", "text")
    assert (status, err) == (0, "replacing the columns predicted_probability and predicted_label of b.csv\n")
    assert (folder / "c.csv").read_bytes() == scored


def test_a_table_is_read_by_the_columns_of_the_training(run, folder, model):
    provenance = model.provenance | {"text_columns": ["title", "review"]}
    model_file.save(dataclasses.replace(model, provenance=provenance), folder / files.MODEL)
    (folder / "reviews.csv").write_text("review,title\nA wonderful film.,terrible\n")
    _, _, err = run("predict", "--table", "reviews.csv", "--out", "both.csv")
    assert err == "text columns: title, review\n"
    (folder / "reviews.csv").write_text("review,id\nterrible A wonderful film.,1\n")
    _, _, err = run("predict", "--table", "reviews.csv", "--out", "one.csv")
    assert err == "text column: review; the model was trained on title, review\n"
    both, one = ((folder / name).read_text().split(",")[-2] for name in ("both.csv", "one.csv"))
    assert both == one


@pytest.fixture
def many(folder):
    """Three tables in a folder of their own."""
    (folder / "in").mkdir()
    for name, text in (("a.csv", "A wonderful film."), ("b.csv", "a terrible film"), ("c.jsonl", "film")):
        content = json.dumps({"text": text}) if name.endswith("jsonl") else f"text\n{text}"
        (folder / "in" / name).write_text(f"{content}\n")
    return folder


@pytest.mark.parametrize("tables", [["in"], ["in/*"], ["in/a.csv", "in/b.csv", "in/c.jsonl"]], ids=str)
def test_many_tables_are_scored_into_a_folder(run, many, tables):
    status, out, err = run("predict", "--out", "scored", "--table", *tables)
    assert (status, err) == (0, "text column: text\n")
    assert out == "3 reviews, 1 of them positive, in scored\n"
    assert {path.name for path in (many / "scored").iterdir()} == {"a.csv", "b.csv", "c.jsonl", ".imdb-rnn"}
    run("predict", "--table", "in/a.csv", "--out", "one.csv")
    assert (many / "scored/a.csv").read_bytes() == (many / "one.csv").read_bytes()


@pytest.mark.parametrize(("out", "said"), [("new/", "new"), ("in/..", "in/..")])
def test_one_table_is_written_into_a_folder_that_is_said_to_be_one(run, many, out, said):
    assert run("predict", "--table", "in/a.csv", "--out", out)[1] == f"1 review, 1 of them positive, in {said}\n"
    assert (many / out / "a.csv").read_text().endswith("positive\n")


def test_tables_that_are_done_are_not_done_again(run, many):
    run("predict", "--table", "in", "--out", "scored")
    (many / "scored/b.csv").unlink()
    (many / "in/c.jsonl").write_text('{"text": "wonderful"}\n')
    before = (many / "scored/a.csv").stat().st_ino
    status, out, err = run("predict", "--table", "in", "--out", "scored")
    assert (status, err) == (0, "text column: text\ndone already: 1 of 3 tables\n")
    assert out == "3 reviews, 2 of them positive, in scored\n"
    assert (many / "scored/a.csv").stat().st_ino == before
    assert json.loads((many / "scored/c.jsonl").read_text())["predicted_label"] == "positive"
    again = run("predict", "--table", "in", "--out", "scored")
    assert again == (0, out, "text column: text\ndone already: 3 of 3 tables\n")
    other = run("predict", "--table", "in", "--out", "scored", "--unsure", "0.2")
    assert other == (0, "3 reviews, 2 of them positive, in scored\n", "text column: text\n")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["predict"], "give a text, - for standard input, or --table"),
        (["predict", "-", "a film"], "- (standard input) cannot be combined"),
        (["predict", "--table", "a.csv"], "--table needs --out"),
        (["predict", "--table", "a.csv", "--out", "b.csv", "text"], "--table cannot be combined"),
        (["predict", "--table", "a.csv", "--out", "b.csv", "--json"], "--table cannot be combined"),
        (
            ["predict", "--out", "b.csv", "text"],
            "--cluster and --probabilities need --table",
        ),
        (
            ["predict", "--cluster", "local", "text"],
            "--cluster and --probabilities need --table",
        ),
        (["forecast"], "invalid choice: 'forecast'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(run, arguments, fault):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert fault in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["predict", "film", " "], "text 2 is empty; remove it"),
        (["predict", "film", "caf\udce9"], "text 2 is not UTF-8 text"),
        (["predict", "film", "--model", "absent.safetensors"], "absent.safetensors does not exist; name a model"),
        (["predict", "film", "--model", "half.safetensors"], "half.safetensors is damaged ("),
        (["predict", "--table", "absent.csv", "--out", "b.csv"], "absent.csv cannot be read (No such file"),
        (["predict", "--table", "a.csv", "--out", "b.csv"], "a.csv: cannot tell which column to use"),
        (["predict", "--table", "in/*.csv", "--out", "b"], "in/*.csv: no table found; give files"),
        (["predict", "--table", "a.csv", "a.csv", "--out", "b.csv"], "b.csv should be a folder"),
        (["predict", "--table", "a.csv", "--out", "b.csv", "--cluster", "local"], "b.csv should be a folder"),
    ],
)
def test_a_fault_is_one_line(run, folder, arguments, fault):
    (folder / "half.safetensors").write_bytes((folder / "data/model.safetensors").read_bytes()[:1000])
    (folder / "a.csv").write_text("id,stars\n1,5\n")
    status, out, err = run(*arguments)
    (line,) = err.splitlines()
    assert (status, out) == (1, "")
    assert line.startswith(f"error: {fault}")
    assert not (folder / "b.csv").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("locale", ["C", "en_US.ISO-8859-1"])
def test_text_is_utf8_whatever_the_locale(locale):
    environment = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    process = start("predict", "--json", "影评", env=environment)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err.decode().count("\n")) == (0, 1)  # that the model knows no word of it
    assert json.loads(out.decode())["text"] == "影评"


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_lines_are_answered_while_more_may_come():
    with start("predict", "-") as process:
        for _ in range(2):
            process.stdin.write(b"a wonderful film\n")
            process.stdin.flush()
            assert process.stdout.readline().split()[:2] == [b"0.947", b"positive"]
        process.stdin.close()
        assert (process.wait(30), process.stderr.read()) == (0, b"")


@pytest.mark.slow
def test_it_ends_quietly_when_nobody_reads_on(folder):
    (folder / "texts").write_text("a wonderful film\n" * 100_000)
    with (folder / "texts").open("rb") as texts, start("predict", "-", stdin=texts) as process:
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(30), process.stderr.read()) == (141, b"")


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["predict", "a wonderful film"], ["--version"]], ids=["predict", "version"])
def test_an_answer_for_which_there_is_no_room_is_one_line(folder, arguments):
    with Path("/dev/full").open("w") as full, start(*arguments, stdout=full) as process:
        assert (process.wait(30), process.stderr.read().decode()) == (
            1,
            "error: the answer cannot be written (No space left on device)\n",
        )


@pytest.mark.slow
def test_no_standard_input_is_one_line(folder):
    with start("predict", "-", preexec_fn=lambda: os.close(0)) as process:
        assert (process.wait(30), process.stderr.read()) == (
            1,
            b"error: there is no standard input; give the texts as arguments, or a table\n",
        )


@pytest.mark.parametrize("arguments", [["--table", "{}.csv", "--out", "b.csv"], ["a", "--model", "{}.csv"]])
def test_what_the_system_refuses_to_look_at_is_named(run, arguments):
    """As it does in a closed folder, unless one is root."""
    name = "a" * 300
    status, _, err = run("predict", *(argument.format(name) for argument in arguments))
    assert (status, err) == (1, f"error: {name}.csv cannot be read (File name too long)\n")


@pytest.mark.slow
def test_predicting_needs_none_of_the_packages_of_the_extras(folder):
    """`pip install imdb-rnn` installs none of them. Who has a table in Parquet, or serves, is told what is missing."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {re.split(r"[^\w-]", line)[0] for line in extras["serve"]} == {"fastapi", *command.TO_SERVE.split()}
    lines = [line for extra in ("train", "pipeline", "serve") for line in extras[extra]]
    names = {re.split(r"[^\w-]", line)[0] for line in lines} - {"imdb-rnn", "setuptools"}
    packages = packages_distributions().items()
    missing = [module for module, of in packages if names & {name.lower().replace("_", "-") for name in of}]
    assert {"dvc", "fastapi", "keras", "matplotlib", "pandas", "pyarrow", "scipy", "yaml"} < set(missing)
    (folder / "reviews.csv").write_text("text\na wonderful film\n")
    (folder / "reviews.parquet").write_bytes(b"PAR1")
    script = f"""if True:
        import sys
        for module in {missing}:
            sys.modules.setdefault(module)
        from imdb_rnn.cli.command import main
        predict = ["imdb-rnn", "predict"]
        for sys.argv in (
            [*predict, "A wonderful film.", "--trace"],
            [*predict, "--table", "reviews.csv", "--out", "scored.csv"],
            [*predict, "--table", "reviews.parquet", "--out", "scored.parquet"],
            ["imdb-rnn", "serve"],
        ):
            try:
                main()
            except SystemExit as error:
                assert error.code == 1
    """
    ran = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
    assert ran.stdout.startswith("0.947  positive  A wonderful film.\n")
    assert (folder / "scored.csv").read_text().endswith("a wonderful film,0.947348,positive\n")
    assert ran.stderr == (
        "text column: text\nerror: this needs the package pyarrow; run `pip install pyarrow`\n"
        f"error: serve needs the package uvicorn; run `pip install {command.TO_SERVE}`\n"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("many")
def test_ray_is_loaded_for_a_cluster_alone():
    code = "import sys; from imdb_rnn.cli.command import main; main(); print('ray' in sys.modules)"
    command = [sys.executable, "-c", code, "predict", "--table", "in", "--out", "scored"]
    out = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True).stdout
    assert out.splitlines()[1:] == ["False"]


@pytest.mark.slow
def test_ctrl_c_ends_it_with_one_line_and_keeps_the_tables_that_are_whole(many):
    (many / "in/b.csv").write_text("text\n" + "a wonderful film\n" * 1_000_000)
    heeding = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # also where the tests do not
    with start("predict", "--table", "in", "--out", "scored", **heeding) as process:
        deadline = time.monotonic() + 30
        while not list(many.glob("scored/.imdb-rnn/unfinished/.imdb-rnn-tmp-*/new/b.csv")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        *_, said, interrupted = process.stderr.read().decode().splitlines()
        assert (said, interrupted.split(":")[0]) == ("", "interrupted")
    assert {path.name for path in (many / "scored").rglob("*")} == {"a.csv", ".imdb-rnn", "a.csv.json"}


def test_look_says_what_training_with_the_present_settings_would_make_of_a_table(run, folder, tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("".join(f"film {n} is good,{n % 2}\n" for n in range(12)).join(["Review Text,Rating\n", ""]))
    status, out, err = run("look", str(table))
    assert (status, err) == (0, "")
    assert out.startswith("mine.csv: comma-separated, UTF-8; 12 rows; text: Review Text, label: Rating (by name)\n")
    assert "reviews: 6 negative, 6 positive\n" in out
    params = (ROOT / "params.yaml").read_text().replace(" labels: null", " labels: {negative: [1], positive: [0]}")
    (folder / "params.yaml").write_text(params)
    assert "labels: negative: 1; positive: 0\n" in run("look", str(table))[1]
    status, out, err = run("look", str(tmp_path / "none.csv"))
    assert (status, out) == (1, "")
    assert re.fullmatch(r"error: .*none\.csv does not exist.*\n", err)
