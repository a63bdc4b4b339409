"""Which statements have met rows: one that never does says nothing of what others could do to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from txfuzz.check.code.effects import writes
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.outcome import StatementOutcome
from txfuzz.check.transaction import StatementPoint

# An INSERT that meets a row is refused or does nothing; the others do nothing where they meet none
_MEETS = re.compile(r"\s*(?:SELECT|UPDATE|DELETE)\b", re.IGNORECASE)


def meets_rows(sql: str) -> bool:
    """Is it of no effect where there is no row for it?"""
    return _MEETS.match(sql) is not None


def met_rows(attempt: FollowedSchedule, retried: Collection[str]) -> Iterator[tuple[str, int, bool]]:
    """Of each statement that has returned or changed a row: its transaction, its number from 0, and whether
    it is one that changes rows.

    What does not tell is taken to have met one, and so is what ended in an error. But for those of `retried`,
    by which the database asks for another try: they can be about a whole table.
    """
    names = dict(zip(attempt.program.labels, attempt.program.calls, strict=True))
    found = {
        (label, each.step): each
        for label, outcome in attempt.outcome.transactions.items()
        for each in outcome.seen or outcome.statements
    }
    for decision in attempt.trace.steps:
        label, point = decision.chosen.actor, decision.chosen.what
        if not isinstance(point, StatementPoint):
            continue
        statement, outcome = found.get((label, point.step)), attempt.outcome.transactions.get(label)
        code = statement.code if statement is not None else outcome.code if outcome is not None else ""
        if code not in retried if code else _met(statement):
            yield names[label][0].name, point.step, writes(point.sql)


def _met(statement: StatementOutcome | None) -> bool:
    if statement is None:
        return True
    if statement.rows is not None:
        return bool(statement.rows.rows)
    return statement.changed != 0
