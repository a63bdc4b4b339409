"""What `make docs` generates for the plugin pages matches the source, and a real run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from pages import DOCS, maker, text
from plugin_calls import called, calls
from project_fixtures import Ran
from txfuzz.database import api as port
from txfuzz.database import faults
from txfuzz.plugin import hookspecs
from txfuzz.plugin.loader import load_plugins
from txfuzz.testing.memory.adapter import MemoryAdapter
from txfuzz.testing.memory.database import MemoryDatabase
from txfuzz.testing.memory.session import MemorySession
from txfuzz.workload.template import Template

Cli = Callable[..., Ran]
REFERENCE = DOCS / "reference" / "plugin-reference.md"
RENEW = "`make docs` renews it"


def test_the_reference_is_that_of_the_source() -> None:
    assert text(REFERENCE) == maker("plugin_reference").reference(), RENEW


def test_the_picture_is_that_of_the_maker() -> None:
    assert text(DOCS / "pictures" / "lifecycle.svg") == maker("lifecycle_picture").picture(), RENEW


def test_the_reference_has_every_hook_and_every_contract() -> None:
    headings = set(re.findall(r"^### (\w+)$", text(REFERENCE), re.MULTILINE))
    assert {name for name in vars(hookspecs) if name.startswith("txfuzz_register_")} <= headings
    for module in (port, faults):
        for name, thing in vars(module).items():
            if inspect.isclass(thing) and Protocol in thing.__bases__ and thing.__module__ == module.__name__:
                assert name in headings, f"{name} of {module.__name__} is not in the reference"


def test_the_reference_shows_no_bodies() -> None:
    for found in re.findall(r"```python\n(.*?)```", text(REFERENCE), re.DOTALL):
        compile(found.replace("    ...", "    pass"), "reference", "exec")
        assert not re.search(r"^ +(return|for|if) ", found, re.MULTILINE)


PLUGIN = """
from dataclasses import dataclass
from random import Random
from typing import ClassVar
from txfuzz import Part, Template, hookimpl
from txfuzz.database.faults import PAUSE
from plugin_calls import called

@dataclass(frozen=True)
class Traced:
    name: ClassVar[str] = "traced"
    about: ClassVar[str] = "tells when it is called"
    needs: ClassVar[str] = PAUSE
    lasts: float = 0.005
    def analyze(self, history, expect):
        called("Analyzer", "analyze")
        return Part()
    def propose(self, feedback, workload, random):
        called("Heuristic", "propose")
        return ()
    def cautions(self, database):
        called("Fault", "cautions")
        return ()
    def inject(self, injector, chance):
        called("Fault", "inject")
        return {"paused": injector.pause("session", chance)}
    def heal(self, injector):
        called("Fault", "heal")
        injector.resume()
        return {}

@hookimpl
def txfuzz_register_analyzers():
    called("", "txfuzz_register_…")
    return [Traced]

@hookimpl
def txfuzz_register_heuristics():
    return [Traced]

@hookimpl
def txfuzz_register_faults():
    return [Traced]

@hookimpl
def txfuzz_register_templates():
    return [Template("traced", "reads", ({"f": "r", "key": {"param": "key"}},), {"key": 1})]
"""

WORKLOAD = """version: 1
name: traced
database: {adapter: memory, latency: 0.001}
keys: {rows: inserted}
workload:
  transactions:
    - {template: traced}
    - {name: append, steps: [{f: append, key: 1}]}
scheduling: {clients: 2, transactions: 200}
analyzers: [elle, traced]
heuristics: [traced]
faults: [{name: traced, at: [20ms]}]
"""

WATCHED = {
    MemoryAdapter: "Adapter",
    MemoryDatabase: "Database",
    MemorySession: "Session",
    Template: "Template",
}


def watch(monkeypatch: pytest.MonkeyPatch, cls: type, who: str) -> None:
    for name, method in list(vars(cls).items()):
        if inspect.isfunction(method) and not name.startswith("_"):

            def told(self: Any, *given: Any, _name: str = name, _method: Any = method, **named: Any) -> Any:
                called(who, _name)
                return _method(self, *given, **named)

            monkeypatch.setattr(cls, name, told)


@pytest.mark.slow
def test_the_picture_is_true_of_a_campaign(txfuzz: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call of the picture is made, and each stage begins where the picture shows it."""
    picture = maker("lifecycle_picture")
    Path("traced.py").write_text(PLUGIN)
    Path("traced.yaml").write_text(WORKLOAD)
    load_plugins(files=[Path("traced.py")])  # imported now, so that the import is not recorded
    for cls, who in WATCHED.items():
        watch(monkeypatch, cls, who)
    calls.clear()
    ran = txfuzz("run", "--config", "traced.yaml", "--plugin-file", "traced.py", "--iterations", 2)
    assert ran.code == 0, ran.err
    first: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], int] = {}
    for place, call in enumerate(calls):
        first.setdefault(call, place)
        last[call] = place
    shown = [(call.who, call.what.split("(")[0]) for call in picture.CALLS]
    assert set(shown) <= set(first), set(shown) - set(first)
    order = [call for call in shown if call[0] != "Fault" or call[1] == "cautions"]
    assert [first[call] for call in order] == sorted(first[call] for call in order), order
    assert first["Session", "begin"] < first["Fault", "inject"] < first["Fault", "heal"]
    assert first["Fault", "heal"] < first["Analyzer", "analyze"]
    assert last["Database", "close"] == max(last[call] for call in shown)
    again = {call for call in shown if calls.count(call) >= 2}
    once = {call for call in shown if calls.count(call) == 1}
    turns = (picture.TURN, picture.TRANSACTION, picture.FAULT, picture.READS, picture.JUDGE)
    for call in picture.CALLS:
        key = (call.who, call.what.split("(")[0])
        if call.stage in turns:
            assert key in again, f"{call.text} is not called in each iteration"
        if call.stage == picture.OPEN and call.what not in ("describe()", "injector()"):
            assert key in once, f"{call.text} is called again"
