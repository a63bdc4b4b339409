"""What came of a schedule that was followed: its decisions, one after the other, and how each actor ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from txfuzz.database.scenario import Accesses


@dataclass(frozen=True, slots=True)
class Point:
    """Where an actor has stopped: what it will do next, as data that it chooses."""

    actor: str
    what: Any


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a schedule. ready: who could have gone on. waited: whether it then had to wait.

    let_go: those that had waited and went on with this step. ended: those that came to their end with it.
    accesses: what the step read and changed; None where that is not known, or not its alone.
    """

    chosen: Point
    ready: tuple[Point, ...]
    waited: bool = False
    waited_for: tuple[str, ...] = ()
    let_go: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    accesses: Accesses | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """value: what the actor has returned; error: what it has raised."""

    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Trace:
    """What a run came to. stuck: why it could not be followed to the end, empty where it could. still_open:
    those whose transactions could have gone on when it got stuck, and could be what the others waited for."""

    steps: tuple[Decision, ...]
    ended: Mapping[str, Ended]
    stuck: str = ""
    still_open: tuple[str, ...] = ()

    @property
    def schedule(self) -> tuple[str, ...]:
        """The actors in the order in which they went on; following it again gives the same run."""
        return tuple(step.chosen.actor for step in self.steps)
