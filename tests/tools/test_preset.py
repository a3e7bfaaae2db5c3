import sys

import pytest
from material import ROOT

from imdb_rnn.core.errors import UserError
from imdb_rnn.core.presets import PRESETS_FILE, apply, preset
from tools.preset import main

PRESETS = (ROOT / "presets.yaml").read_text(encoding="utf-8")
PARAMS = (ROOT / "params.yaml").read_text(encoding="utf-8")


def test_the_command_writes_the_parameter_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / PRESETS_FILE).write_text(PRESETS, encoding="utf-8")
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    for arguments, says in (
        ([], "name one preset: make preset NAME="),
        (["nope"], "no preset 'nope' .* it has default"),
    ):
        monkeypatch.setattr(sys, "argv", ["preset", *arguments])
        with pytest.raises(UserError, match=says):
            main()
    assert (tmp_path / "params.yaml").read_text(encoding="utf-8") == PARAMS
    monkeypatch.setattr(sys, "argv", ["preset", "quick"])
    main()
    assert (tmp_path / "params.yaml").read_text(encoding="utf-8") == apply(preset(PRESETS, "quick"), PARAMS)
    assert capsys.readouterr().out.startswith("params.yaml has the preset quick now")
