"""Data that means harm, or none in particular: every reader answers with its value or one line, in bounded memory."""

import io
import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from material import model_params
from test_network import made

from imdb_rnn.base.errors import UserError
from stages import network


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    params = model_params(cell="gru", ngrams=2)
    network.save(made(params), params, path)
    return path.read_bytes()


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_model_is_a_model_or_one_line(saved, tmp_path_factory, data):
    content = bytearray(saved)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "model.keras"
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    try:
        network.load(path)
    except UserError as error:
        assert len(str(error).splitlines()) == 1


def test_a_model_with_code_in_it_is_refused(saved, tmp_path):
    """Keras' safe mode, which refuses a Lambda layer of pickled code, is on."""
    path = tmp_path / "model.keras"
    path.write_bytes(saved)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][1] = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "embedding", "function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}},
        "registered_name": None,
        "name": "embedding",
        "inbound_nodes": config["config"]["layers"][1]["inbound_nodes"],
    }
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(UserError, match="is damaged"):
        network.load(path)


def test_a_compressed_model_is_refused(saved, tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(io.BytesIO(saved)) as archive, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name))
    with pytest.raises(UserError, match="it is compressed"):
        network.load(path)
