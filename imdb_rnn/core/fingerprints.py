"""Fingerprints of code: they change when its results may change, not with a comment or a message.

A fingerprint leaves out comments, formatting, docstrings and messages: the arguments of `raise X(...)` and of
`UserError(...)`, and the statement `print(...)`. Python's own text forms of a syntax tree (`ast.dump`, `ast.unparse`)
differ between its versions, so the text form here is our own, the same for all versions.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGES = ("experiments", "imdb_rnn", "stages", "tools")
# Files other than Python that a module reads from its folder
ASSETS = {"imdb_rnn/reporting/card.py": "card_*.md", "imdb_rnn/reporting/report.py": "page/*"}
# Its imports are not followed: they are made by `imdb_rnn.load()`, which is for users of the library.
PUBLIC = "imdb_rnn/__init__.py"
SKIPPED = ("ctx", "kind", "type_comment", "type_params")  # fields of nodes that decide nothing


def closure(root: Path, *modules: str) -> list[str]:
    """The files that decide what modules do: these modules, what they import of the project, and so on, sorted.

    All are paths below `root`, with slashes. Packages' `__init__.py` and what `ASSETS` names are among them.
    """
    found, waiting = set(), set(modules)
    while waiting:
        path = waiting.pop()
        found.add(path)
        if path.endswith(".py") and path != PUBLIC:
            waiting |= _imported(root, path) - found
        if path in ASSETS:
            waiting |= {asset.relative_to(root).as_posix() for asset in (root / path).parent.glob(ASSETS[path])}
    return sorted(found)


def fingerprint(path: Path) -> str:
    """16 hexadecimal digits: of a Python file by what it does, of any other by its bytes, whatever its line ends."""
    source = path.read_bytes()
    return _of_code(source)[1] if path.suffix == ".py" else _digest(source.replace(b"\r\n", b"\n"))


def listing(root: Path, *modules: str) -> str:
    """The `closure` of modules with the fingerprints, a line per file."""
    return "".join(f"{fingerprint(root / path)}  {path}\n" for path in closure(root, *modules))


def code_fingerprint(root: Path, *modules: str) -> str:
    """16 hexadecimal digits for all the code that decides what modules do."""
    return _digest(listing(root, *modules).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


@cache  # by content, so that an edited file is read again
def _of_code(source: bytes) -> tuple[list[tuple[int, str]], str]:
    """The names that a source imports, each with the level of a relative import, else 0; and the fingerprint."""
    tree = ast.parse(source)
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [(node.level, f"{node.module or ''}.{alias.name}".strip(".")) for alias in node.names]
    return names, _digest(_text(tree).encode())


def _imported(root: Path, path: str) -> set[str]:
    """The project's modules that a module imports, anywhere in it, and the packages that they are in."""
    places = set()
    for level, name in _of_code((root / path).read_bytes())[0]:
        parts = (*(Path(path).parents[level - 1].parts if level else ()), *name.split("."))
        if parts[0] in PACKAGES:
            places |= {"/".join(parts[: length + 1]) for length in range(len(parts))}
    return {file for place in places for file in (f"{place}.py", f"{place}/__init__.py") if (root / file).is_file()}


def _text(node: object) -> str:
    """A syntax tree as ASCII text: nodes by name, with the fields that decide what they do."""
    if isinstance(node, ast.Constant):  # an integer in base 16, as Python refuses to write long ones in base 10
        return f"{type(node.value).__name__} {hex(node.value) if type(node.value) is int else ascii(node.value)},"
    if isinstance(node, ast.AST):
        return f"{type(node).__name__}({''.join(f'{name}={_text(field)}' for name, field in _fields(node))})"
    return f"[{''.join(map(_text, node))}]" if isinstance(node, list) else f"{node!a},"


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    """The fields of a node that decide what it does, without messages."""
    for name, field in ast.iter_fields(node):
        if name in SKIPPED or (name in ("args", "keywords") and _calls(node, "UserError")):
            continue
        if isinstance(node, ast.Raise) and isinstance(field, ast.Call):
            field = field.func
        elif isinstance(node, ast.JoinedStr):
            field = [part for part in field if part.value != ""]  # Python 3.12 ends some formats with an empty text
        elif isinstance(field, list):
            field = [item for item in field if not (isinstance(item, ast.Expr) and _is_message(item.value))]
        if field not in (None, []):
            yield name, field


def _is_message(node: ast.expr) -> bool:
    """Whether an expression that stands alone is a docstring, or `print(...)`."""
    return (isinstance(node, ast.Constant) and isinstance(node.value, str)) or _calls(node, "print")


def _calls(node: ast.AST, function: str) -> bool:
    return isinstance(node, ast.Call) and function in (getattr(node.func, "id", ""), getattr(node.func, "attr", ""))
