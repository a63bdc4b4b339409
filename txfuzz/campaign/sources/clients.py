"""Who makes the histories: our own clients, or nobody (they are there). A command: see `external`."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from txfuzz.campaign.directory.run_directory import IterationDirectory, copy_history
from txfuzz.database.api import Database
from txfuzz.execution.fault_injector import PlannedFault
from txfuzz.execution.run import Reading, Watch, execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.workload.model import Workload


@dataclass(frozen=True)
class Turn:
    """What one iteration asks of a runner. interrupted: set when it is to end early.

    until: when it has to end (time.monotonic()), and `why`, as a phrase. reading: may be told, now and
    then, how many bytes of the history are written.
    """

    workload: Workload
    place: IterationDirectory
    interrupted: threading.Event
    watch: Watch | None = None
    reading: Reading | None = None
    until: float | None = None
    why: str = ""

    def over(self) -> bool:
        """Is it to end now?"""
        return self.interrupted.is_set() or (self.until is not None and time.monotonic() >= self.until)


class Runner(Protocol):
    """Puts the history of one iteration in its place."""

    def run(self, turn: Turn) -> ExecutionSummary | None:
        """What became of it, where that is known."""


class Clients:
    """Our own clients against a database, and faults meanwhile. No physical key is used in two runs."""

    def __init__(self, database: Database, isolation: str, faults: tuple[PlannedFault, ...] = ()) -> None:
        self._database = database
        self._isolation = isolation
        self._faults = faults
        self._last_key = 0

    def leave_alone(self, key: int) -> None:
        """Physical keys up to this one have been used by somebody else."""
        self._last_key = max(self._last_key, key)

    def run(self, turn: Turn) -> ExecutionSummary:
        summary = execute(
            turn.workload,
            self._database,
            turn.place.history,
            isolation=self._isolation,
            fresh=turn.workload.init_schema,
            after=self._last_key,
            faults=self._faults,
            interrupted=turn.interrupted,
            watch=turn.watch,
            reading=turn.reading,
            until=turn.until,
            why=turn.why,
        )
        self._last_key = summary.last_key
        return summary


class Given:
    """The first history is there already, made by anybody; `later` makes the others."""

    def __init__(self, history: Path, later: Runner) -> None:
        self._history: Path | None = history
        self._later = later

    def run(self, turn: Turn) -> ExecutionSummary | None:
        if self._history is None:
            return self._later.run(turn)
        copy_history(self._history, turn.place.history)
        self._history = None
        return None
