"""The shape of the source: imports without circles, and folders that a glance takes in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = [ROOT / "txfuzz", *sorted(ROOT.glob("plugins/*/txfuzz_*"))]
ENTRIES = 16  # of a folder, `__init__.py` and folders included
SPECIAL = {"__pycache__", "py.typed", "workloads", "workload.schema.json"}
# What leads into the package from outside, beside the rooms that it has
DOORS = {"__main__.py", "plugin_api.py", "pytest_plugin.py"}
TOP = 20  # of the package itself: its layers, `errors` and the public API


def sources() -> dict[str, Path]:
    """Every module by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in package.rglob("*.py"):
            parts = path.relative_to(package.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name: str, known: dict[str, Path]) -> Iterator[str]:
    """The modules that a module imports: at its top, in functions, and for type checkers alike.

    A package that hands out names lazily (`txfuzz`, `txfuzz.plugin_api`) is a door, not a layer: whoever
    comes in by it does not belong to what is behind it.
    """
    for node in ast.walk(ast.parse(known[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def import_graph() -> nx.DiGraph[str]:
    known = sources()
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(known)
    graph.add_edges_from(
        (name, other) for name in known for other in imported(name, known) if other in known and other != name
    )
    return graph


def test_no_module_is_imported_in_a_circle() -> None:
    circles = [sorted(each) for each in nx.strongly_connected_components(import_graph()) if len(each) > 1]
    assert circles == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_folder_holds_what_a_glance_takes_in(package: Path) -> None:
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir())]:
        if SPECIAL.isdisjoint(folder.relative_to(package).parts):
            entries = {path.name for path in folder.iterdir()} - SPECIAL - DOORS
            most = TOP if folder == package else ENTRIES
            assert len(entries) <= most, f"{folder.relative_to(ROOT)} holds {len(entries)} entries"


def test_so_does_a_folder_of_the_docs() -> None:
    for folder in [ROOT / "docs", *(path for path in (ROOT / "docs").rglob("*") if path.is_dir())]:
        if "__pycache__" not in folder.parts:
            entries = {path.name for path in folder.iterdir()} - SPECIAL
            assert len(entries) <= ENTRIES, f"{folder.relative_to(ROOT)} holds {len(entries)} entries"
