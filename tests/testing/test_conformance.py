"""Every conformance check can fail: deliberately wrong plugins are caught by the checks that should.

The wrong plugins are in tests/wrong; their tests run in a process of their own, with pytest as an
author would run it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from importlib.util import module_from_spec, spec_from_file_location
from itertools import chain
from pathlib import Path

import pytest

import txfuzz.testing

WRONG = Path(__file__).parents[2] / "tests" / "wrong"
CLASSES = {
    "wrong_adapters.py": txfuzz.testing.AdapterConformance,
    "wrong_variations.py": txfuzz.testing.AdapterConformance,
    "wrong_heuristics.py": txfuzz.testing.HeuristicConformance,
    "wrong_mutators.py": txfuzz.testing.MutatorConformance,
    "wrong_strategies.py": txfuzz.testing.StrategyConformance,
    "wrong_templates.py": txfuzz.testing.TemplateConformance,
    "wrong_analyzers.py": txfuzz.testing.AnalyzerConformance,
    "wrong_faults.py": txfuzz.testing.FaultConformance,
    "wrong_scenarios.py": txfuzz.testing.ScenarioConformance,
    "wrong_forms.py": txfuzz.testing.FormConformance,
}
# Checks that skip if there is nothing to check and never fail
ONLY_TELLS = {"test_it_does_something_sometimes"}


def declared(name: str) -> dict[str, set[str]]:
    """The checks that must catch each class in a file, as declared there."""
    spec = spec_from_file_location(name.removesuffix(".py"), WRONG / name)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    found = {word: value for word, value in vars(module).items() if word.startswith("Test")}
    return {word: set(value.caught_by) for word, value in found.items()}


@pytest.fixture(scope="module")
def caught(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The checks that did not pass, by file and class."""
    report = tmp_path_factory.mktemp("report") / "report.xml"
    arguments = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "only_what_catches",
        "--junitxml",
        str(report),
        *CLASSES,
    ]
    left = {**os.environ, "TMPDIR": str(tmp_path_factory.mktemp("left"))}  # some leave files behind
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=WRONG,
        env=left,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr  # 1: there were failures, and nothing worse
    failed: dict[str, set[str]] = defaultdict(set)
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            where = ".".join(case.get("classname", "").split(".")[-2:])
            failed[where].add(case.get("name", "").partition("[")[0])
    return failed


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.slow
def test_wrong_plugins_are_caught(name: str, caught: dict[str, set[str]]) -> None:
    for wrong, checks in declared(name).items():
        passed = checks - caught[f"{name.removesuffix('.py')}.{wrong}"]
        assert not passed, f"{wrong} passed {', '.join(passed)}"


@pytest.mark.parametrize("kind", dict.fromkeys(CLASSES.values()))
def test_every_check_catches_somebody(kind: type) -> None:
    checks = {each for each in dir(kind) if each.startswith("test_")} - ONLY_TELLS
    wrong = [declared(name).values() for name, tested in CLASSES.items() if tested is kind]
    assert checks == set().union(*chain.from_iterable(wrong))
