"""What an analyzer is: a history in, a named part of the AnalysisResult out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from txfuzz.analysis.result import Anomaly, Verdict
from txfuzz.history.calls import Calls
from txfuzz.history.model import History


@dataclass(frozen=True)
class Part:
    """What one analyzer has to say.

    verdict, reason: its judgement; VALID when it has nothing to object to.
    anomalies: those that contradict `expect` (or the analyzer's own rule), under their names.
    data: what it measured, JSON data; it stands in the result under the analyzer's name.
    fields: fields of AnalysisResult that this analyzer fills in (edge_counts, near_cycles, …);
        two analyzers of one run cannot fill the same one, but for `warnings`, which add up.
    """

    verdict: Verdict = Verdict.VALID
    reason: str = ""
    anomalies: tuple[Anomaly, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Analyzer(Protocol):
    """A frozen dataclass whose fields are its options."""

    name: ClassVar[str]
    about: ClassVar[str]

    def analyze(self, history: History, expect: str) -> Part:
        """Judge a history that is never changed. expect: a consistency model in Elle's words."""


@runtime_checkable
class CallAnalyzer(Protocol):
    """An analyzer that judges histories of calls, too, whose operations are no transactions.

    models: what such histories are called: "bank". The fields are its options, as they are of an Analyzer.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    models: ClassVar[tuple[str, ...]]

    def judge(self, calls: Calls, model: str) -> Part:
        """Judge a history that is of this model, one of its `models`, by the rules of that."""

    def likely(self, calls: Calls) -> tuple[str, ...]:
        """Those of its models that a history of these functions and values can be of; () for none."""
