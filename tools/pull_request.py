"""What a change does to the results, as a comment for its pull request, and whether the scores allow it.

`python -m tools.pull_request BASE FALL`, after `dvc repro`: BASE is the commit that the change starts from, FALL how
far a test score may be beyond the interval that it had there. Writes `report/comment.md` and `report/figures/`. Its
status is 1 if a score fell further.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from imdb_rnn.core import files
from imdb_rnn.core.errors import UserError, run_command
from imdb_rnn.evaluation.results import Metrics
from tools.verify import different

REPORT = Path("report")
LOCK = "dvc.lock"
LONGEST = 80  # characters of a value that are shown
LOWER_IS_BETTER = ("loss", "mean_absolute_error")
TRADED = ("precision", "recall")  # one against the other, by the threshold; F1 has both


def falls(old: Metrics, new: Metrics, fall: float) -> Iterator[str]:
    """The test scores that are worse by more than `fall` than the interval that they had."""
    for name in new.test.keys() - {*TRADED}:
        if ends := old.test_intervals.get(name):
            low, high = ends
            beyond = new.test[name] - high if name in LOWER_IS_BETTER else low - new.test[name]
            if beyond > fall:
                yield f"{name} is {new.test[name]:.4f}, and was {old.test[name]:.4f} ({low:.4f} to {high:.4f})"


def code(value: object) -> str:
    """A value that anybody may have chosen, as code in a cell of a Markdown table: no markup, mention or link.

    Of the specification of GitHub Flavored Markdown: a code span ends at as many backticks as it begins with, and a
    bar within it needs a backslash, or the cell ends there.
    """
    text = "".join(sign for sign in " ".join(str(value).split()) if sign.isprintable())
    text = f"{text[: LONGEST - 1]}…" if len(text) > LONGEST else text
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{ticks} {text} {ticks}".replace("|", "\\|")


def table(head: list[str], rows: list[list[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *(map(code, row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def comment(metrics: dict[str, dict], params: dict[str, dict], verdict: list[str], figures: list[str]) -> str:
    """The comment as Markdown.

    Args:
        metrics, params: as `dvc metrics diff --json` and `dvc params diff --json` give them.
        verdict: paragraphs.
        figures: the names of pictures in `figures/`.
    """
    parts = ["## What this change does to the results", *verdict]
    for title, changes in (("Parameters", params), ("Metrics", metrics)):
        rows = [
            [name, *(_number(change.get(key)) for key in ("old", "new", "diff"))]
            for of_file in changes.values()
            for name, change in of_file.items()
        ]
        if rows:
            parts += [f"### {title}", table([title.lower(), "before", "after", "difference"], rows)]
    if figures:
        parts += ["### Figures", *(f"![{Path(name).stem}](figures/{name})" for name in figures)]
    return "\n\n".join(parts) + "\n"


def _number(value: object) -> object:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else value


def judge(base: str, fall: float) -> tuple[list[str], bool]:
    """What is said of the scores and of the files in git, in paragraphs, and whether all is well."""
    new, lock = files.read_json(Metrics, files.METRICS, "evaluate"), files.read_text(Path(LOCK))
    earlier, earlier_lock = (_output("git", "show", f"{base}:{path}") for path in (files.METRICS, LOCK))
    fallen = sorted(falls(Metrics.model_validate_json(earlier), new, fall)) if earlier else []
    said = [f"**No test score fell by more than {fall} beyond its interval.**"]
    if not earlier:
        said = [f"**{code(base)} has no results to compare with.**"]
    elif fallen:
        listed = "\n".join(f"- {line}" for line in fallen)
        said = [f"**These test scores fell by more than {fall} beyond their intervals:**", listed]
    if earlier_lock and "download" in dict(different(earlier_lock, lock)):
        said.append("The reviews have changed, so these are scores of other test reviews.")
    if stale := [name for name, _ in different(_output("git", "show", f"HEAD:{LOCK}") or lock, lock)]:
        said.append(f"The committed `{LOCK}` is of another run, from `{stale[0]}` on: run `make repro`, and commit it.")
    return said, not fallen and not stale


def _output(*command: str) -> str:
    """What a command prints; nothing if it fails."""
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")  # noqa: S603
    return "" if result.returncode else result.stdout


def _diff(what: str, base: str) -> dict[str, dict]:
    found = _output(sys.executable, "-m", "dvc", what, "diff", "--json", base)
    if not found:
        raise UserError(f"`dvc {what} diff {base}` failed; see its output above")
    return json.loads(found)


def main() -> None:
    try:
        _, base, fall = sys.argv
        allowed = float(fall)
    except ValueError as error:
        raise UserError(
            "name the commit to compare with, and a number: make pull-request BASE=main FALL=0.01"
        ) from error
    said, is_good = judge(base, allowed)
    figures = sorted(files.FIGURES.glob("*.png"))
    text = comment(_diff("metrics", base), _diff("params", base), said, [path.name for path in figures])
    with files.replacing(REPORT) as new:
        (new / "figures").mkdir(parents=True)
        (new / "comment.md").write_text(text, encoding="utf-8", newline="\n")
        for path in figures:
            shutil.copy(path, new / "figures")
    print("\n".join([*said, f"the comment is in {REPORT / 'comment.md'}"]))
    if not is_good:
        sys.exit(1)


if __name__ == "__main__":
    run_command(main)
