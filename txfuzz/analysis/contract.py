"""What an analyzer is: a history in, a named part of the AnalysisResult out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeGuard, runtime_checkable

from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.result import Anomaly, Verdict
from txfuzz.history.calls import Calls
from txfuzz.history.model import History


@dataclass(frozen=True)
class Part:
    """The result of one analyzer.

    verdict, reason: its judgement; VALID if it has no objection.
    anomalies: those that contradict `expect` (or the analyzer's own rule), under their names.
    data: what it measured, as JSON data; the result has it under the analyzer's name.
    fields: fields of AnalysisResult that this analyzer fills in (edge_counts, near_cycles, …);
        two analyzers of one run cannot fill in the same one, except `warnings`, which add up.
    """

    verdict: Verdict = Verdict.VALID
    reason: str = ""
    anomalies: tuple[Anomaly, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Analyzer(Protocol):
    """A frozen dataclass whose fields are its options.

    It may have the class attribute `only_by_name = True`: workloads that name no analyzers do not use it.
    """

    name: ClassVar[str]
    about: ClassVar[str]

    def analyze(self, history: History, expect: str) -> Part:
        """Judge a history, which must not be modified. expect: a consistency model, as Elle calls it."""


class Checker(Analyzer, Protocol):
    """The analyzer whose part is the result itself; the parts of others are added under their names.

    It runs first and limits its own time, so its call has no time limit; in return it must not modify
    the history.
    """

    checker: ClassVar[bool]  # True; this is what it is recognised by

    @property
    def version_options(self) -> VersionOptions:
        """What it assumes of the versions of registers."""


def is_checker(analyzer: object) -> TypeGuard[Checker]:
    """Does the analyzer, or its class, declare that it is a Checker?"""
    return getattr(analyzer, "checker", False) is True


@runtime_checkable
class CallAnalyzer(Protocol):
    """An analyzer that also judges histories of calls, whose operations are not transactions.

    models: the names of such histories, such as "bank". The fields are its options, as for an Analyzer.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    models: ClassVar[tuple[str, ...]]

    def judge(self, calls: Calls, model: str) -> Part:
        """Judge a history by the rules of this model, one of `models`."""

    def likely(self, calls: Calls) -> tuple[str, ...]:
        """The models that fit the functions and values of this history; () for none."""
