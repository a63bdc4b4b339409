"""Who makes the histories: our own clients, an external command, or nobody (they are there)."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from txfuzz.campaign.directory import IterationDirectory, copy_history
from txfuzz.campaign.settings import words_of
from txfuzz.database.port import Database
from txfuzz.errors import HistoryError, UsageError
from txfuzz.execution.faults import Planned
from txfuzz.execution.run import Reading, Watch, execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.workload.model import Workload
from txfuzz.workload.passwords import command_without_secrets, without_password

_SHOWN = 300  # characters of what a failed command said
_PATIENCE = 5.0  # seconds that a command gets to end after it was asked to


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

    def __init__(self, database: Database, isolation: str, faults: tuple[Planned, ...] = ()) -> None:
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


@dataclass(frozen=True)
class External:
    """`COMMAND --config workload.yaml --out history.edn`, with HISTORY_OUT in its environment.

    database_url: becomes DATABASE_URL for the command, where there is one.
    """

    command: str = field(repr=False)
    database_url: str | None = field(default=None, repr=False)

    def run(self, turn: Turn) -> None:
        words = words_of(self.command)
        words += [
            "--config",
            str(turn.place.workload.absolute()),
            "--out",
            str(turn.place.history.absolute()),
        ]
        if turn.place.history.exists() and turn.place.history.stat().st_size:
            raise UsageError(f"{turn.place.history}: is there already, and no command overwrites it")
        named = f"--runner-cmd {command_without_secrets(shlex.quote(words[0]))}"
        try:
            process = subprocess.Popen(
                words, env=self.environment(turn.place), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise UsageError(f"{named} cannot be run: {error.strerror}") from None
        said = _wait(process, turn.over)
        if process.returncode and not turn.over():
            raise UsageError(f"{named} failed with exit code {process.returncode}{self.tail(said)}")
        if not turn.place.history.exists():
            raise HistoryError(f"{turn.place.history}: {named} has not written it")

    def environment(self, place: IterationDirectory) -> Mapping[str, str]:
        url = {"DATABASE_URL": self.database_url} if self.database_url else {}
        return {**os.environ, "HISTORY_OUT": str(place.history.absolute()), **url}

    def tail(self, said: bytes) -> str:
        """The last line that the command said, without the password of any URL in it."""
        lines = said.decode("utf-8", "replace").strip().splitlines()
        text = without_password(lines[-1]) if lines else ""
        return f": {text[:_SHOWN]}" if text else ""


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


def _wait(process: subprocess.Popen[bytes], over: Callable[[], bool]) -> bytes:
    """Wait for the end, ask for it when it is `over`, and return what came on stderr."""
    asked = False
    while True:
        try:
            _, said = process.communicate(timeout=_PATIENCE if asked else 0.2)
            return said
        except subprocess.TimeoutExpired:
            if asked:
                process.kill()
            elif over():
                process.terminate()
                asked = True
