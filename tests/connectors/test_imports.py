"""`connectors` holds values: it imports the standard library and itself, and nothing that does I/O."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path("connectors")
FILES = sorted(ROOT.rglob("*.py"))
# Of the standard library, what reaches outside or makes an answer depend on more than its arguments.
OUTSIDE = frozenset(
    "asyncio http logging os pathlib random secrets socket ssl subprocess threading time urllib".split()
)


def imported(source: str) -> Iterator[str]:
    """Returns the first word of every import, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                yield from (alias.name.partition(".")[0] for alias in node.names)
            case ast.ImportFrom():
                yield "." if node.level else (node.module or "").partition(".")[0]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_only_the_standard_library_and_itself(path: Path) -> None:
    names = set(imported(path.read_text()))
    assert names - sys.stdlib_module_names <= {"connectors"}
    assert not names & OUTSIDE


def test_the_reader_of_imports_sees_them_all() -> None:
    assert len(FILES) > 20
    source = "import os.path, httpx\nfrom a.b import c\nfrom . import d\ndef f():\n    import g\n"
    assert list(imported(source)) == ["os", "httpx", "a", ".", "g"]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_nothing_is_awaited_opened_or_printed(path: Path) -> None:
    tree = ast.parse(path.read_text())
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not calls & {"open", "print", "input", "eval", "exec", "__import__"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global)]
