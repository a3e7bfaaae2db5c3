"""Run lessons, and write what each prints into both its texts: `python lessons/renew.py [NUMBER ...]`."""

import contextlib
import io
import re
import runpy
import sys
from pathlib import Path
from typing import Any

LESSONS = Path(__file__).resolve().parent
CONSOLE = re.compile(r"(```console\n\$ python -i lessons/[^\n]*\n).*?```", re.DOTALL)


def run(script: Path) -> tuple[str, dict[str, Any]]:
    """Run a lesson in this process: what it prints, and the names that it defines."""
    sys.path.insert(0, str(LESSONS))  # as when Python runs a file of this folder
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            names = runpy.run_path(str(script))
    finally:
        sys.path.remove(str(LESSONS))
    return printed.getvalue(), names


def texts(script: Path) -> list[Path]:
    """The lesson in English and in Chinese."""
    name = script.stem.replace("_", "-")
    return [LESSONS / f"{name}.md", LESSONS / f"{name}.zh-CN.md"]


def renewed(text: str, printed: str) -> str:
    """A lesson with what its command prints."""
    return CONSOLE.sub(lambda block: f"{block[1]}{printed}```", text)


def main() -> None:
    for script in sorted(LESSONS.glob("[0-9]*.py")):
        if not sys.argv[1:] or script.name[:2] in sys.argv[1:]:
            printed, _ = run(script)
            for path in texts(script):
                path.write_text(renewed(path.read_text(encoding="utf-8"), printed), encoding="utf-8")


if __name__ == "__main__":
    main()
