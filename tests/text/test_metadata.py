"""What is refused is in tests/test_model_file.py."""

import subprocess
import sys

from material import ROOT, model_params, network_of

from imdb_rnn import model_file


def test_metadata_are_read_without_the_engine(tmp_path):
    model = network_of(model_params(cell="gru"))
    model_file.save(model, tmp_path / "model.safetensors")
    script = f"""if True:
        import sys
        from pathlib import Path
        from imdb_rnn.text.metadata import opened, parse
        with opened(Path({str(tmp_path)!r}, "model.safetensors"), "train") as file:
            print(parse(file).vocabulary, "numba" in sys.modules)
    """
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == f"{model.vocabulary} False\n"
