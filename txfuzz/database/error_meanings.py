"""What an adapter can tell of its codes of errors beside those that ask for another try: what they mean."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from txfuzz.database.scenario import ScenarioTables


@runtime_checkable
class NamesDeadlocks(Protocol):
    """What ScenarioTables can do beside: tell codes of deadlocks. Else no code is said to mean one."""

    @property
    def deadlocks(self) -> frozenset[str]: ...


@runtime_checkable
class NamesConstraints(Protocol):
    """What ScenarioTables can do beside: tell the codes by which a constraint (unique, check, foreign key, …)
    refuses a change. Else no code is said to mean that."""

    @property
    def constraints(self) -> frozenset[str]: ...


def deadlock_codes(tables: ScenarioTables) -> frozenset[str]:
    return tables.deadlocks if isinstance(tables, NamesDeadlocks) else frozenset()


def constraint_codes(tables: ScenarioTables) -> frozenset[str]:
    return tables.constraints if isinstance(tables, NamesConstraints) else frozenset()
