"""The checker's entry point: does a history contradict a consistency model?

Elle's theory and verdicts (Kingsbury & Alvaro 2020); differences are listed in
docs/explanation/differences-from-elle.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from txfuzz.analysis.anomalies.detect import anomalies
from txfuzz.analysis.anomalies.facts import Detected
from txfuzz.analysis.anomalies.fractured_reads import looked_for
from txfuzz.analysis.checker.consistency import canonical, friendly, prohibited, ruled_out
from txfuzz.analysis.checker.cycle_exists import broken_by_cycles, not_redundant, show_broken, weakest_broken
from txfuzz.analysis.checker.cycle_search import Budget, FoundCycle, find_cycles
from txfuzz.analysis.checker.preconditions import check_options
from txfuzz.analysis.checker.scc_graph import scc_graph
from txfuzz.analysis.checker.steps import ANOMALIES, CYCLES, DEPENDENCIES
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.columns import Columns, columns_of
from txfuzz.analysis.dependencies.edges import PROCESS, REALTIME, Dependencies
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.describe import name_of
from txfuzz.analysis.explain.anomalies import explain_fact
from txfuzz.analysis.explain.cycles import explain_cycle
from txfuzz.analysis.explain.verdict import NOTHING_TO_JUDGE, contradiction, refusal, undecided_cycles
from txfuzz.analysis.result import Anomaly, Component, Verdict
from txfuzz.common.progress import come_to
from txfuzz.errors import UsageError
from txfuzz.history.model import OK, History

DEFAULT_BUDGET = 60.0  # seconds
DEFAULT_SHOWN = 3  # anomalies of each type
_MEMBERS_SHOWN = 20


@dataclass(frozen=True)
class CheckResult:
    """The verdict and its reasons; the fields are those of AnalysisResult.

    dependencies: the edges of the history; None if it was refused.
    """

    verdict: Verdict
    expect: str
    reason: str = ""
    anomaly_types: tuple[str, ...] = ()
    all_types: tuple[str, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    not_models: tuple[str, ...] = ()
    also_not: tuple[str, ...] = ()
    sccs: tuple[Component, ...] = ()
    cycles: tuple[tuple[int, ...], ...] = ()
    truncated: tuple[str, ...] = ()
    dependencies: Dependencies | None = None


def check(
    history: History,
    expect: str,
    *,
    options: VersionOptions | None = None,
    budget_seconds: float | None = DEFAULT_BUDGET,
    shown: int = DEFAULT_SHOWN,
) -> CheckResult:
    """Check a history against a consistency model (by any of its names).

    options: assumptions about the versions of registers. budget_seconds: time limit of the search for
    types of cycles (None: no limit); what it leaves undecided is reported in `truncated`, and the
    verdict is UNKNOWN if that could contradict the model and nothing else does. shown: how many
    anomalies of each type are explained, shortest cycles first.

    Raises UsageError for a model that is unknown or that no anomaly can contradict, and for register
    options if the history has lists.
    """
    model = canonical(expect)
    against = prohibited(model)
    if not against:
        raise UsageError(
            f"no history can be checked against {friendly(model)!r}: none of the anomalies that the checker "
            "looks for contradicts it"
        )
    options = options or VersionOptions()
    check_options(options, history.kind, history.source or "the history")
    columns = columns_of(history)
    refused = refusal(columns, options)
    if refused:
        return CheckResult(Verdict.UNKNOWN, friendly(model), refused)
    order = order_for(against)
    come_to(DEPENDENCIES)
    inferred = dependencies(history, options, columns)
    come_to(ANOMALIES)
    found = tuple(anomalies(columns, inferred.versions, shown, fractured=looked_for(model)))
    come_to(CYCLES)
    return _Judgement(columns, inferred, found, order, Budget(budget_seconds), shown).of(model)


def order_for(prohibited_types: Iterable[str]) -> int | None:
    """The order that cycles may use besides dependencies: the strongest that matters, never both."""
    types = tuple(prohibited_types)
    if any(name.endswith("-realtime") for name in types):
        return REALTIME
    return PROCESS if any(name.endswith("-process") for name in types) else None


class _Judgement:
    """Combines everything found into one result."""

    def __init__(
        self,
        columns: Columns,
        dependencies: Dependencies,
        detected: tuple[Detected, ...],
        order: int | None,
        budget: Budget,
        shown: int,
    ) -> None:
        self.history, self.dependencies, self.detected = columns.history, dependencies, detected
        self.order, self.shown, self.budget = order, shown, budget
        self.graph = scc_graph(dependencies, order)
        broken = broken_by_cycles(self.graph)
        self.cycles = find_cycles(self.graph, broken, budget, shown)
        self.broken = {name: flags for name, flags in weakest_broken(broken).items() if flags.any()}

    def of(self, model: str) -> CheckResult:
        against = prohibited(model)
        typed = {each.type: each.count for each in self.detected} | self.cycles.held_by
        exists = not_redundant(self.broken, typed)
        reportable = sorted(
            {*typed, *not_redundant(set(self.broken) & against, set(typed) & against)} & against
        )
        all_types = sorted({*typed, *exists})
        truncated = self.truncated()
        verdict, reason = self.verdict(model, reportable, truncated)
        cycles = [cycle for name in reportable for cycle in self.shown_cycles(name)]
        anomalies = self.anomalies(reportable)
        counted = {name: typed.get(name, 1) for name in reportable}
        left_out = {
            name: count - sum(anomaly.type == name for anomaly in anomalies)
            for name, count in counted.items()
        }
        ruled = ((), ()) if verdict is Verdict.VALID else ruled_out(all_types)
        return CheckResult(
            verdict,
            friendly(model),
            reason,
            tuple(reportable) if verdict is Verdict.INVALID else (),
            tuple(all_types),
            anomalies,
            {name: count for name, count in left_out.items() if count > 0},
            *ruled,
            self.components(),
            tuple(
                sorted((tuple(name_of(self.history, row) for row in cycle.rows) for cycle in cycles), key=len)
            ),
            truncated,
            self.dependencies,
        )

    def verdict(self, model: str, reportable: list[str], truncated: tuple[str, ...]) -> tuple[Verdict, str]:
        if reportable:
            return Verdict.INVALID, contradiction(friendly(model), reportable)
        undecided = [
            said
            for name, said in zip(self.cycles.undecided, truncated, strict=True)
            if name in prohibited(model)
        ]
        if undecided:
            return Verdict.UNKNOWN, undecided[0]
        if not self.has_vertices():
            return Verdict.UNKNOWN, NOTHING_TO_JUDGE
        return Verdict.VALID, ""

    def has_vertices(self) -> bool:
        """Whether Elle's transaction graph is non-empty; order edges to failed transactions count."""
        history = self.history
        ok = history.type == OK
        if self.dependencies.vertices:
            return True
        if self.order == PROCESS:
            return bool(ok.sum() > len(np.unique(history.process[ok])))
        if self.order == REALTIME and ok.any():
            invoked = history.invoke_at[history.complete_at >= 0]
            return bool(history.complete_at[ok].min() < invoked.max(initial=-1))
        return False

    def truncated(self) -> tuple[str, ...]:
        return tuple(
            undecided_cycles(name, count, self.budget.seconds)
            for name, count in self.cycles.undecided.items()
        )

    def shown_cycles(self, name: str) -> tuple[FoundCycle, ...]:
        if name in self.broken:
            return (show_broken(self.graph, name, self.broken[name]),)
        return self.cycles.cycles.get(name, ())

    def anomalies(self, types: list[str]) -> tuple[Anomaly, ...]:
        facts = {each.type: each.first for each in self.detected}
        shown: list[Anomaly] = []
        for name in types:
            shown += [explain_fact(self.history, name, fact) for fact in facts.get(name, ())]
            shown += [explain_cycle(self.graph, cycle) for cycle in self.shown_cycles(name)]
        return tuple(shown)

    def components(self) -> tuple[Component, ...]:
        """The components, large ones first, with the indices of their first few transactions."""
        largest = np.argsort(-self.graph.sizes, kind="stable")[:_MEMBERS_SHOWN]
        return tuple(
            Component(
                int(self.graph.sizes[number]),
                tuple(
                    name_of(self.history, int(row))
                    for row in self.graph.members(int(number))[:_MEMBERS_SHOWN]
                ),
            )
            for number in largest
        )
