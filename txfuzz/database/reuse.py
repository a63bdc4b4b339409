"""What makes tables and connections of scenarios fit to be used again and again, by thousands of programs.

See txfuzz.database.scenario for what they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class KeepsSettings(Protocol):
    """What a ScenarioSession has to do beside, if its connection can become another one."""

    def settle(self, settings: Sequence[str]) -> None:
        """Run these statements now, and again whenever its connection is another one."""


@runtime_checkable
class KeepsPlans(Protocol):
    """What a ScenarioSession can do beside, if statements that it runs often are worth preparing."""

    def keep_plans(self) -> None:
        """From now on, let the database parse and plan each statement once. Not for statements that change
        the schema, or run beside some that do: a plan that was kept may not fit any more."""


@runtime_checkable
class CanRest(Protocol):
    """What ScenarioTables can do beside, so that a great many of them can be there at once."""

    def rest(self) -> None:
        """Give back what is needed to use them, such as connections, until they are used again. Their
        sessions are closed by then."""


@runtime_checkable
class RunsAfterReset(Protocol):
    """What ScenarioTables can do beside, so that tables that differ in their rows alone are made once."""

    def reset_and_run(self, statements: Sequence[str]) -> None:
        """As reset(), and then these statements, as the setup would run them."""
