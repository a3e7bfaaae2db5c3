import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from material import peak_memory

from imdb_rnn.core.errors import UserError
from imdb_rnn.text.tables import open_table, read_rows


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path):
    for reason in ("No such file or directory", "Is a directory"):
        with pytest.raises(UserError, match=rf"a.csv cannot be read \({reason}\)"):
            open_table(tmp_path / "a.csv")
        (tmp_path / "a.csv").mkdir(exist_ok=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst", "a.jsonl", "a.json"])
def test_a_few_rows_are_in_memory_however_many_there_are(write, name):
    line = "a good film " * 80
    content = "id,text\n" + f"1,{line}\n" * 20_000 if "csv" in name else f'{{"text": "{line}"}},' * 20_000  # 20 MB
    content = (
        content.replace("},", "}\n") if name == "a.jsonl" else f"[{content[:-1]}]" if name == "a.json" else content
    )
    compress = {".gz": gzip.compress, ".zst": lambda data: pa.compress(data, "zstd", asbytes=True)}
    path = write(name, compress.get(Path(name).suffix, bytes)(content.encode()))
    rows = []
    table = open_table(path)
    assert peak_memory(lambda: rows.append(sum(1 for _ in read_rows(table)))) < 1 << 20
    assert min(rows) == 20_000
