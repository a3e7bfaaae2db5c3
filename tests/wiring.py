"""What code needs, read from the code: the modules it imports, the parameters it reads; and DVC's hash of it."""

import ast
import hashlib
import json
from pathlib import Path

from material import ROOT


def imported_modules(source: str) -> set[str]:
    """The project's modules that a source imports, as paths; of a package its `__init__.py`."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    places = [ROOT / name.replace(".", "/") for name in names]
    paths = [*(place.with_suffix(".py") for place in places), *(place / "__init__.py" for place in places)]
    return {path.relative_to(ROOT).as_posix() for path in paths if path.is_file()}


def needed_modules(path: str) -> set[str]:
    """A module, all that it imports, and what those import; but no package that holds nothing but its docstring.

    Nor what the library offers to whoever imports it from elsewhere, which no stage calls.
    """
    needed, waiting = set(), {path}
    while waiting:
        module = waiting.pop()
        if module == "imdb_rnn/__init__.py":
            continue
        needed.add(module)
        waiting |= imported_modules((ROOT / module).read_text(encoding="utf-8")) - needed
    return {module for module in needed if not is_docstring(module)}


def is_docstring(path: str) -> bool:
    """Whether a module holds nothing but a docstring."""
    (first, *others) = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    return not others and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)


def read_params(source: str) -> set[str]:
    """The parameters that a source's `main` reads, as dotted keys; a section read as a whole is one key."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    (main,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
    keys = set()
    for node in ast.walk(main):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id == "params":
            names = []
            while isinstance(parents[node], ast.Attribute):
                node = parents[node]
                names.append(node.attr)
            keys.add(".".join(names).replace("data.of_source", "data.${data.source}"))
    return {key for key in keys if not any(key.startswith(other + ".") for other in keys)}


def declared_params(source: str) -> set[str]:
    """The keys that a source hands to `run(main, reads=...)`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    (reads,) = (
        keyword.value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "run"
        for keyword in call.keywords
    )
    return set(ast.literal_eval(reads))


def uncovered(modules: set[str], deps: set[str]) -> set[str]:
    """The modules that no dep is, or holds."""
    return {module for module in modules if not any(Path(module).is_relative_to(dep) for dep in deps)}


def needless(modules: set[str], deps: set[str]) -> set[str]:
    """The deps that are and hold none of the modules."""
    return {dep for dep in deps if not any(Path(module).is_relative_to(dep) for module in modules)}


def dvc_hash(path: Path) -> str:
    """The hash that DVC gives a file or folder, byte-code left out as `.dvcignore` says."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    found = [file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    entries = [{"md5": dvc_hash(file), "relpath": file.relative_to(path).as_posix()} for file in found]
    entries.sort(key=lambda entry: tuple(entry["relpath"].split("/")))
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"
