"""A schedule followed in threads, and without them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from txfuzz.check.attempt import Attempts
from txfuzz.check.contract import Call
from txfuzz.check.scheduling.trace import Decision
from txfuzz.check.serial.outcome import CallOutcome
from txfuzz.database.scenario import ScenarioTables

SECONDS = 5.0
Came = tuple[tuple[Decision, ...], str, dict[str, CallOutcome]]


def both_ways(tables: ScenarioTables, calls: Sequence[Call]) -> Iterator[tuple[Came, Came]]:
    """One transaction after the other, and then step by step in turn."""
    one, other, *_ = (each.label for each in calls)
    for schedule in ((), (one, other) * 4, (one, one, other) * 3):
        in_threads, without = (_came(tables, calls, schedule, threads) for threads in (True, False))
        yield in_threads, without


def _came(tables: ScenarioTables, calls: Sequence[Call], schedule: Sequence[str], threads: bool) -> Came:
    with Attempts(tables, SECONDS, threads=threads) as attempts:
        trace, outcome = attempts.follow(calls, schedule)
    return trace.steps, trace.stuck, dict(outcome.transactions)
