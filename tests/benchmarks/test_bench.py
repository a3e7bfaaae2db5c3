import numpy as np
import pandas as pd

from benchmarks import bench
from imdb_rnn.base.params import parse_params


def runs() -> pd.DataFrame:
    rows = []
    for number, (keras, ours) in enumerate([(100.0, 10.0), (120.0, 8.0), (110.0, 30.0)], start=1):
        for program, seconds in (("Keras", keras), ("pipeline", ours)):
            rows.append(("simple_rnn", program, number, 10, seconds, seconds + 4, 900.0, 0.86, 0.8, 5.0))
    rows[1] = (*rows[1][:-1], None)
    return pd.DataFrame(rows, columns=bench.COLUMNS)


def test_the_table_shows_medians_and_ratios():
    *_, keras, ours = bench.table(runs(), {"simple_rnn": 2.0}).splitlines()
    assert keras.split(" | ")[2:6] == ["3 × 10", "110.0 (100.0–120.0)", "1.0", "114.0"]
    assert ours.split(" | ")[2:6] == ["3 × 10", "10.0 (8.0–30.0)", "11.0", "14.0"]
    assert ours.split(" | ")[7] == "5.0 (2 of 3)"
    assert ours.endswith("| 5.0 |")


def test_operations_are_counted_over_words_only(tmp_path):
    (tmp_path / "data/padded").mkdir(parents=True)
    np.save(tmp_path / "data/padded/x_train.npy", np.array([[0, 0, 1], [1, 5, 6]], np.int32))
    np.save(tmp_path / "data/padded/x_test.npy", np.array([[0, 0, 1]], np.int32))
    one_word = 32 * (32 + 32)  # weights of the kernel and the recurrent kernel
    assert bench.operations("simple_rnn", 3, tmp_path) == 3 * (4 * 6 + 1 * 2) * one_word
    assert bench.operations("lstm", 3, tmp_path) == 4 * bench.operations("simple_rnn", 3, tmp_path)


def test_a_copy_of_the_project_has_the_article_s_settings(tmp_path):
    bench.checkout(tmp_path, "bundled")
    params = parse_params((tmp_path / "params.yaml").read_text())
    assert (params.model.cell, params.model.embedding_dim, params.model.units) == ("simple_rnn", 32, 32)
    assert params.model.mask_padding is False
    assert params.data.source == "bundled"
    assert (params.train.clipnorm, params.train.validation) == (None, "test")
    assert (tmp_path / "stages/train.py").exists()
    assert not (tmp_path / "dvc.lock").exists()
