"""Scenarios: tables, transactions and invariants of somebody's own, as values.

Where a Workload is run by many clients and judged by its history, the few transactions of a scenario are
run in every order that they can meet in (txfuzz.check), and judged by what came out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from txfuzz.errors import WorkloadError
from txfuzz.transactions.model import Transaction
from txfuzz.workload.model import DatabaseSpec
from txfuzz.workload.sql.places import place_inside

JUDGES = ("serial", "invariants")
MODELS = ("serializable", "strict-serializable")


@dataclass(frozen=True, slots=True)
class Invariant:
    """sql: a query that returns no rows whenever no transaction is open."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class CallReplay:
    """A transaction by its name, with the values of its parameters. session: the number, from 1, of the
    session that runs it, one call after the other; None: one of its own."""

    transaction: str
    arguments: tuple[tuple[str, Any], ...] = ()
    session: int | None = None


@dataclass(frozen=True, slots=True)
class ScenarioReplay:
    """A schedule that failed. schedule: which call goes on at each point, by its number from 1. fails: what
    went wrong, in the words of txfuzz.check.finding.failures."""

    isolation: str
    calls: tuple[CallReplay, ...]
    schedule: tuple[int, ...]
    fails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """Tables with rows, the transactions that may meet on them, and what must always hold.

    setup: statements, run once; the rows that they leave are restored before every attempt. ignored:
    "table.column" of columns that are no evidence. judge: one of JUDGES: "serial" asks for a serial order
    and for the invariants, "invariants" for these alone. expect: the consistency model that outcomes are
    held against, one of MODELS. replay: only this schedule is to be followed. places: where statements of the
    setup, queries of invariants and ignored columns stand, as file:line:column.
    """

    name: str
    setup: tuple[str, ...]
    transactions: tuple[Transaction, ...]
    invariants: tuple[Invariant, ...] = ()
    ignored: frozenset[str] = frozenset()
    judge: str = JUDGES[0]
    expect: str = MODELS[0]
    about: str = ""
    database: DatabaseSpec = field(default_factory=DatabaseSpec)
    replay: ScenarioReplay | None = None
    places: Mapping[str, str] = field(default_factory=dict, compare=False)

    def refused(self, sql: str, reason: str, position: int = 0) -> WorkloadError:
        """The error that the database refuses this statement of the setup or of an invariant. position: the
        character at which it sees the error, from 1; 0 if it tells none."""
        place = place_inside(self.places.get(sql, self.name), sql, position)
        return WorkloadError(f"{place}: the database refused this statement: {' '.join(reason.split())}")
