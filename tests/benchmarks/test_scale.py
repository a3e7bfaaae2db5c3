import pytest

from benchmarks import growth, scale


@pytest.mark.slow
def test_the_table_has_a_row_for_each_network(monkeypatch, capsys):
    monkeypatch.setattr(scale, "UNITS", (2, 3))
    monkeypatch.setattr(scale, "VOCABULARY", 50)
    monkeypatch.setitem(growth.BATCHES, "compiled", 1)
    scale.main()
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("| 2", "| 3"))]
    assert len(rows) == 2
