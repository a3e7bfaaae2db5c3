from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path):
    """Write bytes, or text as UTF-8, to a file of this name."""

    def to_file(name: str, content: str | bytes) -> Path:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / name

    return to_file
