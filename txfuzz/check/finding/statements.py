"""Statements as they ran: with the values of their placeholders written out as SQL."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from decimal import Decimal

from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.outcome import StatementOutcome
from txfuzz.check.transaction import SqlTransaction, StatementPoint
from txfuzz.database.scenario import Cell
from txfuzz.transactions.placeholders import with_placeholders


def literal(cell: Cell) -> str:
    """The value as an SQL literal, which the database's own tool understands."""
    if cell is None:
        return "NULL"
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float | Decimal):
        return str(cell)
    if isinstance(cell, bytes | bytearray | memoryview):
        return f"X'{bytes(cell).hex()}'"
    if isinstance(cell, datetime.datetime):
        return _quoted(cell.isoformat(" "))
    return _quoted(json.dumps(cell) if isinstance(cell, dict | list) else str(cell))


def with_values(sql: str, values: Mapping[str, Cell]) -> str:
    """The statement with the placeholders whose values are known written out."""
    text, names = with_placeholders(sql, "\x00{}\x00", percent="%")
    for name in names:
        text = text.replace(f"\x00{name}\x00", literal(values[name]) if name in values else f":{name}")
    return text


class SpokenStatements:
    """The statements of one followed schedule, asked for in the order in which they ran."""

    def __init__(self, attempt: FollowedSchedule) -> None:
        self._attempt = attempt
        self._transactions = {
            label: transaction.transaction
            for label, (transaction, _) in zip(attempt.program.labels, attempt.program.calls, strict=True)
            if isinstance(transaction, SqlTransaction)
        }
        self._values: dict[tuple[str, int], dict[str, Cell]] = {}

    def text(self, label: str, point: StatementPoint) -> str:
        """The statement before which this transaction stood."""
        transaction = self._transactions.get(label)
        if transaction is None:
            return " ".join(point.sql.split())
        at = self._attempt.program.labels.index(label)
        values = self._values.setdefault((label, point.attempt), dict(self._attempt.program.calls[at][1]))
        text = with_values(point.sql, values)
        self._take(label, point, values)
        return " ".join(text.split()).rstrip("; ")

    def _take(self, label: str, point: StatementPoint, values: dict[str, Cell]) -> None:
        """What the statement returned, by the names that later ones use."""
        seen = answer_of(self._attempt, label, point)
        for name, column in self._transactions[label].steps[point.step].returns:
            if seen is not None and seen.rows is not None:
                row = seen.rows.rows[0] if seen.rows.rows else None
                values[name] = None if row is None else row[seen.rows.columns.index(column)]


def answer_of(attempt: FollowedSchedule, label: str, point: StatementPoint) -> StatementOutcome | None:
    """What the statement came to; None where it aborted its transaction, and for an attempt that was
    followed by another one, of which no answers are kept."""
    outcome = attempt.outcome.transactions.get(label)
    if outcome is None or point.attempt != len(outcome.retried):
        return None
    statements = outcome.seen or outcome.statements
    return next((each for each in statements if each.step == point.step), None)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
