"""Sessions with a thread each, so that one may wait for a lock while the others go on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from txfuzz.database.api import Session, SessionError


@dataclass(frozen=True, slots=True)
class StatementResult:
    """What a statement came to: a value, or an error. crash: a bug, to be raised."""

    thread: SessionThread
    value: Any = None
    error: SessionError | None = None
    crash: BaseException | None = None


class SessionThread:
    """One session. Statements are handed over by `start`; results come on a queue that all sessions share.

    process: its number in the history. busy: a statement is under way. lost: the session is of no more use.
    """

    def __init__(self, place: int, session: Session, done: queue.SimpleQueue[StatementResult]) -> None:
        self.place = place
        self.process = place
        self.session = session
        self.busy = False
        self.lost = False
        self._done = done
        self._jobs: queue.SimpleQueue[Callable[[Session], Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"replay-{place}", daemon=True)
        self._thread.start()

    def start(self, job: Callable[[Session], Any]) -> None:
        """Do this on the session, and say so on the queue."""
        self.busy = True
        self._jobs.put(job)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                result = StatementResult(self, job(self.session))
            except SessionError as error:
                result = StatementResult(self, error=error)
            except BaseException as crash:
                result = StatementResult(self, crash=crash)
            self._done.put(result)

    def close(self) -> None:
        """End the thread and the session; a statement under way is cancelled."""
        self._jobs.put(None)
        for _ in range(2):  # the second one cuts the connection
            if self.busy and self._thread.is_alive():
                self.session.cancel()
            self._thread.join(1.0)
            if not self._thread.is_alive():
                break
        self.session.close()


@dataclass(frozen=True)
class Limits:
    """attempt_seconds: of one attempt, all in all. wait_seconds: after so long a statement is taken to wait
    for a lock, on databases that cannot tell."""

    attempt_seconds: float = 10.0
    wait_seconds: float = 0.25


@dataclass(frozen=True)
class AttemptContext:
    """On what attempts run. done: where the results of all sessions arrive. stop: set it to break off.

    lock_waits: which of these sessions wait, and for which others; None where the database cannot tell.
    """

    isolation: str
    limits: Limits
    stop: threading.Event
    done: queue.SimpleQueue[StatementResult]
    lock_waits: Callable[[list[SessionThread]], dict[SessionThread, tuple[SessionThread, ...]] | None]
