"""What came of the directed schedules of a run, by its history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.near_cycles.between import Pair, pairs_with, rows_of
from txfuzz.execution.summary import ExecutionSummary, Play
from txfuzz.feedback.directed.direction import DirectedOutcome
from txfuzz.history.model import History
from txfuzz.workload.directed import DirectedSchedule
from txfuzz.workload.model import Workload


def outcomes(
    history: History, workload: Workload, execution: ExecutionSummary | None, options: VersionOptions | None
) -> tuple[DirectedOutcome, ...]:
    """One for each directed schedule of the workload.

    execution: of the run that made the history; None if unknown. options: the checker's assumptions about
    versions.
    """
    if not workload.directed:
        return ()
    if execution is None:
        return tuple(DirectedOutcome(each, reason="who played is not known") for each in workload.directed)
    rows = rows_of(history, {process for play in execution.plays for process, _ in play.transactions})
    found = []
    for place, schedule in enumerate(workload.directed):
        plays = [each for each in execution.plays if each.schedule == place]
        pairs = _ends(schedule, plays, rows)
        kind, key = schedule.missing.kind, schedule.focus_key
        there = pairs_with(history, kind, key, pairs, options or VersionOptions())
        reason = "" if plays else execution.undirected or "the run ended first"
        found.append(_outcome(schedule, plays, sum(pair in there for pair in pairs), reason))
    return tuple(found)


def _outcome(schedule: DirectedSchedule, plays: Sequence[Play], forced: int, reason: str) -> DirectedOutcome:
    return DirectedOutcome(
        schedule,
        len(plays),
        forced,
        sum(not any(play.codes) for play in plays),
        dict(Counter(code for play in plays for code in play.codes if code).most_common()),
        sum(play.waited for play in plays),
        reason,
    )


def _ends(schedule: DirectedSchedule, plays: Sequence[Play], rows: Mapping[int, list[int]]) -> list[Pair]:
    """The rows of the missing dependency's two transactions, of each play of which the history, which may be
    cut short, has both."""
    places = {each.alias: place for place, each in enumerate(schedule.transactions)}
    ends = (places[schedule.missing.source], places[schedule.missing.target])
    found = []
    for play in plays:
        of = [play.transactions[place] for place in ends]
        there = [rows[process][before] for process, before in of if before < len(rows.get(process, ()))]
        if len(there) == len(ends):
            found.append((there[0], there[1]))
    return found
