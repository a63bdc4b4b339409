"""Directed schedules from a near-cycle: those orders of its steps in which its missing edge should arise."""

from __future__ import annotations

from txfuzz.analysis.result import NearCycle
from txfuzz.feedback.directed.direction import Direction
from txfuzz.history.model import History
from txfuzz.replay.schedule.derive import derive_near_cycle
from txfuzz.replay.schedule.pinned_keys import choices_of
from txfuzz.workload.directed import DirectedSchedule, DirectedTransaction
from txfuzz.workload.model import Workload

MOST = 5  # schedules for each near-cycle


def direct(
    near: NearCycle, history: History, workload: Workload, promised: str, *, most: int = MOST
) -> Direction:
    """The directed schedules of a near-cycle, the most promising first, each order once.

    workload: of the history. promised: the model that the isolation level promises.
    """
    derived = derive_near_cycle(near, history, workload, promised, most=most)
    found = (_directed(each) for each in derived.candidates)
    schedules = tuple(dict.fromkeys(each for each in found if each is not None))
    return Direction(near, schedules, derived.reason if not schedules else "")


def _directed(composed: Workload) -> DirectedSchedule | None:
    """The schedule of a replay workload, whose choices have one key each."""
    replay = composed.replay
    if replay is None or replay.missing is None or replay.focus_key is None or len(replay.transactions) < 2:
        return None
    if any(each.action not in ("step", "commit") for each in replay.schedule):
        return None
    transactions = tuple(
        DirectedTransaction(
            each.alias,
            each.origin,
            tuple(choice.keys[0] for choice in choices_of(composed.transaction(each.txn))),
        )
        for each in replay.transactions
    )
    return DirectedSchedule(transactions, replay.schedule, replay.missing, replay.focus_key, replay.anomaly)
