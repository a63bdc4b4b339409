"""What a followed schedule has covered: which statements met how, and what the database did about it."""

from __future__ import annotations

from itertools import combinations

from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.outcome import Ending
from txfuzz.check.transaction import StatementPoint
from txfuzz.hunt.conflicts import Conflicts
from txfuzz.hunt.program import SmallProgram

Covered = frozenset[str]


def all_committed(attempt: FollowedSchedule) -> bool:
    return len(attempt.outcome.ended(Ending.COMMITTED)) == len(attempt.outcome.transactions)


def covered(program: SmallProgram, attempt: FollowedSchedule) -> Covered:
    """For each two statements of different transactions that use the same row: their forms in the order in
    which they began, whether and how they conflict, whether either waited, how both transactions ended, and
    the level."""
    began: dict[tuple[str, int], tuple[int, bool]] = {}
    for number, decision in enumerate(attempt.trace.steps):
        point = decision.chosen.what
        if isinstance(point, StatementPoint):
            began[decision.chosen.actor, point.step] = (number, decision.waited)
    conflicts = Conflicts(program)
    ran = []
    for at, (label, uses) in enumerate(zip(program.labels, program.transactions, strict=True)):
        step = 0
        for place, use in enumerate(uses):
            if (label, step) in began:
                ran.append((*began[label, step], at, place, use))
            step += len(use.form.statements)
    ran.sort(key=lambda each: each[0])
    ends = {at: _end(attempt, label) for at, label in enumerate(program.labels)}
    found = set()
    for one, other in combinations(ran, 2):
        _, waited, at, place, use = one
        _, also, against, among, use_after = other
        if at != against and set(use.keys) & set(use_after.keys):
            weight = conflicts.weight((at, place), (against, among))
            parts = (use.form.name, use_after.form.name, weight, waited or also, ends[at], ends[against])
            found.add("|".join(map(str, (attempt.isolation, *parts))))
    return frozenset(found)


def _end(attempt: FollowedSchedule, label: str) -> str:
    outcome = attempt.outcome.transactions.get(label)
    return "" if outcome is None else f"{outcome.ending.value} {outcome.code}".strip()
