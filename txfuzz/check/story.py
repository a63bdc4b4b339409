"""A failing schedule as a story: who did what and saw what, and why no serial order explains it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from txfuzz.check.contract import FunctionRows
from txfuzz.check.finding.failures import also_in_series
from txfuzz.check.finding.statements import SpokenStatements, answer_of
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
from txfuzz.check.serial.value import CodeValue
from txfuzz.check.transaction import GIVES_UP, StatementPoint
from txfuzz.common.sentences import listed
from txfuzz.database.scenario import Cell, Rows

_MOST_ROWS = 3  # of a result, in a sentence
_VERBS = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}
_PERFECT = {"saw": "seen"}
_LONGEST = 60  # characters of a value


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One step. transaction: its label. did: the statement or COMMIT, with its values. came: what came of
    it, in words. waited: it had to wait, so that the answer came later. waited_for: for whom, where that is
    known."""

    transaction: str
    did: str
    came: str
    waited_for: tuple[str, ...] = ()
    waited: bool = False


def story(attempt: FollowedSchedule) -> tuple[StoryLine, ...]:
    """The schedule, statement by statement."""
    return tuple(_lines(attempt))


def _lines(attempt: FollowedSchedule) -> Iterator[StoryLine]:
    spoken = SpokenStatements(attempt)
    for step in attempt.trace.steps:
        label, point = step.chosen.actor, step.chosen.what
        did = spoken.text(label, point) if isinstance(point, StatementPoint) else str(point)
        came = _came(attempt, label, point)
        yield StoryLine(label, did, came, step.waited_for if step.waited else (), step.waited)


def _came(attempt: FollowedSchedule, label: str, point: Any) -> str:
    outcome = attempt.outcome.transactions.get(label)
    if outcome is None:
        return ""
    tried = getattr(point, "attempt", 0)
    if tried < len(outcome.retried):
        return "" if isinstance(point, StatementPoint) else f"aborted ({outcome.retried[tried]})"
    aborted = f"aborted: {outcome.message or 'it gives itself up'} ({outcome.code})"
    if isinstance(point, StatementPoint):
        statements = outcome.seen or outcome.statements
        found = answer_of(attempt, label, point)
        if found is None:
            return aborted
        given_up = outcome.code == GIVES_UP and found is statements[-1]
        return _answer(found) + (", so it gives itself up" if given_up else "")
    return aborted if outcome.ending is Ending.ABORTED else outcome.ending.value


def _answer(statement: StatementOutcome) -> str:
    if statement.code:
        return f"error {statement.code}"
    return seen_text(statement.rows if statement.rows is not None else statement.changed)


def explanation(attempt: FollowedSchedule) -> tuple[str, ...]:
    """Why this is not what a serial order gives, and which invariants are broken, in sentences."""
    return (*_unexplained(attempt), *_broken(attempt), *_in_pieces(attempt))


def _unexplained(attempt: FollowedSchedule) -> Iterator[str]:
    judgement = attempt.judgement
    if judgement.answer is not SerialAnswer.UNEXPLAINED:
        return
    compared = [(judgement.order, judgement.differences), *judgement.others]
    if len(compared) == 2:
        told = (
            _missed_each_other(compared, attempt)
            or _no_single_state(compared, attempt)
            or _whichever_first(compared)
            or _did_the_same(compared)
        )
        if told is not None:
            yield told
            return
    if len(compared) == 1 and judgement.differences:
        yield f"By itself {_difference(attempt, judgement.differences[0])}."
        return
    number = "Neither" if len(compared) == 2 else "None"
    yield f"{number} of the {len(compared)} serial orders gives this outcome:"
    for order, differences in compared:
        if differences:
            yield f"{listed(order, 'then')}: {_difference(attempt, differences[0])}"


def _in_pieces(attempt: FollowedSchedule) -> Iterator[str]:
    """Code that no level can hold together, because it is more than one transaction."""
    told = set()
    for label, (transaction, _) in zip(attempt.program.labels, attempt.program.calls, strict=True):
        outcome = attempt.outcome.transactions.get(label)
        if outcome is not None and outcome.begun > 1 and transaction.name not in told:
            told.add(transaction.name)
            yield (
                f"{transaction.name} is not one transaction: here it began {outcome.begun} of them, and the "
                "database keeps each apart from others only by itself."
            )


_Compared = list[tuple[Order, tuple[Difference, ...]]]


def _missed_each_other(compared: _Compared, attempt: FollowedSchedule) -> str | None:
    """The commonest case, in one sentence: each of two missed what the other one did."""
    firsts = [differences[0] for _, differences in compared if differences]
    if len(firsts) != 2:
        return None
    one, other = firsts
    if not isinstance(one.place, StatementPlace) or not isinstance(other.place, StatementPlace):
        return None
    if one.place.transaction == other.place.transaction:
        return None
    if (one.place.transaction, other.place.transaction) != (compared[0][0][-1], compared[1][0][-1]):
        return None  # it is not the second one of each order that differs
    if _when(attempt, other.place) < _when(attempt, one.place):
        one, other = other, one
    assert isinstance(one.place, StatementPlace)
    assert isinstance(other.place, StatementPlace)
    saw, also = seen_text(one.seen), seen_text(other.seen)
    same = (
        f"and so did {other.place.transaction}"
        if saw == also
        else f"and {other.place.transaction} saw {also}"
    )
    if _sql(attempt, one.place) != _sql(attempt, other.place):
        return _did_otherwise(attempt, one, other)
    expected = dict.fromkeys((seen_text(other.expected), seen_text(one.expected)))
    return (
        f"{one.place.transaction} saw {saw} {_where(attempt, one.place)}, {same} "
        f"{_where(attempt, other.place)}; "
        f"whichever went first, the other would have seen {listed(expected, 'or')}."
    )


def _did_otherwise(attempt: FollowedSchedule, one: Difference, other: Difference) -> str | None:
    """Two statements that differ: each order in its own words. one: the earlier of the two."""
    parts = []
    for each, first in ((one, other), (other, one)):
        if not isinstance(each.place, StatementPlace) or not isinstance(first.place, StatementPlace):
            return None
        place, before = each.place, first.place.transaction
        did, would_do = _deed(attempt, place, each.seen), _deed(attempt, place, each.expected)
        if did is None or would_do is None:
            return None
        came = f"{place.transaction} {did[0]} {did[1]} {_where(attempt, place)}"
        instead = f"{_PERFECT.get(would_do[0], would_do[0])} {would_do[1]}"
        parts.append((came, f"had {before} gone first, {place.transaction} would have {instead}"))
    (came, would), (also, instead) = parts
    return f"{came}, and {also}; {would}; {instead}."


def _deed(attempt: FollowedSchedule, place: StatementPlace, seen: Seen) -> tuple[str, str] | None:
    """What a statement came to as verb and object; None where it did not run at all."""
    if isinstance(seen, Rows):
        return "saw", seen_text(seen)
    if seen is None or isinstance(seen, bool) or not isinstance(seen, int):
        return None
    words = (_sql(attempt, place) or "").split()
    verb = _VERBS.get(words[0].upper(), "changed") if words else "changed"
    return verb, "1 row" if seen == 1 else f"{seen:,} rows" if seen else "no row"


def _sql(attempt: FollowedSchedule, place: StatementPlace) -> str | None:
    number = _when(attempt, place)
    point = attempt.trace.steps[number].chosen.what if number >= 0 else None
    return point.sql if isinstance(point, StatementPoint) else None


def _where(attempt: FollowedSchedule, place: StatementPlace) -> str:
    """The line of the story; the step, where the statement did not run."""
    number = _when(attempt, place)
    return f"in line {number + 1}" if number >= 0 else f"in step {place.step + 1}"


def _when(attempt: FollowedSchedule, place: StatementPlace) -> int:
    """The number of the decision with which the statement began, of the last attempt at its transaction."""
    found = -1
    for number, step in enumerate(attempt.trace.steps):
        point = step.chosen.what
        if (
            step.chosen.actor == place.transaction
            and isinstance(point, StatementPoint)
            and point.step == place.step
        ):
            found = number
    return found


def _no_single_state(compared: _Compared, attempt: FollowedSchedule) -> str | None:
    """One of two saw a part of what the other did: early answers as before it, later ones as after it."""
    for (first, second), early in compared:
        late = next(differences for order, differences in compared if order == (second, first))
        if not early or not late:
            return None
        # Early: the order (reader, writer), which differs where the reader saw too much
        saw_after, saw_before = early[0], late[0]
        one, other = saw_after.place, saw_before.place
        if not isinstance(one, StatementPlace) or not isinstance(other, StatementPlace):
            continue
        if one.transaction != first or other.transaction != first or other.step >= one.step:
            continue
        if any(each.place == one for each in late):
            continue
        return (
            f"{first} saw {seen_text(saw_before.seen)} {_where(attempt, other)}, as before {second}, but "
            f"{seen_text(saw_after.seen)} {_where(attempt, one)}, as after it: at no moment both are so."
        )
    return None


def _whichever_first(compared: _Compared) -> str | None:
    """Only the rows in the end differ, and in the same way from both orders."""
    firsts = [differences[0] for _, differences in compared if differences]
    if len(firsts) != 2 or firsts[0].place != firsts[1].place:
        return None
    one, other = firsts
    if not isinstance(one.place, TablePlace):
        return None
    would = listed(dict.fromkeys((seen_text(one.expected), seen_text(other.expected))), "or")
    holds = seen_text(one.seen)
    return f"Whichever went first, table {one.place.table} would hold {would}, but it holds {holds}."


def _did_the_same(compared: _Compared) -> str | None:
    """Code that gave back, or changed, what only the first of them would have."""
    firsts = [differences[0] for _, differences in compared if differences]
    if len(firsts) != 2 or not all(isinstance(each.seen, CodeValue) for each in firsts):
        return None
    one, other = firsts
    assert isinstance(one.place, ValuePlace)
    assert isinstance(other.place, ValuePlace)
    if (one.place.transaction, other.place.transaction) != (compared[0][0][-1], compared[1][0][-1]):
        return None
    did, also = str(one.seen), str(other.seen)
    same = f"and so did {other.place.transaction}" if did == also else f"and {other.place.transaction} {also}"
    would = listed(dict.fromkeys((str(other.expected), str(one.expected))), "or")
    return f"{one.place.transaction} {did}, {same}; whichever went first, the other would have {would}."


def _difference(attempt: FollowedSchedule, difference: Difference) -> str:
    place, seen, expected = difference.place, seen_text(difference.seen), seen_text(difference.expected)
    match place:
        case StatementPlace(transaction):
            return f"{transaction} would have seen {expected} {_where(attempt, place)}, but saw {seen}"
        case TablePlace(table):
            return f"table {table} would hold {expected}, but holds {seen}"
        case EndingPlace(transaction):
            return f"{transaction} would not have committed ({expected}), but did"
        case ValuePlace(transaction) if isinstance(difference.seen, CodeValue):
            return f"{transaction} would have {expected}, but it {seen}"
        case ValuePlace(transaction):
            would, did = cell_text(difference.expected), cell_text(difference.seen)
            return f"{transaction} would have returned {would}, but returned {did}"


def _broken(attempt: FollowedSchedule) -> Iterator[str]:
    series = ", as it is when they run one after the other" if also_in_series(attempt) else ""
    for name, rows in attempt.broken.items():
        yield f"Broken{series}: {name}. {found_text(rows)}."


def found_text(rows: Rows) -> str:
    """What an invariant that is broken has found: a query its rows, a function what it returned or raised."""
    if not isinstance(rows, FunctionRows):
        return f"The query for it gives {seen_text(rows)}"
    if rows.raised:
        return f"The function {rows.function} raised {rows.raised}"
    return f"The function {rows.function} returned {seen_text(rows)}"


def seen_text(seen: Seen) -> str:
    """Rows, a number of changed rows, a code, a value or nothing, in a few words."""
    if isinstance(seen, Rows):
        return _rows_text(seen)
    if isinstance(seen, Ending):
        return seen.value
    if isinstance(seen, int) and not isinstance(seen, bool):
        return "1 row changed" if seen == 1 else f"{seen:,} rows changed" if seen else "no row changed"
    return "nothing" if seen is None else str(seen)


def _rows_text(rows: Rows) -> str:
    if not rows.rows:
        return "no row"
    shown = [_row_text(rows, row) for row in rows.rows[:_MOST_ROWS]]
    if len(rows.rows) > _MOST_ROWS:
        shown.append(f"{len(rows.rows) - _MOST_ROWS:,} more rows")
    return listed(shown)


def _row_text(rows: Rows, row: tuple[Cell, ...]) -> str:
    cells = [f"{name} {cell_text(cell)}" for name, cell in zip(rows.columns, row, strict=True)]
    return cells[0] if len(cells) == 1 else f"({', '.join(cells)})"


def cell_text(cell: Cell) -> str:
    """A value as people write it, cut where it is long."""
    if cell is None:
        return "NULL"
    text = f"'{cell}'" if isinstance(cell, str) else str(cell)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
