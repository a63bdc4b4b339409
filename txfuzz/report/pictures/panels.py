"""What the minimal picture shows: the shortest cycle of each type, else the nearest near-cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from txfuzz.analysis.checker.anomaly_types import anomaly_type
from txfuzz.analysis.checker.consistency import model_text
from txfuzz.analysis.result import AnalysisResult, Anomaly, Edge, MissingEdge, NearCycle, Verdict
from txfuzz.history.model import History
from txfuzz.report.pictures.labels import missing_key
from txfuzz.report.text.lines import counted

MOST = 12  # transactions in one picture
NEAR_CYCLES = 3
_ENDS = 4  # transactions at either end of a chain that is too long to be shown


@dataclass(frozen=True, slots=True)
class Panel:
    """One anomaly or near-cycle.

    rows: the transactions from top to bottom, rows of the History; None stands for `elided`
    further ones. edges: those among the transactions shown. on: the key of the missing edge.
    """

    heading: str
    note: str
    rows: tuple[int | None, ...]
    edges: tuple[Edge, ...] = ()
    missing: MissingEdge | None = None
    on: str = ""
    elided: int = 0


def panels_of(result: AnalysisResult, history: History) -> list[Panel]:
    """At most a dozen transactions altogether; the first panel is always there if there is any."""
    near_cycles = enumerate(result.near_cycles[:NEAR_CYCLES], 1)
    found = _anomalies(result) or [_near_cycle(near, at, history) for at, near in near_cycles]
    most = len(found) if result.anomalies else NEAR_CYCLES
    shown: list[Panel] = []
    room = MOST
    for panel in found[:most]:
        if not shown or len(panel.rows) <= room:
            shown.append(panel)
            room -= len(panel.rows)
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
    """How much was looked at, and what else has to be known to read the picture rightly.

    sessions: of a replay, which reads everything once more when they have ended.
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
    """What there was to look at, where neither anomaly nor near-cycle was found."""
    counts = ", ".join(f"{count:,} {kind}" for kind, count in result.edge_counts.items())
    return (
        f"dependencies: {counts} · {result.concurrent_edges_per_txn:.2f} concurrent dependent pairs "
        "per committed transaction"
    )


def _anomalies(result: AnalysisResult) -> list[Panel]:
    """The first anomaly of each type is its shortest; cycles before the others."""
    first: dict[str, Anomaly] = {}
    for anomaly in result.anomalies:
        first.setdefault(anomaly.type, anomaly)
    ordered = sorted(first.values(), key=lambda anomaly: (not anomaly.edges, len(anomaly.transactions)))
    return [_anomaly(anomaly) for anomaly in ordered]


def _anomaly(anomaly: Anomaly) -> Panel:
    views = (
        anomaly.transactions if anomaly.edges else sorted(anomaly.transactions, key=lambda view: view.index)
    )
    rows = tuple(dict.fromkeys(view.row for view in views))
    return _folded(Panel(anomaly.type, _meaning(anomaly), rows, anomaly.edges))


def _meaning(anomaly: Anomaly) -> str:
    try:
        return anomaly_type(anomaly.type).meaning
    except KeyError:  # the type is another analyzer's
        return anomaly.definition


def _near_cycle(near: NearCycle, rank: int, history: History) -> Panel:
    ends = [row for edge in near.path for row in (edge.source, edge.target)]
    rows = tuple(dict.fromkeys([near.missing.target, *ends, near.missing.source]))
    on = missing_key(history, near.missing)
    heading = f"#{rank} would be {near.anomaly} on {on}"
    note = f"One more dependency would break {model_text(near.breaks)}. Score {near.score:.3g}."
    return _folded(Panel(heading, note, rows, near.path, near.missing, on))


def _folded(panel: Panel) -> Panel:
    """The panel with the middle of a chain left out that has more transactions than fit."""
    if len(panel.rows) <= MOST:
        return panel
    rows = (*panel.rows[:_ENDS], None, *panel.rows[-_ENDS:])
    kept = tuple(edge for edge in panel.edges if edge.source in rows and edge.target in rows)
    return replace(panel, rows=rows, edges=kept, elided=len(panel.rows) - 2 * _ENDS)
