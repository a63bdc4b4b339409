"""Which transactions had ended when others began, as their clients saw it."""

from __future__ import annotations

from txfuzz.check.scheduling.trace import Trace
from txfuzz.check.serial.outcome import ProgramOutcome
from txfuzz.check.transaction import CommitPoint, StatementPoint


def real_time_order(trace: Trace, outcome: ProgramOutcome) -> tuple[tuple[str, str], ...]:
    """Pairs of which the first had been answered before the second began: its last attempt, which is the one
    that counts. Actors run one at a time, so the steps of a trace are in the order of time."""
    began: dict[str, int] = {}
    ended: dict[str, int] = {}
    for number, step in enumerate(trace.steps):
        name, what = step.chosen.actor, step.chosen.what
        transaction = outcome.transactions.get(name)
        attempts = len(transaction.retried) if transaction is not None else 0
        if not isinstance(what, StatementPoint | CommitPoint) or what.attempt == attempts:
            began.setdefault(name, number)
        ended.update(dict.fromkeys(step.ended, number))
    return tuple((one, other) for one, end in ended.items() for other, begin in began.items() if end < begin)
