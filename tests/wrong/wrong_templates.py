"""Templates with one defect each. Run by test_conformance.py."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from txfuzz import Part, Template, Verdict
from txfuzz.testing import TemplateConformance
from txfuzz.testing import templates as checks

READ = {"f": "r", "key": {"choice": {"from": [1, 2]}, "as": "k"}}
GOOD = Template("good", "reads a key and appends to it", (READ, {"f": "append", "key": {"ref": "k"}}))


class TestSaysNothing(TemplateConformance):
    caught_by = ("test_it_says_what_it_is",)
    template = replace(GOOD, about="")


class TestIsNoTemplate(TemplateConformance):
    caught_by = ("test_it_says_what_it_is",)

    class Odd:
        def filled(self, given: Any) -> Any:
            return []

    template = Odd()


class TestHasObjectsInIt(TemplateConformance):
    caught_by = ("test_it_is_data",)
    template = replace(GOOD, parameters={"keys": {1, 2}})


class TestHasAParameterForNothing(TemplateConformance):
    caught_by = ("test_every_parameter_is_used",)
    template = replace(GOOD, parameters={"keys": [1, 2]})


class TestRefersToNothing(TemplateConformance):
    caught_by = ("test_its_keys_resolve",)
    template = replace(GOOD, steps=(READ, {"f": "append", "key": {"ref": "q"}}))


class TestUsesAParameterThatItHasNot(TemplateConformance):
    caught_by = ("test_its_keys_resolve",)
    template = replace(GOOD, steps=({"f": "r", "key": {"choice": {"from": {"param": "keys"}}}},))


class TestHasNoKeys(TemplateConformance):
    caught_by = ("test_its_keys_resolve",)
    template = replace(GOOD, steps=({"sql": "SELECT 1"},))


class TestReadsBackAsAnotherOne(TemplateConformance):
    """The defect is in the writer, which loses a transaction's name."""

    caught_by = ("test_it_survives_yaml",)
    template = GOOD

    @pytest.fixture(autouse=True)
    def other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write = checks.workload_text
        monkeypatch.setattr(checks, "workload_text", lambda workload: write(workload).replace("good", "bad"))


@dataclass(frozen=True)
class Wearing(Template):
    """Changed by being filled."""

    def filled(self, given: Any) -> Any:
        steps = super().filled(given)
        self.parameters["keys"].pop()  # type: ignore[attr-defined]
        return steps


class TestWearsOut(TemplateConformance):
    caught_by = ("test_filling_it_leaves_it_as_it_is",)
    template = Wearing(
        "wearing", "wears out", ({"f": "r", "key": {"choice": {"from": {"param": "keys"}}}},),
        {"keys": [1, 2, 3, 4, 5, 6, 7]},
    )  # fmt: skip


@dataclass(frozen=True)
class Tolerant(Template):
    def filled(self, given: Any) -> Any:
        return super().filled({name: value for name, value in given.items() if name in self.parameters})


class TestTakesAnyParameter(TemplateConformance):
    caught_by = ("test_it_refuses_a_parameter_that_it_has_not",)
    template = Tolerant("tolerant", "takes any parameter", GOOD.steps)


@dataclass(frozen=True)
class Objects:
    name: ClassVar[str] = "objects"
    about: ClassVar[str] = "objects to everything"

    def analyze(self, history: Any, expect: str) -> Part:
        return Part(Verdict.INVALID, "nothing is ever right")


class TestIsJudgedBadly(TemplateConformance):
    caught_by = ("test_it_runs_and_is_judged",)
    template = GOOD
    analyzers = (Objects(),)


class TestFindsNothing(TemplateConformance):
    caught_by = ("test_it_finds_what_it_is_there_to_find",)
    template = GOOD
    finds: ClassVar = {"snapshot": "lost-update"}
