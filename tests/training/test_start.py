"""`train.start_from`, from the words of a table to the trained model."""

from pathlib import Path

import numpy as np
import pytest
from material import changed

from imdb_rnn import model_file
from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError
from imdb_rnn.core.params import Params
from imdb_rnn.model import Model
from imdb_rnn.text.vocabulary import OOV, RANK_OFFSET
from stages import check, download, folds, pad, train

pytestmark = pytest.mark.slow

FILMS = [
    "a good plot",
    "a fine plot",
    "a good film",
    "a fine film",
    "a bad plot",
    "a dull plot",
    "a bad film",
    "a dull film",
]
SHOPS = [
    "a fine shop",
    "fine toast",
    "good toast",
    "a good shop",
    "a bad shop",
    "bad toast",
    "a poor shop",
    "poor toast",
]


def params_for(params: Params, **training: object) -> Params:
    return changed(
        params,
        data={"source": "own"},
        pad={"vocab_size": 30, "maxlen": 6},
        model={"cell": "gru", "embedding_dim": 4, "units": 5, "embeddings": "ppmi_svd"},
        train={"epochs": 1, "batch_size": 8, "learning_rate": 1e-12, **training},
    )


def write_table(folder: Path, texts: list[str], labels: tuple[str, str] = ("negative", "positive")) -> None:
    rows = [f"{text},{labels[number < 4]}" for number, text in enumerate(texts) for _ in range(4)]
    (folder / files.OWN).mkdir(parents=True, exist_ok=True)
    (folder / files.OWN / "reviews.csv").write_text("\n".join(["text,label", *rows]) + "\n")


def run(params: Params, folder: Path) -> Model:
    for stage in (check, download, pad, folds, train):
        stage.main(params, folder)
    return model_file.load(folder / files.MODEL)


@pytest.fixture
def films(params, tmp_path) -> Model:
    """A model to start from: `data/start/films.safetensors`."""
    write_table(tmp_path, FILMS)
    model = run(params_for(params, learning_rate=0.1), tmp_path)
    model_file.save(model, tmp_path / files.START / "films.safetensors")
    return model


FROM = {"start_from": "data/start/films.safetensors"}


def test_words_and_layers_are_those_of_the_model(params, films, tmp_path):
    """A rate of 1e-12 leaves weights where they were."""
    write_table(tmp_path, SHOPS)
    before = run(params_for(params), tmp_path)
    model = run(params_for(params, folds=2, **FROM), tmp_path)
    own = len(before.vocabulary)
    assert model.vocabulary[:own] == before.vocabulary
    assert set(model.vocabulary[own:]) == set(films.vocabulary) - set(before.vocabulary) != set()
    for word, row in zip(model.vocabulary, model.weights.embeddings[RANK_OFFSET + 1 :], strict=False):
        known = films.vocabulary.index(word) + RANK_OFFSET + 1 if word in films.vocabulary else OOV
        np.testing.assert_array_equal(row, films.weights.embeddings[known])
    for ours, theirs in zip(model.weights.layers[0][0], films.weights.layers[0][0], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    weight = model.weights.head_kernel / films.weights.head_kernel
    np.testing.assert_allclose(weight, weight[0, 0], rtol=1e-4)  # by the folds
    (tmp_path / files.START / "films.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match=r"films\.safetensors is damaged"):
        check.main(params_for(params, **FROM), tmp_path)


def test_the_words_of_the_model_are_not_unknown_because_one_review_alone_has_them(params, films, tmp_path):
    write_table(tmp_path, SHOPS)
    table = tmp_path / files.OWN / "reviews.csv"
    table.write_text(table.read_text().replace("text,label\n", "text,label\nfine plot,positive\npoor lamp,negative\n"))
    of_half = [run(params_for(params, **start), tmp_path).profile["unknown"][50] for start in ({}, FROM)]
    assert of_half == [2, 1]  # "plot" is a word of the model


def test_of_other_labels_the_head_is_new(params, films, tmp_path):
    write_table(tmp_path, SHOPS, ("no", "yes"))
    new, model = run(params_for(params), tmp_path), run(params_for(params, **FROM), tmp_path)
    np.testing.assert_allclose(model.weights.head_kernel, new.weights.head_kernel, atol=1e-6)
    assert not np.allclose(model.weights.layers[0][0].kernel, new.weights.layers[0][0].kernel, atol=1e-3)


def test_what_reads_the_model_runs_again_when_it_is_another(params, films, tmp_path):
    write_table(tmp_path, SHOPS)
    path, written = tmp_path / files.START / "films.safetensors", []
    for model in (films, run(params_for(params), tmp_path)):
        model_file.save(model, path)
        check.main(params_for(params, **FROM), tmp_path)
        written.append({text.stem: text.read_text() for text in (tmp_path / files.CODE).iterdir()})
    assert {name for name in written[0] if written[0][name] != written[1][name]} == {"download", "folds", "train"}


@pytest.mark.parametrize(
    ("model", "training", "expected"),
    [
        ({}, {"start_from": "data/start/shops.safetensors"}, r"shops\.safetensors is missing; put the model there"),
        ({"units": 6}, FROM, r"model\.units is 6, but the model of train\.start_from has 5; set model\.units to 5"),
        ({"cell": "lstm"}, FROM, r"model\.cell is lstm, .* has gru; set model\.cell to gru"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_removed(params, films, tmp_path, model, training, expected):
    with pytest.raises(UserError, match=expected):
        check.main(changed(params_for(params, **training), model=model), tmp_path)


def test_a_model_that_reads_characters_is_no_start_for_words(params, films, tmp_path):
    write_table(tmp_path, SHOPS)
    characters = changed(params_for(params, **FROM), data={"tokenizer": "char"})
    with pytest.raises(UserError, match=r"reads by word, these reviews are read by char; set data\.tokenizer to word"):
        run(characters, tmp_path)
