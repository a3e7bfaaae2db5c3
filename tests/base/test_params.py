import pytest
import yaml
from material import ROOT, contents, run_stage
from ruamel.yaml import YAML

from imdb_rnn.base.errors import UserError
from imdb_rnn.base.params import parse_params

TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")


def with_value(key: str, value: str) -> str:
    """The shipped parameter file with the text of one value replaced."""
    section, name = key.split(".")
    lines, current = TEXT.splitlines(), None
    for number, line in enumerate(lines):
        if line and not line[0].isspace():
            current = line.split(":")[0]
        if current == section and line.startswith(f"  {name}:"):
            lines[number] = f"  {name}: {value}"
            return "\n".join(lines)
    raise KeyError(key)


def test_the_shipped_file_is_valid_and_has_the_articles_settings(params):
    assert (params.pad.vocab_size, params.pad.maxlen, params.pad.padding, params.pad.truncating) == (
        10000,
        500,
        "pre",
        "pre",
    )
    assert (params.model.cell, params.model.embedding_dim, params.model.units) == ("simple_rnn", 32, 32)
    assert (params.train.epochs, params.train.batch_size, params.train.learning_rate) == (10, 128, 0.001)
    assert params.model_dump() == yaml.safe_load(TEXT)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 0.001), ("1E-3", 0.001), ("1.e-3", 0.001), (".001", 0.001), ("1", 1.0), ("5e-04", 5e-4)],
)
def test_numbers_are_read_as_dvc_reads_them(text, value):
    assert parse_params(with_value("train.learning_rate", text)).train.learning_rate == value


@pytest.mark.parametrize(("text", "value"), [("0500", 500), ("+50", 50), ("0x10", 16)])
def test_whole_numbers_are_read_as_dvc_reads_them(text, value):
    assert parse_params(with_value("pad.maxlen", text)).pad.maxlen == value
    assert YAML(typ="safe", pure=True).load(with_value("pad.maxlen", text))["pad"]["maxlen"] == value  # DVC's reader


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False)])
def test_only_true_and_false_say_so(text, value):
    assert parse_params(with_value("model.mask_padding", text)).model.mask_padding is value
    for other in ("yes", "off", "1", "null"):
        with pytest.raises(UserError, match="mask_padding is "):
            parse_params(with_value("model.mask_padding", other))


def test_no_clipping_is_null():
    assert parse_params(with_value("train.clipnorm", "null")).train.clipnorm is None
    assert parse_params(with_value("train.clipnorm", "2")).train.clipnorm == 2
    with pytest.raises(UserError, match="clipnorm is 0, it should be greater than 0"):
        parse_params(with_value("train.clipnorm", "0"))


def test_the_test_reviews_do_not_stop_training():
    text = with_value("train.patience", "2").replace("  validation: holdout ", "  validation: test ")
    with pytest.raises(UserError, match=r"params\.yaml: train: with validation: test, patience must be null"):
        parse_params(text)


@pytest.mark.parametrize("text", ["8:20", "2001-99-99", "!!int abc", "9" * 5000, "[" * 3000])
def test_what_yaml_cannot_read_is_one_line(text):
    with pytest.raises(UserError) as error:
        parse_params(with_value("pad.maxlen", text))
    (line,) = str(error.value).splitlines()
    assert line.startswith("params.yaml: ")


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("pad.maxlen", "0", "greater than or equal to 1"),
        ("pad.maxlen", "many", "valid integer"),
        ("pad.maxlen", "500.5", "valid integer"),
        ("pad.maxlen", "'500'", "valid integer"),
        ("pad.maxlen", "true", "valid integer"),
        ("pad.maxlen", "", "valid integer"),
        ("pad.vocab_size", "3", "greater than or equal to 4"),
        ("pad.padding", "front", "'pre' or 'post'"),
        ("model.cell", "1", "valid string"),
        ("model.layers", "0", "greater than or equal to 1"),
        ("model.bidirectional", "both", "valid boolean"),
        ("model.pooling", "sum", "'last', 'max', 'mean' or 'max+mean'"),
        ("model.ngrams", "4", "less than or equal to 3"),
        ("model.dropout", "1", "less than 1"),
        ("model.embedding_dropout", "-0.1", "greater than or equal to 0"),
        ("train.optimizer", "adagrad", "'adam', 'rmsprop' or 'sgd'"),
        ("train.schedule", "step", "'constant', 'linear' or 'cosine'"),
        ("train.weight_averaging", "1", "less than 1"),
        ("train.patience", "0", "greater than or equal to 1"),
        ("train.learning_rate", ".nan", "finite number"),
        ("train.learning_rate", "-0.001", "greater than 0"),
        ("train.learning_rate", "fast", "valid number"),
        ("train.validation_fraction", "1", "less than 1"),
        ("train.seed", "-1", "greater than or equal to 0"),
        ("data.source", "imdb", "'bundled' or 'keras'"),
        ("data.sha256", "abc", "match pattern"),
        ("data.url", "imdb.npz", "match pattern"),
        ("plots.language", "de", "'en' or 'zh'"),
    ],
)
def test_a_bad_value_is_named_with_what_was_found_and_what_is_allowed(key, value, says):
    with pytest.raises(UserError) as error:
        parse_params(with_value(key, value))
    (line,) = str(error.value).splitlines()
    found = yaml.safe_load(value)
    assert line.startswith(f"params.yaml: {key} is {found!r}, ")
    assert says in line


def test_every_fault_gets_a_line():
    text = with_value("pad.maxlen", "0").replace("  units: 32", "  unit: 32") + "\nextra: 1\n"
    with pytest.raises(UserError) as error:
        parse_params(text)
    lines = "\n".join(sorted(str(error.value).splitlines()))
    assert [line.split(" ")[1] for line in lines.splitlines()] == ["extra", "model.unit", "model.units", "pad.maxlen"]
    assert "extra is not a parameter; allowed here: data, pad, model, train, explain, plots" in lines
    assert "model.unit is not a parameter; allowed here: cell, layers, bidirectional, embedding_dim, units" in lines
    assert "model.units is missing" in lines


@pytest.mark.parametrize(
    "text", ["", "3", "- a", "data: 3", "pad: [1", "data: &a [*a]", "\tx: 1", "!!python/name:os.x"]
)
def test_a_file_of_another_shape_is_refused_in_words(text):
    with pytest.raises(UserError, match=r"params\.yaml"):
        parse_params(text)


def test_a_stage_with_a_bad_parameter_writes_nothing_and_fails(tmp_path):
    # a parameter of another stage, since the whole file is checked
    (tmp_path / "params.yaml").write_text(with_value("plots.language", "fr"), encoding="utf-8")
    before = contents(tmp_path)
    result = run_stage("download", tmp_path)
    assert result.returncode == 1
    assert result.stderr == "error: params.yaml: plots.language is 'fr', it should be 'en' or 'zh'\n"
    assert contents(tmp_path) == before


def test_outside_the_project_the_missing_file_is_named(tmp_path):
    result = run_stage("pad", tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("error: params.yaml: cannot be read")
    assert len(result.stderr.splitlines()) == 1
