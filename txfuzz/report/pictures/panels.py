"""What the minimal picture shows: the shortest cycle of each type, else the nearest near-cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from txfuzz.analysis.checker.consistency import model_text
from txfuzz.analysis.result import AnalysisResult, Anomaly, NearCycle, TransactionView, Verdict
from txfuzz.common.sentences import counted
from txfuzz.history.model import History
from txfuzz.history.values import identity
from txfuzz.report.cycle.labels import LogicalKeys, meaning_of, missing_key
from txfuzz.report.cycle.view import MOST, Cycle, Naming, cycle_of, near_cycle_of

NEAR_CYCLES = 3


@dataclass(frozen=True, slots=True)
class Panel:
    """One anomaly or near-cycle. on: the key of the missing edge."""

    heading: str
    note: str
    cycle: Cycle
    on: str = ""


def panels_of(result: AnalysisResult, history: History) -> list[Panel]:
    """At most a dozen transactions in total, but at least one panel if there is any.

    Transactions are named by Elle's index, those of a replay by session.
    """
    names = history.session_names

    def name(_: int, view: TransactionView) -> str:
        return names[view.row] if view.row < len(names) else f"T{view.index}"

    near_cycles = enumerate(result.near_cycles[:NEAR_CYCLES], 1)
    logical = {identity(key): of for key, of in zip(history.keys, history.logical, strict=True)}
    found = _anomalies(result, name) or [_near_cycle(near, at, logical, name) for at, near in near_cycles]
    shown: list[Panel] = []
    room = MOST
    for panel in found:
        if not shown or len(panel.cycle.nodes) <= room:
            shown.append(panel)
            room -= len(panel.cycle.nodes)
    return shown


def title_of(result: AnalysisResult, panels: Sequence[Panel]) -> str:
    """What the picture is evidence of."""
    if result.anomalies:
        types = list(dict.fromkeys(anomaly.type for anomaly in result.anomalies))
        return f"{', '.join(types)} · contradict{'s' if len(types) == 1 else ''} {model_text(result.expect)}"
    if panels:
        nearest = result.near_cycles[0]
        return f"nearest near-cycle: would be {nearest.anomaly} on {panels[0].on}"
    if result.verdict is Verdict.UNKNOWN:
        return "no verdict"
    return "no anomaly and no near-cycle"


def subtitle_of(result: AnalysisResult, panels: Sequence[Panel], sessions: int = 0) -> str:
    """How much was analysed, and what else is needed to read the picture correctly.

    sessions: how many a replay had; it reads everything once more after they end.
    """
    said = [
        f"{counted(sessions, 'transaction')} of a replay"
        if sessions
        else counted(result.committed, "committed transaction")
    ]
    if result.anomalies:
        types = {anomaly.type for anomaly in result.anomalies}
        drawn = {panel.heading for panel in panels}
        more = len(types - drawn)
        if more:
            said.append(f"{more} more type{'s' if more > 1 else ''} not drawn")
    elif result.verdict is Verdict.UNKNOWN:
        said.append(f"no verdict: {result.reason}" if result.reason else "no verdict")
    else:
        said.append(f"nothing contradicts {model_text(result.expect)}")
        if result.all_types:
            said.append(f"found and allowed: {', '.join(result.all_types)}")
    return " · ".join(said)


def dependencies_of(result: AnalysisResult) -> str:
    """The dependencies, for a history with neither anomaly nor near-cycle."""
    counts = ", ".join(f"{count:,} {kind}" for kind, count in result.edge_counts.items())
    return (
        f"dependencies: {counts} · {result.concurrent_edges_per_txn:.2f} concurrent dependent pairs "
        "per committed transaction"
    )


def _anomalies(result: AnalysisResult, name: Naming) -> list[Panel]:
    """The first anomaly of each type is its shortest; cycles before the others."""
    first: dict[str, Anomaly] = {}
    for anomaly in result.anomalies:
        first.setdefault(anomaly.type, anomaly)
    ordered = sorted(first.values(), key=lambda anomaly: (not anomaly.edges, len(anomaly.transactions)))
    return [Panel(each.type, meaning_of(each)[0], cycle_of(_in_order(each), name)) for each in ordered]


def _in_order(anomaly: Anomaly) -> Anomaly:
    """Transactions that form no cycle are drawn in history order."""
    if anomaly.edges:
        return anomaly
    views = sorted(anomaly.transactions, key=lambda view: view.index)
    return replace(anomaly, transactions=tuple(views))


def _near_cycle(near: NearCycle, rank: int, logical: LogicalKeys, name: Naming) -> Panel:
    on = missing_key(near.missing, {view.row: view for view in near.transactions}, logical)
    heading = f"#{rank} would be {near.anomaly} on {on}"
    note = f"One more dependency would break {model_text(near.breaks)}. Score {near.score:.3g}."
    return Panel(heading, note, near_cycle_of(near, name, logical), on)
