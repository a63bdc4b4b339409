"""The layers import downwards only, and each library has its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = ROOT / "txfuzz"

# Each folder with those that it may import; plugins see what the public API names.
BELOW = {
    "common": set(),
    "transactions": set(),
    "database": {"transactions"},
    "workload": {"database", "transactions"},
    "check": {"database", "transactions", "workload"},
    "hunt": {"check", "database", "transactions"},
    "history": set(),
    "execution": {"workload", "database", "history", "transactions"},
    "analysis": {"history", "workload", "transactions"},
    "feedback": {"analysis", "workload", "transactions"},
    "replay": {"analysis", "database", "execution", "feedback", "history", "workload", "transactions"},
    "report": {
        "analysis",
        "check",
        "hunt",
        "execution",
        "feedback",
        "history",
        "replay",
        "workload",
        "transactions",
    },
    "testing": {
        "analysis",
        "check",
        "hunt",
        "database",
        "execution",
        "feedback",
        "history",
        "replay",
        "workload",
        "transactions",
    },
    "plugin": {"analysis", "check", "feedback", "hunt", "testing", "workload"},
    "campaign": {
        "analysis",
        "check",
        "database",
        "execution",
        "feedback",
        "history",
        "hunt",
        "plugin",
        "replay",
        "report",
        "workload",
        "transactions",
    },
    "compare": {
        "analysis",
        "campaign",
        "check",
        "database",
        "feedback",
        "history",
        "hunt",
        "plugin",
        "report",
        "workload",
    },
    "serve": {
        "analysis",
        "campaign",
        "compare",
        "feedback",
        "history",
        "replay",
        "report",
    },
    "cli": {
        "analysis",
        "check",
        "campaign",
        "compare",
        "database",
        "execution",
        "feedback",
        "history",
        "hunt",
        "plugin",
        "replay",
        "report",
        "serve",
        "workload",
        "transactions",
    },
}
# What every layer may import
COMMON = {"common", "errors"}

# Library → the parts of the core that may import it
PLACES = {
    "pluggy": {"plugin"},
    "click": {"cli"},
    "matplotlib": {"report"},
    "networkx": {"report", "analysis"},
    "yaml": {"workload"},
    "edn_format": {"history"},
    "sqlalchemy": {"check"},
    "psycopg": set(),
    "pymysql": set(),
    "sqlite3": set(),
    "duckdb": set(),
    "scipy": {"analysis"},
    "greenlet": {"execution"},
    "distributed": {"campaign"},
    "cloudpickle": {"campaign"},
    "numpy": {"history", "analysis", "report", "compare"},
    "rich": {"cli", "report"},
    "starlette": {"serve"},
    "uvicorn": {"serve"},
    "pytest": {"testing", "pytest_plugin.py"},
}
# Slow to import, so never when a module is imported: `txfuzz --help` has to be quick
LAZY = {
    "matplotlib",
    "networkx",
    "greenlet",
    "scipy",
    "edn_format",
    "yaml",
    "sqlalchemy",
    "distributed",
    "cloudpickle",
}


@cache  # dozens of tests ask the same of every file
def imports(path: Path, *, at_import: bool = False) -> tuple[str, ...]:
    """The modules that a file imports. at_import: only those that are imported with it."""
    return tuple(_imports(path, at_import=at_import))


def _imports(path: Path, *, at_import: bool) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes: list[ast.AST] = list(_run_on_import(tree)) if at_import else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            yield node.module or ""
            if node.module == "txfuzz":
                yield from (f"txfuzz.{alias.name}" for alias in node.names)


def _run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _run_on_import(child)


def modules() -> list[Path]:
    return sorted(path for path in CORE.rglob("*.py"))


@pytest.mark.parametrize("layer", BELOW)
def test_a_layer_imports_only_what_is_below_it(layer: str) -> None:
    allowed = BELOW[layer] | COMMON | {layer, "__version__"}
    for path in (CORE / layer).rglob("*.py"):
        for name in imports(path):
            assert name != "txfuzz", f"{path.relative_to(ROOT)} imports the public API, which is above it"
            if name.startswith("txfuzz."):
                assert name.split(".")[1] in allowed, f"{path.relative_to(ROOT)} imports {name}"


def test_every_folder_is_a_layer() -> None:
    folders = {path.name for path in CORE.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(BELOW)


def test_the_layers_have_an_order() -> None:
    placed: set[str] = set()
    waiting = set(BELOW)
    while waiting:
        ready = {layer for layer in waiting if BELOW[layer] <= placed}
        assert ready, f"a circle among {sorted(waiting)}"
        placed |= ready
        waiting -= ready


@pytest.mark.parametrize("library", PLACES)
def test_a_library_has_its_place(library: str) -> None:
    for path in modules():
        if library in {name.split(".")[0] for name in imports(path)}:
            part = path.relative_to(CORE).parts[0]
            assert part in PLACES[library] or (path == CORE / "cli" / "__init__.py"), path


@pytest.mark.parametrize("library", sorted(LAZY))
def test_slow_libraries_are_imported_where_they_are_used(library: str) -> None:
    for path in modules():
        names = {name.split(".")[0] for name in imports(path, at_import=True)}
        assert library not in names, f"{path.relative_to(ROOT)} imports {library} at its top"


def test_the_core_names_no_database() -> None:
    for path in modules():
        assert "postgres" not in path.read_text(encoding="utf-8").lower(), path


def test_plugins_reach_for_no_private_name() -> None:
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("txfuzz."):
                assert not any(part.startswith("_") for part in (node.module or "").split(".")), path
                assert not any(alias.name.startswith("_") for alias in node.names), path


def test_files_stay_short() -> None:
    for path in [*modules(), *(ROOT / "plugins").rglob("*.py")]:
        if "tests" in path.parts:
            continue
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path


def test_the_public_names_are_there() -> None:
    import txfuzz

    assert sorted(txfuzz.__all__) == sorted(txfuzz._HOME)
    for name in txfuzz.__all__:
        assert getattr(txfuzz, name) is not None


def test_no_group_is_repeated_possessively() -> None:
    """Before 3.11.5 CPython matches too much there; a single class of characters is safe."""
    for path in [*modules(), *(ROOT / "plugins").rglob("*.py")]:
        found = re.search(r"\)(?:[*+?]|\{[\d,]+\})\+", path.read_text(encoding="utf-8"))
        assert found is None, path
