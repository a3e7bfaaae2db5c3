import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from material import ROOT, model_params

from stages import network
from stages.batches import unpad
from imdb_rnn.base.errors import UserError
from stages.network import keras, tf
from imdb_rnn.base.params import ModelParams

CELLS = ("simple_rnn", "lstm", "gru")
VOCAB_SIZE = 20

# One of each part that a network can have, and all of them together.
NETWORKS = {
    **{cell: model_params(cell=cell) for cell in CELLS},
    "three layers": model_params(cell="gru", layers=3),
    "bidirectional": model_params(cell="lstm", bidirectional=True),
    "max": model_params(pooling="max"),
    "mean": model_params(cell="gru", pooling="mean"),
    "dropout": model_params(embedding_dropout=0.5, dropout=0.5),
    "pairs": model_params(cell="gru", ngrams=2),
    "everything": model_params(
        cell="gru", layers=2, bidirectional=True, pooling="max+mean", ngrams=3, embedding_dropout=0.2, dropout=0.2
    ),
}


def made(params: ModelParams, seed: int = 5) -> keras.Model:
    """A network with weights, biases too, of which none is zero."""
    random = np.random.default_rng(seed)
    # Half of all single words, pairs and triples that there are
    codes = np.sort(random.choice(np.arange(1, VOCAB_SIZE**3), VOCAB_SIZE**3 // 2, replace=False))
    model = network.build(params, VOCAB_SIZE, codes if params.ngrams else None)
    model.set_weights([random.normal(0, 0.5, weights.shape) for weights in model.get_weights()])
    return model


def predict(model: keras.Model, params: ModelParams, x: np.ndarray) -> np.ndarray:
    return network.predict(model, params, unpad(x, params.mask_padding))


@pytest.fixture(params=NETWORKS)
def kind(request):
    return NETWORKS[request.param]


@pytest.fixture
def ids():
    ids = np.random.default_rng(0).integers(1, 20, (7, 12), dtype=np.int32)
    ids[:3, :4] = 0
    return ids


def test_the_article_s_network_has_the_article_s_weights(params):
    model = network.build(params.model, params.pad.vocab_size)
    assert [weights.shape for weights in model.get_weights()] == [(10000, 32), (32, 32), (32, 32), (32,), (32, 1), (1,)]
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Embedding", "SimpleRNN", "Dense"]


@pytest.mark.parametrize(("cell", "layer"), [("simple_rnn", "SimpleRNN"), ("lstm", "LSTM"), ("gru", "GRU")])
def test_each_cell_has_its_own_layer(cell, layer):
    model = network.build(model_params(cell=cell, layers=2), VOCAB_SIZE)
    assert [type(layer).__name__ for layer in model.layers[2:4]] == [layer, layer]


def test_an_unknown_cell_is_named_with_those_there_are():
    with pytest.raises(UserError, match=r"^model\.cell is 'x', it should be 'simple_rnn', 'lstm' or 'gru'"):
        network.build(model_params(cell="x"), VOCAB_SIZE)


def test_simple_rnn_computes_the_textbook_recurrence(ids):
    params = model_params(mask_padding=False)
    model = made(params)
    embedding, kernel, recurrent, bias, dense, dense_bias = model.get_weights()
    hidden = np.zeros((len(ids), 5))
    for word in ids.T:
        hidden = np.tanh(embedding[word] @ kernel + hidden @ recurrent + bias)
    expected = 1 / (1 + np.exp(-(hidden @ dense + dense_bias)))
    np.testing.assert_allclose(predict(model, params, ids), expected[:, 0], atol=1e-6)


def test_predictions_do_not_depend_on_the_batch(kind, ids, monkeypatch):
    model = made(kind)
    whole = predict(model, kind, ids)
    assert whole.shape == (7,)
    assert whole.dtype == np.float64
    monkeypatch.setattr(network, "PREDICTION_BATCH", 3)
    np.testing.assert_allclose(predict(model, kind, ids), whole, atol=1e-6)


def test_padding_does_not_change_a_prediction(kind):
    """Whatever a review's padding, its batch and its neighbours: to us and to Keras, which reads the padded rows."""
    random = np.random.default_rng(5)
    model = made(kind)
    texts = [random.integers(1, 20, length) for length in (1, 2, 30, 11)]
    alone = np.concatenate([predict(model, kind, text[None].astype(np.int32)) for text in texts])
    for before, maxlen in ((True, 30), (False, 30), (True, 60), (False, 60)):
        x = np.zeros((len(texts), maxlen), np.int32)
        for row, text in zip(x, texts, strict=True):
            row[maxlen - len(text) if before else 0 :][: len(text)] = text
        np.testing.assert_allclose(predict(model, kind, x), alone, atol=1e-6, rtol=0)
        np.testing.assert_allclose(predict(model, kind, x[::-1])[::-1], alone, atol=1e-6, rtol=0)
        np.testing.assert_allclose(model(x).numpy()[:, 0], alone, atol=2e-6, rtol=0)


def test_a_review_without_words_has_a_probability(kind):
    model, x = made(kind), np.array([[0, 0, 0], [0, 7, 8]], np.int32)
    probability = predict(model, kind, x)
    assert np.isfinite(probability).all()
    np.testing.assert_allclose(model(x).numpy()[:, 0], probability, atol=1e-6)


def test_an_id_beyond_the_vocabulary_is_refused(ids):
    params = model_params(cell="gru")
    with pytest.raises(UserError, match="ids below 20, the reviews hold 20"):
        predict(made(params), params, ids + 1)


def test_in_the_article_s_network_padding_counts(kind):
    params = kind.model_copy(update={"mask_padding": False})
    model = made(params)
    x = np.array([[0, 0, 0, 5, 6, 7], [5, 6, 7, 0, 0, 0]], np.int32)
    probability = predict(model, params, x)
    assert abs(probability[0] - probability[1]) > 1e-4
    np.testing.assert_allclose(probability, model(x).numpy()[:, 0], atol=1e-6)


def test_a_network_is_read_as_saved(kind, ids, tmp_path):
    model = made(kind)
    network.save(model, kind, tmp_path / "model.keras")
    again, params = network.load(tmp_path / "model.keras")
    assert params == kind
    np.testing.assert_array_equal(predict(again, params, ids), predict(model, kind, ids))


def test_a_saved_network_is_read_by_keras_alone(ids, tmp_path):
    """As a user would: no module of the project, and the least trusting of Keras' modes."""
    kind = NETWORKS["everything"]
    model = made(kind)
    network.save(model, kind, tmp_path / "model.keras")
    np.save(tmp_path / "ids.npy", ids)
    script = """if True:
        import keras, numpy
        model = keras.models.load_model("model.keras", safe_mode=True)
        numpy.save("probability.npy", model.predict(numpy.load("ids.npy"), verbose=0))
    """
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True)
    probability = np.load(tmp_path / "probability.npy")[:, 0]
    np.testing.assert_allclose(probability, predict(model, kind, ids), atol=1e-6)


def test_the_saved_bytes_depend_on_nothing_but_the_network(tmp_path):
    """The smallest and the largest network, each with the same weights in two processes at different times."""
    kinds = [NETWORKS[name].model_dump() for name in ("simple_rnn", "everything")]
    script = f"""if True:
        import numpy as np
        from pathlib import Path
        from stages import network
        from imdb_rnn.base.params import ModelParams
        network.keras.utils.set_random_seed(1)
        for number, kind in enumerate({kinds}):
            params = ModelParams(**kind)
            codes = np.arange(1, 8000, 2) if params.ngrams else None
            network.save(network.build(params, 20, codes), params, Path(f"{{number}}.keras"))
    """
    saved = []
    for _ in range(2):
        # The processes take longer than two seconds, the grain of the time stamps in an archive.
        subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True
        )
        saved.append([(tmp_path / f"{number}.keras").read_bytes() for number in range(2)])
    assert saved[0] == saved[1]


@pytest.mark.parametrize(
    "damage", ["missing", "empty", "cut", "flipped", "other archive", "other network", "other parameters"]
)
def test_a_damaged_network_is_refused(tmp_path, damage):
    path = tmp_path / "model.keras"
    params = model_params(cell="gru")
    network.save(made(params), params, path)
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "other parameters":
        network.save(made(params), model_params(cell="gru", pooling="max"), path)
    elif damage == "other network":
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]).save(path)
    elif damage == "other archive":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x", "y")
    else:
        middle = len(content) // 2
        path.write_bytes(
            {
                "empty": b"",
                "cut": content[:middle],
                "flipped": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
            }[damage]
        )
    with pytest.raises(UserError, match=r"model\.keras is .*run `dvc repro train`"):
        network.load(path)


def test_gradients_are_keras(kind):
    """By the word vectors, in reviews that have each word once, so that a vector's gradient is that of one place."""
    random, model = np.random.default_rng(2), made(kind)
    reviews = [random.permutation(np.arange(1, VOCAB_SIZE))[:length].astype(np.int32) for length in (12, 1, 7, 12)]
    x = np.zeros((4, 12), np.int32)
    for row, review in zip(x, reviews, strict=True):
        row[12 - len(review) :] = review
    found = network.gradient_norms(model, kind, unpad(x, kind.mask_padding))
    vectors = model.get_layer("embedding").embeddings
    for row, review in enumerate(reviews):
        with tf.GradientTape() as tape:
            probability = model(x[row : row + 1])
        gradient = tf.convert_to_tensor(tape.gradient(probability, vectors.value)).numpy()
        expected = np.linalg.norm(gradient[review], axis=1)
        assert expected.max() > 1e-3
        np.testing.assert_allclose(found[row], expected, rtol=1e-3, atol=1e-6)


def test_each_occurrence_of_a_word_has_a_gradient_of_its_own():
    params = model_params()
    (norms,) = network.gradient_norms(made(params), params, unpad(np.full((1, 5), 7, np.int32), True))
    assert norms.shape == (5,)
    assert len(np.unique(norms)) == 5


def test_a_review_without_words_has_no_gradients():
    params = model_params(cell="gru")
    norms = network.gradient_norms(made(params), params, unpad(np.array([[0, 0], [0, 3]], np.int32), True))
    assert [len(review) for review in norms] == [0, 1]
