"""The plugin API: its names exist, importing it costs nothing, and plugins import nothing else."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from project_fixtures import Site
from txfuzz import plugin_api
from txfuzz.errors import PluginError
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.scaffold.files import KINDS, files_of
from txfuzz.plugin.scaffold.names import Names

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/txfuzz_*"))
OPEN = {"txfuzz", "txfuzz.plugin_api", "txfuzz.testing"}
SLOW = {
    "click", "edn_format", "greenlet", "matplotlib", "networkx", "numpy", "rich", "scipy", "sqlalchemy",
    "yaml",
}  # fmt: skip


def imported(source: str) -> Iterator[str]:
    """The modules of txfuzz that a file imports."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        yield from (name for name in names if name.split(".")[0] == "txfuzz")


def test_every_name_is_there() -> None:
    assert sorted(plugin_api.__all__) == sorted(plugin_api._HOME)
    for name in plugin_api.__all__:
        assert getattr(plugin_api, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Adaptor'"):
        _ = plugin_api.Adaptor  # type: ignore[attr-defined]


def test_what_txfuzz_offers_to_plugins_is_the_same_object() -> None:
    txfuzz = importlib.import_module("txfuzz")
    for name in set(txfuzz.__all__) & set(plugin_api.__all__):
        assert getattr(txfuzz, name) is getattr(plugin_api, name)


def test_importing_it_loads_nothing_slow() -> None:
    code = f"import sys, txfuzz.plugin_api; print(*{SLOW!r} & sys.modules.keys())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_bundled_plugin_needs_nothing_else(plugin: Path) -> None:
    (package,) = plugin.glob("txfuzz_*")
    files = list(package.rglob("*.py"))
    assert files
    for path in files:
        assert set(imported(path.read_text(encoding="utf-8"))) <= OPEN, path
    assert f"txfuzz_api_version = {plugin_api.API_VERSION}" in (package / "__init__.py").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_needs_nothing_else(kind: str) -> None:
    written = files_of(Names("press"), kind, "0.1.0")
    sources = [text for path, text in written.items() if path.endswith(".py")]
    assert any(f"txfuzz_api_version = {plugin_api.API_VERSION}" in source for source in sources)
    for source in sources:
        assert set(imported(source)) <= OPEN


HEURISTIC = """
from dataclasses import dataclass
from txfuzz.plugin_api import hookimpl

txfuzz_api_version = {version}

@dataclass(frozen=True)
class Calmer:
    name = "calmer"
    about = "does nothing"

    def propose(self, feedback, workload, random):
        return ()

@hookimpl
def txfuzz_register_heuristics():
    return [Calmer]
"""


@pytest.mark.parametrize("version", [1, (1, 0), None])
def test_a_plugin_for_this_version_is_loaded(site: Site, version: object) -> None:
    site.add("txfuzz-calmer", "calmer", HEURISTIC.format(version=version))
    assert load_plugins(strict=True).find("heuristic", "calmer").__name__ == "Calmer"


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (2, "it was written for version 2.0 of the plugin API, but this txfuzz has 1.0"),
        ((1, 1), "it was written for version 1.1 of the plugin API, but this txfuzz has 1.0"),
        (0, "it was written for version 0.0 of the plugin API, but this txfuzz has 1.0"),
        ("'1'", "txfuzz_api_version is '1', expected a number or a pair of numbers, such as (1, 0)"),
    ],
)
def test_a_plugin_for_another_version_is_named_and_left_out(site: Site, version: object, reason: str) -> None:
    site.add("txfuzz-calmer", "calmer", HEURISTIC.format(version=version))
    registry = load_plugins()
    assert [str(each) for each in registry.problems] == [f"plugin 'calmer' of txfuzz-calmer 1.0: {reason}"]
    assert not any(entry.name == "calmer" for entry in registry.all("heuristic"))
    assert registry.find("heuristic", "mix") is not None
    with pytest.raises(PluginError, match="'calmer' of txfuzz-calmer"):
        load_plugins(strict=True)


def test_a_file_for_another_version_stops_the_command(tmp_path: Path) -> None:
    path = tmp_path / "calmer.py"
    path.write_text(HEURISTIC.format(version=(3, 1)), encoding="utf-8")
    with pytest.raises(PluginError, match=r"calmer\.py: it was written for version 3\.1 of the plugin API"):
        load_plugins(files=[path])
