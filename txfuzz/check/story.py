"""A failing schedule as a story: who did what and saw what, and why no serial order explains it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.difference import (
    Difference,
    EndingPlace,
    Seen,
    StatementPlace,
    TablePlace,
    ValuePlace,
)
from txfuzz.check.serial.judge import Order, SerialAnswer
from txfuzz.check.serial.outcome import Ending, StatementOutcome
from txfuzz.check.transaction import StatementPoint
from txfuzz.common.sentences import listed
from txfuzz.database.scenario import Cell, Rows

_MOST_ROWS = 3  # of a result, in a sentence
_LONGEST = 60  # characters of a value


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One step. transaction: its label. did: the statement or COMMIT. came: what came of it, in words.
    waited_for: whom it had to wait for, in which case the answer came later."""

    transaction: str
    did: str
    came: str
    waited_for: tuple[str, ...] = ()


def story(attempt: FollowedSchedule) -> tuple[StoryLine, ...]:
    """The schedule, statement by statement."""
    return tuple(_lines(attempt))


def _lines(attempt: FollowedSchedule) -> Iterator[StoryLine]:
    for step in attempt.trace.steps:
        label, point = step.chosen.actor, step.chosen.what
        outcome = attempt.outcome.transactions.get(label)
        did = " ".join(point.sql.split()) if isinstance(point, StatementPoint) else str(point)
        came = ""
        if outcome is not None and point.attempt < len(outcome.retried):
            came = "" if isinstance(point, StatementPoint) else f"aborted ({outcome.retried[point.attempt]})"
        elif outcome is not None and isinstance(point, StatementPoint):
            found = next((each for each in outcome.statements if each.step == point.step), None)
            came = _came(found) if found is not None else f"aborted ({outcome.code})"
        elif outcome is not None:
            came = (
                outcome.ending.value if outcome.ending is not Ending.ABORTED else f"aborted ({outcome.code})"
            )
        yield StoryLine(label, did, came, step.waited_for if step.waited else ())


def _came(statement: StatementOutcome) -> str:
    if statement.code:
        return f"error {statement.code}"
    return seen_text(statement.rows if statement.rows is not None else statement.changed)


def explanation(attempt: FollowedSchedule) -> tuple[str, ...]:
    """Why this is not what a serial order gives, and which invariants are broken, in sentences."""
    return (*_unexplained(attempt), *_broken(attempt))


def _unexplained(attempt: FollowedSchedule) -> Iterator[str]:
    judgement = attempt.judgement
    if judgement.answer is not SerialAnswer.UNEXPLAINED:
        return
    compared = [(judgement.order, judgement.differences), *judgement.others]
    told = _both_saw_the_same(compared) if len(compared) == 2 else None
    if told is not None:
        yield told
        return
    number = "Neither" if len(compared) == 2 else "None"
    yield f"{number} of the {len(compared)} serial orders gives this outcome:"
    for order, differences in compared:
        if differences:
            yield f"{listed(order, 'then')}: {_difference(differences[0])}"


def _both_saw_the_same(compared: list[tuple[Order, tuple[Difference, ...]]]) -> str | None:
    """The commonest case, in one sentence: each of two missed what the other one did."""
    firsts = [differences[0] for _, differences in compared if differences]
    if len(firsts) != 2 or not all(isinstance(each.place, StatementPlace) for each in firsts):
        return None
    one, other = firsts
    assert isinstance(one.place, StatementPlace)
    assert isinstance(other.place, StatementPlace)
    if one.place.transaction == other.place.transaction:
        return None
    if (one.place.transaction, other.place.transaction) != (compared[0][0][-1], compared[1][0][-1]):
        return None  # it is not the second one of each order that differs
    saw, also = seen_text(one.seen), seen_text(other.seen)
    same = (
        f"and so did {other.place.transaction}"
        if saw == also
        else f"and {other.place.transaction} saw {also}"
    )
    expected = {seen_text(one.expected), seen_text(other.expected)}
    would = listed(sorted(expected), "or")
    return (
        f"{one.place.transaction} saw {saw} in step {one.place.step + 1}, "
        f"{same} in step {other.place.step + 1}; whichever went first, the other would have seen {would}."
    )


def _difference(difference: Difference) -> str:
    place, seen, expected = difference.place, seen_text(difference.seen), seen_text(difference.expected)
    match place:
        case StatementPlace(transaction, step):
            return f"{transaction} would have seen {expected} in step {step + 1}, but saw {seen}"
        case TablePlace(table):
            return f"table {table} would hold {expected}, but holds {seen}"
        case EndingPlace(transaction):
            return f"{transaction} would not have committed ({expected}), but did"
        case ValuePlace(transaction):
            return f"{transaction} would have returned {expected}, but returned {seen}"


def _broken(attempt: FollowedSchedule) -> Iterator[str]:
    for name, rows in attempt.broken.items():
        yield f"The invariant {name!r} is broken: {seen_text(rows)}."


def seen_text(seen: Seen) -> str:
    """Rows, a number of changed rows, a code, a value or nothing, in a few words."""
    if isinstance(seen, Rows):
        return _rows_text(seen)
    if isinstance(seen, Ending):
        return seen.value
    if isinstance(seen, int) and not isinstance(seen, bool):
        return "1 row changed" if seen == 1 else f"{seen:,} rows changed"
    return "nothing" if seen is None else str(seen)


def _rows_text(rows: Rows) -> str:
    if not rows.rows:
        return "no row"
    shown = [_row_text(rows, row) for row in rows.rows[:_MOST_ROWS]]
    if len(rows.rows) > _MOST_ROWS:
        shown.append(f"{len(rows.rows) - _MOST_ROWS:,} more rows")
    return listed(shown)


def _row_text(rows: Rows, row: tuple[Cell, ...]) -> str:
    return (
        "("
        + ", ".join(f"{name} {_cell_text(cell)}" for name, cell in zip(rows.columns, row, strict=True))
        + ")"
    )


def _cell_text(cell: Cell) -> str:
    if cell is None:
        return "NULL"
    text = f"'{cell}'" if isinstance(cell, str) else str(cell)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
