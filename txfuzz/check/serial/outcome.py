"""What a run of a few transactions shows: how each ended, what its statements returned, and the rows left.

An outcome is all that the serial judge knows of a run. Two runs in which every transaction got the same
answers and which left the same rows are the same to anybody who uses the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from txfuzz.database.scenario import Cell, Rows


class Ending(Enum):
    """How a transaction ended. UNKNOWN: the answer to its COMMIT was lost."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StatementOutcome:
    """What one statement came to.

    step: its number in the transaction, from 0. rows: its result, None where it has none. changed: how
    many rows it changed, None where the database does not count. code: the database's code of an error
    that the transaction went on from.
    """

    step: int
    rows: Rows | None = None
    changed: int | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How one transaction ended, and what it saw on the way.

    statements: those that ran, in order; a step that was skipped is missing. code: why it was aborted.
    value: what code returned that ran as the transaction, in a form that compares by value. message: what
    the database said beside the code. retried: the codes by which earlier attempts at it were aborted.
    seen: what statements of code came to, to be shown; they are no evidence. begun: how many transactions
    of the database code has begun in it.
    refused: a statement was one that the database always refuses, such as one with a wrong column.
    lost: so was the connection, which is of no more use.
    """

    ending: Ending
    statements: tuple[StatementOutcome, ...] = ()
    code: str = ""
    value: Cell = None
    message: str = ""
    retried: tuple[str, ...] = ()
    seen: tuple[StatementOutcome, ...] = ()
    begun: int = 1
    refused: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True)
class ProgramOutcome:
    """transactions: by their labels, which are unique within a program. tables: the rows in the end."""

    transactions: Mapping[str, CallOutcome]
    tables: Mapping[str, Rows] = field(default_factory=dict)

    def ended(self, ending: Ending) -> tuple[str, ...]:
        """The labels of the transactions that ended so, in the order of the outcome."""
        return tuple(label for label, each in self.transactions.items() if each.ending is ending)

    def of(self, labels: Iterable[str]) -> ProgramOutcome:
        """The outcome without the transactions that are not named."""
        kept = set(labels)
        return ProgramOutcome(
            {label: each for label, each in self.transactions.items() if label in kept}, self.tables
        )
