"""Lanes: a session and the thread that drives it, so that one may wait while the others go on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from txfuzz.database.api import Session, SessionError


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement came to: a value, or an error. crash: a bug, to be raised."""

    lane: Lane
    value: Any = None
    error: SessionError | None = None
    crash: BaseException | None = None


class Lane:
    """One session. Statements are handed over by `start`; results come on the queue of all lanes."""

    def __init__(self, place: int, session: Session, done: queue.SimpleQueue[Result]) -> None:
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
                result = Result(self, job(self.session))
            except SessionError as error:
                result = Result(self, error=error)
            except BaseException as crash:
                result = Result(self, crash=crash)
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
