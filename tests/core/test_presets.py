import pytest
import yaml
from material import ROOT

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import ModelParams, PadParams, TrainParams, parse_params
from imdb_rnn.core.presets import apply, edit, preset

PRESETS = (ROOT / "presets.yaml").read_text(encoding="utf-8")
PARAMS = (ROOT / "params.yaml").read_text(encoding="utf-8")
NAMES = list(yaml.safe_load(PRESETS))


def test_the_shipped_parameters_are_the_default_preset():
    assert apply(preset(PRESETS, "default"), PARAMS) == PARAMS


def test_the_default_preset_is_the_defaults_that_the_library_has():
    default = preset(PRESETS, "default")
    assert (default.pad, default.model, default.train) == (PadParams(), ModelParams(), TrainParams())
    assert default.data.source == "bundled"


def test_a_preset_changes_what_it_names_and_nothing_else():
    chosen = preset("mine: {model: {units: 7, ngrams: 2, ngram_min_reviews: 5}}", "mine")
    assert chosen.model == ModelParams(units=7, ngrams=2, ngram_min_reviews=5)
    assert (chosen.pad, chosen.train) == (PadParams(), TrainParams())


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_says_what_the_stages_then_read(name):
    chosen = preset(PRESETS, name)
    params = parse_params(apply(chosen, PARAMS))
    assert (params.pad, params.model, params.train) == (chosen.pad, chosen.model, chosen.train)
    assert params.data.source == (chosen.data.source or "bundled")


def test_a_preset_of_another_source_brings_its_tokenizer():
    characters = PARAMS.replace("tokenizer: auto", "tokenizer: char")
    assert parse_params(characters).data.tokenizer == "char"
    assert parse_params(apply(preset(PRESETS, "article"), characters)).data.tokenizer == "auto"
    assert parse_params(apply(preset(PRESETS, "gru"), characters)).data.tokenizer == "char"


def test_parameters_that_the_pipeline_would_refuse_are_not_written():
    mine = preset("mine: {data: {source: keras}}", "mine")
    with pytest.raises(
        UserError, match=r"^nothing was written, because with this preset params\.yaml: data: source: keras"
    ):
        apply(mine, PARAMS.replace("tokenizer: auto", "tokenizer: char"))


@pytest.mark.parametrize("name", NAMES)
def test_the_default_preset_leaves_nothing_of_another(name):
    other = apply(preset(PRESETS, name), PARAMS)
    assert apply(preset(PRESETS, "default"), other) == PARAMS


@pytest.mark.parametrize("name", NAMES)
def test_comments_stay(name):
    def comments(text):
        return [line.split("#", 1)[1] for line in text.splitlines() if "#" in line]

    assert comments(apply(preset(PRESETS, name), PARAMS)) == comments(PARAMS)


def test_the_article_s_preset_is_the_article():
    params = parse_params(apply(preset(PRESETS, "article"), PARAMS))
    assert params.data.source == "keras"
    assert params.pad.model_dump() == {"vocab_size": 10000, "maxlen": 500, "padding": "pre", "truncating": "pre"}
    assert (params.model.cell, params.model.embedding_dim, params.model.units) == ("simple_rnn", 32, 32)
    assert (params.model.layers, params.model.bidirectional, params.model.pooling) == (1, False, "last")
    assert (params.model.ngrams, params.model.dropout, params.model.word_dropout) == (0, 0, 0)
    assert params.model.mask_padding is False
    assert (params.train.epochs, params.train.batch_size, params.train.optimizer) == (10, 128, "adam")
    assert (params.train.learning_rate, params.train.schedule, params.train.clipnorm) == (0.001, "constant", None)
    assert (params.train.weight_averaging, params.train.patience, params.train.validation) == (None, None, "test")


def test_an_unknown_preset_is_named_with_those_there_are():
    with pytest.raises(UserError, match=r"no preset 'larger' in presets\.yaml; it has default, article"):
        preset(PRESETS, "larger")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model: {unit: 3}", "presets.yaml: mine.model.unit is not a parameter; allowed here: cell, layers"),
        ("modell: {units: 3}", "presets.yaml: mine.modell is not a parameter; allowed here: data, pad, model, train"),
        ("model: {units: 0}", "presets.yaml: mine.model.units is 0, it should be greater than or equal to 1"),
        ("model: {bidirectional: yes}", "presets.yaml: mine.model.bidirectional is 'yes'"),
        ("data: {url: x}", "presets.yaml: mine.data.url is not a parameter; allowed here: source, tokenizer"),
        ("data: {source: imdb}", "presets.yaml: mine.data.source is 'imdb', it should be 'bundled', 'keras' or 'own'"),
        ("train: {validation: test, patience: 2}", "presets.yaml: mine.train: with validation: test, patience must be"),
        (
            "{model: {ngrams: 2}, train: {engine: keras}}",
            "presets.yaml: mine: model.ngrams is 2, which the engine keras",
        ),
        ("", "presets.yaml: mine is None, it should be a mapping of keys to values"),
        ("model: 3", "presets.yaml: mine.model is 3, it should be a mapping of keys to values"),
        ("model: [", "presets.yaml: not valid YAML"),
    ],
)
def test_a_bad_preset_is_named(text, says):
    with pytest.raises(UserError) as error:
        preset(f"{PRESETS}\nmine:\n  {text}\n", "mine")
    assert str(error.value).startswith(says)


def test_a_file_that_holds_no_presets_is_named():
    with pytest.raises(UserError, match=r"presets\.yaml: it should be a mapping of names to presets"):
        preset("- default", "default")


def test_numbers_are_read_as_in_the_parameter_file():
    text = f"{PRESETS}\nmine:\n  train: {{learning_rate: 1e-4, epochs: 010}}\n"
    params = parse_params(apply(preset(text, "mine"), PARAMS))
    assert (params.train.learning_rate, params.train.epochs) == (0.0001, 10)


def test_a_damaged_parameter_file_is_not_called_the_preset_s_fault():
    with pytest.raises(UserError, match=r"params\.yaml: model\.units is 0"):
        apply(preset(PRESETS, "default"), PARAMS.replace("units: 32 ", "units: 0 "))


def test_values_are_edited_at_any_depth_and_comments_stay():
    text = edit(PARAMS, {"data": {"own": {"labels": {"classes": "all"}}}, "train": {"folds": 3}})
    params = parse_params(text)
    assert (params.data.own.labels.classes, params.data.own.test_fraction, params.train.folds) == ("all", 0.2, 3)
    assert text.count("#") == PARAMS.count("#")
    for wrong, says in (({"train": {"epoch": 3}}, r"train\.epoch is not a parameter"), ({"trian": 3}, "trian is")):
        with pytest.raises(UserError, match=says):
            edit(PARAMS, wrong)
