"""The stepper: runs attempts at schedules on the same sessions."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from txfuzz.common.closeable import Closeable
from txfuzz.common.kind import Kind
from txfuzz.common.mailbox import Mailbox
from txfuzz.database.api import Database, SeesWaits
from txfuzz.execution.places import Places
from txfuzz.replay.stepper.attempt import Attempt
from txfuzz.replay.stepper.attempt_run import AttemptRun
from txfuzz.replay.stepper.recorder import AttemptRecorder
from txfuzz.replay.stepper.session_threads import AttemptContext, Limits, SessionThread
from txfuzz.workload.generator import BoundTransaction
from txfuzz.workload.replay import Replay


class Stepper(Closeable):
    """Runs attempts one after another on the same sessions. A context manager."""

    def __init__(
        self,
        database: Database,
        kind: Kind,
        isolation: str,
        *,
        limits: Limits | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._context = AttemptContext(
            isolation, limits or Limits(), stop or threading.Event(), Mailbox(), self._lock_waits
        )
        self._database, self._kind = database, kind
        self._places: Places | None = None
        self._waits = database if isinstance(database, SeesWaits) else None
        self._threads: list[SessionThread] = []
        self._left: set[SessionThread] = set()  # of these, closed by renew()
        self._recorder = AttemptRecorder()
        self._attempts = 0

    def run(self, replay: Replay, transactions: Mapping[str, BoundTransaction]) -> Attempt:
        """Follow the schedule once. transactions: by alias, what each transaction does."""
        threads = {
            each.alias: self._thread(place, transactions[each.alias].mode.endpoint)
            for place, each in enumerate(replay.transactions)
        }
        self._recorder.begin_attempt(self._attempts)
        self._attempts += 1
        return AttemptRun(self._context, threads, transactions, self._recorder).run(replay)

    def _lock_waits(
        self, threads: list[SessionThread]
    ) -> dict[SessionThread, tuple[SessionThread, ...]] | None:
        if self._waits is None:
            return None
        waits = self._waits.waiting([thread.session for thread in threads])
        return {
            threads[at]: tuple(threads[other] for other in sorted(others)) for at, others in waits.items()
        }

    def use(self, places: Places) -> None:
        """Connect to these places from now on."""
        self._places = places
        self._context = replace(self._context, final_mode=places.final_mode)

    def _thread(self, place: int, endpoint: str | None) -> SessionThread:
        if place == len(self._threads):
            self._threads.append(self._new(place, endpoint))
        elif (
            self._threads[place] in self._left
            or self._threads[place].lost
            or self._threads[place].endpoint != endpoint
        ):
            # As in Jepsen, a new process continues: the lost transaction may still take effect.
            process = self._threads[place].process + 1000
            if self._threads[place] not in self._left:
                self._threads[place].close()
            self._threads[place] = self._new(place, endpoint)
            self._threads[place].process = process
        return self._threads[place]

    def _new(self, place: int, endpoint: str | None) -> SessionThread:
        places = self._places
        session = (
            self._database.session(self._kind) if places is None else places.session(self._kind, endpoint)
        )
        return SessionThread(place, session, self._context.done, endpoint)

    def renew(self) -> None:
        """Other sessions from now on."""
        self._close()
        self._left = set(self._threads)

    def close(self) -> None:
        self._close()
        self._threads.clear()

    def _close(self) -> None:
        for thread in self._threads:
            if thread not in self._left:
                thread.close()
