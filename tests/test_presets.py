import pytest
import yaml
from material import ROOT, changed

from presets import apply, preset
from stages.errors import UserError
from stages.params import parse_params

PRESETS = (ROOT / "presets.yaml").read_text(encoding="utf-8")
PARAMS = (ROOT / "params.yaml").read_text(encoding="utf-8")
NAMES = list(yaml.safe_load(PRESETS))


def test_the_shipped_parameters_are_the_default_preset():
    assert apply(preset(PRESETS, "default"), PARAMS) == PARAMS


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_says_what_the_stages_then_read(name):
    values = preset(PRESETS, name)
    params = parse_params(apply(values, PARAMS)).model_dump()
    for section, names in values.items():
        assert params[section] | names == params[section]
    assert set(values) >= {"pad", "model", "train"}
    for section in ("pad", "model", "train"):
        assert values[section].keys() == params[section].keys(), "something of an earlier preset would stay"


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_leaves_nothing_of_another_but_the_source(name):
    other = apply(preset(PRESETS, name), PARAMS)
    back = apply(preset(PRESETS, "default"), other)
    source = parse_params(other).data.source
    assert parse_params(back) == changed(parse_params(PARAMS), data={"source": source})


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
    assert (params.model.ngrams, params.model.dropout, params.model.embedding_dropout) == (0, 0, 0)
    assert params.model.mask_padding is False
    assert (params.train.epochs, params.train.batch_size, params.train.optimizer) == (10, 128, "adam")
    assert (params.train.learning_rate, params.train.schedule, params.train.clipnorm) == (0.001, "constant", None)
    assert (params.train.weight_averaging, params.train.patience, params.train.validation) == (None, None, "test")


def test_an_unknown_preset_is_named_with_those_there_are():
    with pytest.raises(UserError, match=r"no preset 'larger' in presets\.yaml; it has default, article"):
        preset(PRESETS, "larger")


def test_a_damaged_parameter_file_is_not_called_the_preset_s_fault():
    with pytest.raises(UserError, match=r"params\.yaml: model\.units is 0"):
        apply(preset(PRESETS, "default"), PARAMS.replace("units: 32 ", "units: 0 "))
