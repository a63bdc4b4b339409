"""What a matrix asks: of which databases, at which levels, which questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

TRANSACTIONS = 2_000  # of a workload
SCHEDULES = 500  # of a hunt; of a scenario all, as far as its time goes
SECONDS = 60.0  # of a cell


class Asks(Enum):
    """scenario: every order of the statements of a few transactions. workload: many clients, and the history
    that they leave. hunt: small programs of every kind of statement."""

    SCENARIO = "scenario"
    WORKLOAD = "workload"
    HUNT = "hunt"


@dataclass(frozen=True)
class Question:
    """name: what cells are known by. column: of the table; several questions can share one. path: of the
    scenario or workload, absolute; empty for a hunt. anomaly: what a scenario shows if a schedule of it
    fails, as the checker of histories calls it; empty: that no serial order explains it. most: transactions
    of a workload, schedules of the others. seconds: of a cell. digest: of the file.
    """

    name: str
    asks: Asks
    column: str = ""
    path: str = ""
    anomaly: str = ""
    most: int | None = None
    seconds: float = SECONDS
    digest: str = ""

    @property
    def heading(self) -> str:
        return self.column or self.name


@dataclass(frozen=True)
class MatrixDatabase:
    """name: tells two of the same adapter apart. url: of a server; None: one that the adapter starts.
    versions: empty for all that it can start. levels: empty for all."""

    adapter: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    url: str | None = field(default=None, repr=False)
    versions: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class MatrixPlan:
    name: str
    databases: tuple[MatrixDatabase, ...]
    questions: tuple[Question, ...]
    seed: int = 0
    about: str = ""
