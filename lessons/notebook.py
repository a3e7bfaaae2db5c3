"""Make a Jupyter notebook of all lessons in each language: `python lessons/notebook.py`."""

import json
import re
from pathlib import Path
from typing import Any

LESSONS = Path(__file__).resolve().parent
START = """%matplotlib inline
import os, sys
if os.path.basename(os.getcwd()) == "lessons":
    os.chdir("..")  # the project's folder
    sys.path.insert(0, "lessons")"""
COMMAND = re.compile(r"```console\n\$ python -i lessons/.*?```\n\n", re.DOTALL)  # the cells run it


def notebook(language: str) -> str:
    """All lessons as a Jupyter notebook; `language` is the end of their names, `.md` or `.zh-CN.md`."""
    cells = [("code", START)]
    for text in sorted(LESSONS.glob(f"[0-9]*{language}")):
        if language == ".md" and text.name.endswith(".zh-CN.md"):
            continue
        lesson = COMMAND.sub("", text.read_text(encoding="utf-8"))
        before, exercises = re.split(r"(?=^## )", lesson, maxsplit=1, flags=re.MULTILINE)
        script = LESSONS / f"{text.name.removesuffix(language).replace('-', '_')}.py"
        code = script.read_text(encoding="utf-8").split("# %%")[2:] if script.exists() else []
        cells += [("markdown", before), *(("code", part) for part in code), ("markdown", exercises)]
    extra: dict[str, dict[str, Any]] = {"code": {"execution_count": None, "outputs": []}, "markdown": {}}
    contents = [
        {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source.strip(), **extra[kind]}
        for number, (kind, source) in enumerate(cells)
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    whole = {"cells": contents, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    for name, language in (("lessons.ipynb", ".md"), ("lessons.zh-CN.ipynb", ".zh-CN.md")):
        (LESSONS / name).write_text(notebook(language), encoding="utf-8")
