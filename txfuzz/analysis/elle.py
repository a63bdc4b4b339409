"""The built-in analyzer: the checker's verdict, and further measurements of the history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from txfuzz.analysis.checker.check import DEFAULT_BUDGET, DEFAULT_SHOWN, CheckResult, check
from txfuzz.analysis.checker.preconditions import indistinct_versions
from txfuzz.analysis.checker.steps import MEASURING, NEAR_CYCLES
from txfuzz.analysis.contract import Part
from txfuzz.analysis.dependencies.key_pressure import pressure
from txfuzz.analysis.dependencies.metrics import metrics
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.explain.near_cycles import explain_near_cycle, near_cycle_limits
from txfuzz.analysis.explain.suggestions import suggestions
from txfuzz.analysis.explain.verdict import explain_indistinct, metrics_limits
from txfuzz.analysis.near_cycles.search import find_near_cycles
from txfuzz.analysis.result import Verdict
from txfuzz.common.progress import come_to
from txfuzz.history.model import History

DEFAULT_NEAR_CYCLES = 12

_CHECKED = ("anomaly_types", "all_types", "left_out", "not_models", "also_not", "sccs", "cycles")


def _option(default: Any, help: str, least: float | None = None) -> Any:
    metadata = {"help": help} if least is None else {"help": help, "least": least}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class ElleAnalyzer:
    """Elle's theory and verdicts, contention, near-cycles. The fields are options."""

    name: ClassVar[str] = "elle"
    checker: ClassVar[bool] = True
    about: ClassVar[str] = (
        "dependency cycles and other anomalies as Elle finds them, contention and near-cycles"
    )

    budget_seconds: float = _option(DEFAULT_BUDGET, "time limit of the search for types of cycles", 0)
    shown: int = _option(DEFAULT_SHOWN, "how many anomalies of each type are explained", 1)
    max_near_cycles: int = _option(DEFAULT_NEAR_CYCLES, "how many near-cycles are reported", 0)
    wfr_keys: bool = _option(
        False, "registers: a transaction that reads and then writes a key installs its next version"
    )
    sequential_keys: bool = _option(False, "registers: each process sees the versions of a key in order")
    linearizable_keys: bool = _option(False, "registers: each key by itself is linearizable")

    def analyze(self, history: History, expect: str) -> Part:
        """Raises UsageError for a model that is unknown or that no history can contradict, and for register
        assumptions about lists."""
        checked = check(
            history,
            expect,
            options=self.version_options,
            budget_seconds=self.budget_seconds,
            shown=self.shown,
        )
        fields = {name: getattr(checked, name) for name in _CHECKED} | self._measured(history, checked)
        return Part(checked.verdict, checked.reason, checked.anomalies, fields=fields)

    @property
    def version_options(self) -> VersionOptions:
        """What is assumed of registers."""
        return VersionOptions(self.wfr_keys, self.sequential_keys, self.linearizable_keys)

    def _measured(self, history: History, checked: CheckResult) -> dict[str, Any]:
        """The fields that do not depend on the verdict; none where the history was refused."""
        edges = checked.dependencies
        if edges is None:
            return {"truncated": checked.truncated}
        come_to(MEASURING)
        indistinct = indistinct_versions(edges.columns)
        warnings = () if indistinct is None else (explain_indistinct(history, indistinct),)
        figures, pressed = metrics(edges), pressure(edges)
        come_to(NEAR_CYCLES)
        found = find_near_cycles(edges, checked.expect, limit=self.max_near_cycles, pressed=pressed)
        near = tuple(explain_near_cycle(edges, each) for each in found.nearest)
        hardest = pressed.hardest()
        invalid = checked.verdict is Verdict.INVALID
        return {
            "edge_counts": figures.edge_counts,
            "edges_per_txn": figures.edges_per_txn,
            "concurrent_edges_per_txn": figures.concurrent_edges_per_txn,
            "dependency_density": figures.dependency_density,
            "graph_density": figures.graph_density,
            "near_cycles": near,
            "near_cycles_counted": found.counted,
            "key_pressure": hardest,
            "suggestions": tuple(suggestions(history, figures, hardest, near, invalid)),
            "warnings": warnings,
            "truncated": (*checked.truncated, *metrics_limits(figures), *near_cycle_limits(found.left_out)),
        }
