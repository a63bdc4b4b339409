"""Sessions with a thread each, so that one can wait for a lock while others continue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from txfuzz.common.mailbox import Mailbox
from txfuzz.database.api import Session, SessionError
from txfuzz.transactions.model import Mode


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    """The value or error of a statement. crash: an unexpected exception, to be raised."""

    thread: SessionThread
    value: Any = None
    error: SessionError | None = None
    crash: BaseException | None = None


class SessionThread:
    """One session. `start` runs a statement; results arrive on a queue shared by all sessions.

    process: its number in the history. endpoint: where its session is, if the workload has endpoints. busy: a
    statement is running. lost: the session is unusable.
    """

    def __init__(
        self, place: int, session: Session, done: Mailbox[SessionAnswer], endpoint: str | None = None
    ) -> None:
        self.place = place
        self.endpoint = endpoint
        self.process = place
        self.session = session
        self.busy = False
        self.lost = False
        self._done = done
        self._jobs: queue.SimpleQueue[Callable[[Session], Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"replay-{place}", daemon=True)
        self._thread.start()

    def start(self, job: Callable[[Session], Any]) -> None:
        """Run a job on the session and put its result on the queue."""
        self.busy = True
        self._jobs.put(job)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                result = SessionAnswer(self, job(self.session))
            except SessionError as error:
                result = SessionAnswer(self, error=error)
            except BaseException as crash:
                result = SessionAnswer(self, crash=crash)
            self._done.put(result)

    def close(self) -> None:
        """End the thread and the session; a running statement is cancelled."""
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
    """attempt_seconds: for one whole attempt. wait_seconds: after which a statement is assumed to wait for a
    lock, if the database cannot tell."""

    attempt_seconds: float = 10.0
    wait_seconds: float = 0.25


@dataclass(frozen=True)
class AttemptContext:
    """The environment of attempts. done: the results of all sessions. stop: set it to interrupt.

    final_mode: how and where every key is read at the end. lock_waits: waiting session → those it waits for;
    None if the database cannot tell.
    """

    isolation: str
    limits: Limits
    stop: threading.Event
    done: Mailbox[SessionAnswer]
    lock_waits: Callable[[list[SessionThread]], dict[SessionThread, tuple[SessionThread, ...]] | None]
    final_mode: Mode = field(default_factory=Mode)
