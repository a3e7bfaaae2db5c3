import pytest
from material import ROOT

from imdb_rnn.core.fingerprints import ASSETS, closure, code_fingerprint, fingerprint, listing

CODE = '''"""What it does."""
import numpy as np


def f(x: int = 1) -> str:
    """What f does."""
    if x > 1000:
        raise ValueError(f"{x} is too large")  # a comment
    print("working", x)
    return "ab" + g(x, name="c")
'''
# Forms that versions of Python store, print or split in different ways
NASTY = r'''
s = f"{x=}" f"{ x = !r:>10}" "abc" f"{y!s:{x}.{y}}" f'{x:{"a"}>{10}}' f"{{}}" f"{x}{{{y}}}" f"" f"plain" f"{x:}"
s = f"a" "b" u"c" f"{f'{x}'}" "" f"" "d" f"{'a' 'b'}{x:%Y-%m}{x:{y}{z}}{x:a{y}b}" f"\N{BULLET}\x00\ud800"
s = f"""
  {x
  + 1}{x:a\x20b{y}\t}""" f"{x,}{x!a}{ {1:2}[1] }{(x:=5)}{yield_:=^10}{(lambda q: q)(1)}" rf"{x}\{y}\\" f"\\{x}{{{{"
t = "\N{GREEK SMALL LETTER ALPHA}\a\u0085\u2028\xa0é中\U0001f600\U000e0001\udc00", b"a\xff" rb"\x", 1j, 1e400
n = 0x_ff, 0b1, 0o17, 1_000, -0.0, 5e-324, ..., None, True, 0xFFFFFFFFFFFFFFFFFFFFFFFF * 123456789012345678901234567890
n = ''' + hex(16**5000) + r'''
def f(a, /, b: "int | None" = 1, *args: int, c, d=2, **kw) -> list[str]:
    if (n := len(a)) > 1: global G
    try: pass
    except (A, B) as e: raise X(f"{e}") from e
    finally: return lambda *a, k=1, **b: (yield)
    for i, *j in k: x[1:2, ::3, ..., a] += {**a, "b": 1}, {*a, 1}, [*a], (x for x in y if z if w)
@dec(1)(2)
@(lambda f: f)
class K(Base, metaclass=M, **kw):
    a: int = field(default=1)
    (b): int
async def g():
    async with a as b, c as (d, e): [x async for x in await y]
match x:
    case {"a": 1, **rest} | [1, 2, *_]: pass
    case Point(x=0, y=None) as p if p: pass
    case "a" "b" | b"c" | -1 | 1+2j | True | mod.CONST: pass
    case _: a < b <= c is not d not in e
'''  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def write(source: str | bytes, name: str = "module.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.encode() if isinstance(source, str) else source)
        return fingerprint(path)

    return write


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # a comment", ""),
        ("What f does.", "What f has\n    always done."),
        ('"""What it does."""\n', ""),
        ("g(x, name=", "g(\n        (x),\n        name="),
        ('"ab"', "'a' 'b'"),
        ('f"{x} is too large"', '"too large", x'),
        ('print("working", x)', 'print(f"{x}", flush=True)'),
        ('    print("working", x)\n', ""),
        ("\n", "\r\n"),
    ],
)
def test_what_changes_no_result_is_left_out(write, old, new):
    assert old in CODE
    assert write(CODE.replace(old, new)) == write(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("= 1)", "= 2)"),
        ("= 1)", "= 1.0)"),
        ("= 1)", "= True)"),
        ("x: int", "x: float"),
        ("x > 1", "x >= 1"),
        ('"ab"', '"abc"'),
        ("ValueError", "OSError"),
        ('name="c"', 'name="d"'),
        ('name="c"', "name=None"),
        ("print(", "log("),
        ("import numpy", "import math"),
    ],
)
def test_what_may_change_a_result_counts(write, old, new):
    assert old in CODE
    assert write(CODE.replace(old, new)) != write(CODE)


def test_the_message_of_a_users_error_is_left_out_wherever_it_is_made(write):
    assert write('fault = errors.UserError(f"{path}: is missing")') == write("fault = errors.UserError(path, why=1)")
    assert write('fault = Fault(f"{path}: is missing")') != write('fault = Fault(f"{path}: is gone")')


def test_every_python_gives_the_same(write):
    assert write(NASTY) == "a7133584d2d0e802"


def test_of_another_file_the_bytes_count_whatever_its_line_ends(write):
    assert write(b"a {\n}\n", "page.css") == write(b"a {\r\n}\r\n", "page.css") != write(b"a {}\n", "page.css")


def test_the_closure_is_what_a_module_imports_and_what_that_imports(write, tmp_path):
    write("import numpy, tools.first\nimport missing\n", "stages/train.py")
    write("def f():\n    from imdb_rnn.text import split, LENGTH\n    from . import second", "tools/first.py")
    write("from ..imdb_rnn.core.errors import UserError", "tools/second.py")
    write("", "tools/third.py")
    write("", "numpy.py")
    write("from imdb_rnn import third", "imdb_rnn/__init__.py")  # not followed: it is for users of the library
    write("", "imdb_rnn/third.py")
    write("LENGTH = 3", "imdb_rnn/text/__init__.py")
    write("import stages.train", "imdb_rnn/text/split.py")
    write("class UserError(Exception): ...", "imdb_rnn/core/errors.py")
    assert closure(tmp_path, "stages/train.py") == [
        "imdb_rnn/__init__.py",
        "imdb_rnn/core/errors.py",
        "imdb_rnn/text/__init__.py",
        "imdb_rnn/text/split.py",
        "stages/train.py",
        "tools/first.py",
        "tools/second.py",
    ]
    assert closure(tmp_path, "imdb_rnn/third.py", "tools/third.py") == ["imdb_rnn/third.py", "tools/third.py"]


def test_the_fingerprint_of_code_is_of_all_its_files(write, tmp_path):
    write("import tools.a", "stages/train.py")
    before = write("x = 1", "tools/a.py"), code_fingerprint(tmp_path, "stages/train.py")
    assert f"{before[0]}  tools/a.py\n" in listing(tmp_path, "stages/train.py")
    after = write("x = 2", "tools/a.py"), code_fingerprint(tmp_path, "stages/train.py")
    assert before[0] != after[0]
    assert before[1] != after[1]
    write("x = 1  # again", "tools/a.py")
    assert code_fingerprint(tmp_path, "stages/train.py") == before[1]


def test_files_that_a_module_reads_are_of_its_closure():
    for module, pattern in ASSETS.items():
        assets = set((ROOT / module).parent.glob(pattern))
        assert len(assets) > 1
        assert assets <= {ROOT / path for path in closure(ROOT, module)}
