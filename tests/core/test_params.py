import json
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from material import ROOT, run_limited

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import (
    ModelParams,
    PadParams,
    Params,
    load_params,
    parse_params,
    parse_yaml,
    validate,
    value_of,
)
from imdb_rnn.engine.kernels.cells import CELLS

TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")


def lines_of_keys() -> dict[str, int]:
    """Of each key of the shipped file, sections too, the line that it stands in."""
    above, numbers = [], {}
    for number, line in enumerate(TEXT.splitlines()):
        if named := re.match(r"( *)([a-z_0-9]+):", line):
            above = [*above[: len(named[1]) // 2], named[2]]
            numbers[".".join(above)] = number
    return numbers


LINES_OF_KEYS = lines_of_keys()


def with_value(key: str, value: str) -> str:
    """The shipped parameter file with the text of one value replaced."""
    lines = TEXT.splitlines()
    number = LINES_OF_KEYS[key]
    lines[number] = f"{lines[number].split(':')[0]}: {value}"
    return "\n".join(lines)


def faults(text: str) -> list[str]:
    """What is wrong with the text of a parameter file, without the file's name."""
    with pytest.raises(UserError) as error:
        parse_params(text)
    lines = str(error.value).splitlines()
    assert all(line.startswith("params.yaml: ") for line in lines)
    return [line.removeprefix("params.yaml: ") for line in lines]


def test_the_shipped_file_is_valid_and_has_the_tutorial_s_settings(params):
    assert params.pad == PadParams(vocab_size=10_000, maxlen=500, padding="pre", truncating="pre")
    assert (params.model.cell, params.model.embedding_dim, params.model.units) == ("simple_rnn", 32, 32)
    assert (params.train.epochs, params.train.batch_size, params.train.learning_rate) == (10, 128, 0.001)
    assert params.model_dump() == parse_yaml(TEXT, Path())


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        *[("train.learning_rate", text, 0.001) for text in ("1e-3", "1E-3", "1.e-3", ".001")],
        ("train.learning_rate", "1", 1.0),
        ("pad.maxlen", "0500", 500),
        ("pad.maxlen", "+50", 50),
        ("pad.maxlen", "0x10", 16),
        ("pad.maxlen", "0o10", 8),
        ("pad.maxlen", "08", 8),
        ("model.mask_padding", "False", False),
        ("train.clipnorm", "null", None),
        ("train.clipnorm", "2", 2.0),
    ],
)
def test_values_are_read_by_yaml_1_2_as_dvc_reads_them(key, text, value):
    assert value_of(key, parse_params(with_value(key, text)).model_dump()) == value


def test_the_cells_are_those_of_the_engine():
    assert set(get_args(ModelParams.model_fields["cell"].annotation)) == set(CELLS)


def test_a_threshold_is_chosen_on_folds():
    (fault,) = faults(with_value("train.threshold", "f1"))
    assert fault == "train: threshold is chosen on folds; set folds to a number, such as 3, or threshold to null"
    for value in ("recall", "0.4", "[f1]", "{precision: 1}", "{recall: 0.9}", "{precision: 0.9, recall: 0.9}"):
        (fault,) = faults(with_value("train.threshold", value))
        assert fault.startswith("train.threshold: choose null, accuracy, f1, balanced_accuracy or {precision: 0.9}, a ")
    text = with_value("train.threshold", "{precision: 0.9}").replace("  folds: null", "  folds: 3")
    assert parse_params(text).train.threshold == {"precision": 0.9}


def test_the_test_reviews_do_not_stop_training():
    text = with_value("train.patience", "2").replace("  validation: holdout ", "  validation: test ")
    with pytest.raises(UserError, match=r"params\.yaml: train: with validation: test, patience must be null"):
        parse_params(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("8:20", "pad.maxlen is '8:20', it should be a valid integer"),
        ("12:30:20", "pad.maxlen is '12:30:20', it should be a valid integer"),
        ("2001-12-14", "pad.maxlen is datetime.date(2001, 12, 14), it should be a valid integer"),
        ("2001-99-99", "not valid YAML: month must be in 1..12"),
        ("!!int abc", "not valid YAML: invalid literal for int()"),
        ("!!bool abc", "not valid YAML: 'abc'"),
        ("9" * 5000, "not valid YAML: Exceeds the limit"),
        ("[" * 1000, "not valid YAML: maximum recursion depth exceeded"),
        ("{a: 1, a: 2}", f"not valid YAML: line {LINES_OF_KEYS['pad.maxlen'] + 1}: duplicate key 'a'"),
        ("!!python/name:os.x", "could not determine a constructor for the tag"),
    ],
)
def test_what_is_not_a_number_is_one_line(text, says):
    (line,) = faults(with_value("pad.maxlen", text))
    assert says in line
    assert len(line) < 400


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("pad.maxlen", "1", "greater than or equal to 2"),
        ("pad.maxlen", "many", "valid integer"),
        ("pad.maxlen", "500.5", "valid integer"),
        ("pad.maxlen", "'500'", "valid integer"),
        ("pad.maxlen", "true", "valid integer"),
        ("pad.maxlen", "", "valid integer"),
        ("pad.vocab_size", "4", "greater than or equal to 5"),
        ("pad.padding", "front", "'pre' or 'post'"),
        ("model.cell", "1", "'simple_rnn', 'lstm' or 'gru'"),
        ("model.layers", "0", "greater than or equal to 1"),
        ("model.bidirectional", "both", "valid boolean"),
        ("model.pooling", "sum", "'last', 'max', 'mean' or 'max+mean'"),
        ("model.ngrams", "4", "less than or equal to 3"),
        ("model.dropout", "1", "less than 1"),
        ("model.word_dropout", "-0.1", "greater than or equal to 0"),
        ("model.mask_padding", "yes", "valid boolean"),
        ("train.clipnorm", "0", "greater than 0"),
        ("train.optimizer", "adagrad", "'adam', 'rmsprop' or 'sgd'"),
        ("train.schedule", "step", "'constant', 'linear' or 'cosine'"),
        ("train.weight_averaging", "1", "less than 1"),
        ("train.patience", "0", "greater than or equal to 1"),
        ("train.learning_rate", ".nan", "finite number"),
        ("train.learning_rate", "-0.001", "greater than 0"),
        ("train.learning_rate", "fast", "valid number"),
        ("train.validation_fraction", "1", "less than 1"),
        ("train.seed", "-1", "greater than or equal to 0"),
        ("data.source", "imdb", "'bundled', 'keras' or 'own'"),
        ("data.bundled.test_fraction", "0", "greater than 0"),
        ("data.keras.sha256", "abc", "match pattern"),
        ("data.keras.url", "imdb.npz", "match pattern"),
        ("explain.reviews", "0", "greater than or equal to 1"),
        ("plots.language", "de", "'en' or 'zh'"),
    ],
)
def test_a_bad_value_is_named_with_what_was_found_and_what_is_allowed(key, value, says):
    (line,) = faults(with_value(key, value))
    assert line.startswith(f"{key} is {parse_yaml(value, Path())!r}, ")
    assert says in line


@pytest.mark.parametrize(
    ("new", "old", "says"),
    [
        ("  tokenizer: auto ", "  tokens: words ", "data.tokens is now data.tokenizer: auto, word, char or jieba"),
        ("index_sha256:", "index_md5:", "data.keras.word_index_md5 is now data.keras.word_index_sha256"),
        ("  embeddings: ", "  word_vectors: ", "model.word_vectors is now model.embeddings: learned or ppmi_svd"),
        ("  word_dropout: ", "  embedding_dropout: ", "model.embedding_dropout is now model.word_dropout"),
        ("tokenizer: auto ", "tokenizer: characters ", "data.tokenizer: characters is now char"),
        ("embeddings: learned", "embeddings: counted", "model.embeddings: counted is now ppmi_svd"),
    ],
)
def test_an_old_name_gets_one_line_that_gives_the_new_one(new, old, says):
    assert TEXT.count(new) == 1
    assert faults(TEXT.replace(new, old)) == [says]


@pytest.mark.parametrize(
    ("key", "value", "plain"),
    [
        ("model.ngrams", "2", "0"),
        ("model.word_dropout", "0.25", "0"),
        ("model.embeddings", "ppmi_svd", "learned"),
        ("train.folds", "3", "null"),
    ],
)
def test_what_the_engine_keras_does_not_have_is_refused_in_one_line(key, value, plain):
    text = with_value(key, value)
    assert isinstance(parse_params(text), Params)
    (line,) = faults(text.replace("engine: compiled ", "engine: keras "))
    assert line.startswith(f"{key} is ")
    assert line.endswith(f", which the engine keras does not have; set it to {plain}, or train.engine to compiled")


def test_every_fault_gets_a_line():
    text = with_value("pad.maxlen", "0").replace("  units: 32", "  unit: 32") + "\nextra: 1\n"
    text = text.replace("    test_fraction:", "    sha256: abc\n    test_fraction:", 1)
    *lines, last = sorted(faults(text))
    assert last.startswith("pad.maxlen is 0, ")
    assert lines == [
        "data.bundled.sha256 is not a parameter; allowed here: test_fraction",
        "extra is not a parameter; allowed here: data, pad, model, train, explain, plots",
        f"model.unit is not a parameter; allowed here: {', '.join(ModelParams.model_fields)}",
        "model.units is missing",
    ]


def test_a_key_of_several_lines_is_still_one_line():
    assert faults(TEXT + '"a\\nb": 1\n') == [f"a b is not a parameter; allowed here: {', '.join(Params.model_fields)}"]


@pytest.mark.parametrize("key", LINES_OF_KEYS)
def test_the_file_has_to_say_every_value(key):
    """Those too that have a default, and those of a source that is not chosen."""
    *above, name = key.split(".")
    values = section = parse_yaml(TEXT, Path())
    for group in above:
        section = section[group]
    del section[name]
    assert faults(json.dumps(values)) == [f"{key} is missing"]  # JSON is YAML


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("{negative: [0]}", "give negative and positive, lists of values, or negative_max and positive_min"),
        ("{negative: [0], positive: [1], negative_max: 3}", "give negative and positive"),
        ("{negative: [0], positive: ['0']}", "a value is listed twice"),
        ("{negative_max: 4, positive_min: 4}", "negative_max should be below positive_min"),
        ("{good: [1]}", "good is not a parameter; allowed here: negative, positive, negative_max, positive_min"),
    ],
)
def test_labels_are_lists_or_bounds(labels, says):
    (line,) = faults(with_value("data.own.labels", labels))
    assert line.startswith("data.own.labels")
    assert says in line


@pytest.mark.parametrize("path", ["data/own", "data/own/", "./data/own/reviews.csv", "data/own/2024/a"])
def test_own_reviews_are_in_their_folder(path):
    assert parse_params(with_value("data.own.path", path)).data.own.path == path


@pytest.mark.parametrize("path", ["''", "data", "/data/own", "../own", "data/own/../x.csv", "data/owned", "~/own"])
def test_own_reviews_elsewhere_are_refused_because_dvc_does_not_watch_them(path):
    (line,) = faults(with_value("data.own.path", path))
    assert line.endswith("is not in data/own; put the file, or a link to it, into data/own")


def test_keras_reviews_have_no_text_to_split():
    assert faults(with_value("data.tokenizer", "char").replace("source: bundled", "source: keras")) == [
        "data: source: keras has word ids and no text; set tokenizer: auto"
    ]


def test_a_value_where_a_group_should_be_is_named():
    values = parse_yaml(TEXT, Path()) | {"pad": None}
    values["data"]["keras"] = "imdb.npz"
    assert faults(json.dumps(values)) == [
        "data.keras is 'imdb.npz', it should be a mapping of keys to values",
        "pad is None, it should be a mapping of keys to values",
    ]


def test_elsewhere_what_is_left_out_has_its_default():
    assert validate(PadParams, {"maxlen": 20}, Path("presets.yaml"), "best", "pad") == PadParams(maxlen=20)
    with pytest.raises(UserError, match=r"^presets\.yaml: best\.pad\.maxlen is 0, it should be greater"):
        validate(PadParams, {"maxlen": 0}, Path("presets.yaml"), "best", "pad")
    with pytest.raises(UserError, match=r"^presets\.yaml: best\.model\.word_vectors is now model\.embeddings: "):
        validate(ModelParams, {"word_vectors": "counted"}, Path("presets.yaml"), "best", "model")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pad", {"maxlen": 20}),
        ("pad.maxlen", 20),
        ("data.source", "keras"),
        ("data.${data.source}", {"url": "file:///x"}),
        ("data.${data.source}.url", "file:///x"),
        ("data.other", None),
        ("pad.maxlen.more", None),
        ("other.maxlen", None),
    ],
)
def test_a_dotted_key_leads_to_its_value(key, value):
    values = {"data": {"source": "keras", "keras": {"url": "file:///x"}}, "pad": {"maxlen": 20}}
    assert value_of(key, values) == value
    assert value_of(key, None) is None


def test_the_source_has_its_own_group():
    data = parse_params(with_value("data.source", "keras")).data
    assert data.of_source() == data.keras


@pytest.mark.parametrize("text", ["", "3", "- a", "data: 3", "pad: [1", "data: &a [*a]", "\tx: 1"])
def test_a_file_of_another_shape_is_refused_in_words(text):
    with pytest.raises(UserError, match=r"params\.yaml"):
        parse_params(text)


def test_the_file_is_read_in_the_projects_folder(params, tmp_path):
    (tmp_path / "params.yaml").write_text(TEXT, encoding="utf-8")
    assert load_params(tmp_path) == params
    with pytest.raises(UserError, match=r"params\.yaml: cannot be read"):
        load_params(tmp_path / "elsewhere")


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(position=st.integers(0, len(TEXT) - 1), put=st.text(max_size=8), cut=st.integers(0, 20))
def test_a_changed_file_is_parameters_or_lines(position, put, cut):
    try:
        assert isinstance(parse_params(TEXT[:position] + put + TEXT[position + cut :]), Params)
    except UserError as error:
        assert all(line.startswith("params.yaml: ") for line in str(error).splitlines())


def test_aliases_cannot_fill_the_memory():
    """Ten lines of YAML that stand for a thousand million strings."""
    laughs = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    for name, before in zip("bcdefghi", "abcdefgh", strict=True):
        laughs += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    code = f"from imdb_rnn.core.params import parse_params\nparse_params({laughs + 'pad: *i'!r})"
    ran = run_limited(code, 2000)
    assert "imdb_rnn.core.errors.UserError: params.yaml: " in ran.stderr, ran.stderr[-500:]
    assert len(ran.stderr) < 20_000
