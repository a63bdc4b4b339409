"""A client: one session that runs one transaction after another."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from txfuzz.database.api import Patient, Session
from txfuzz.errors import DatabaseUnavailable
from txfuzz.execution.barrier import Barrier
from txfuzz.execution.cooperative_clients import ClientScheduler
from txfuzz.execution.pace import Pace
from txfuzz.execution.recorder import Recorder
from txfuzz.execution.summary import Tally
from txfuzz.execution.transaction import TransactionEnd, run_transaction
from txfuzz.execution.transaction_source import TransactionSource
from txfuzz.workload.generator import BoundTransaction
from txfuzz.workload.model import Scheduling

RECONNECT_SECONDS = 5.0  # during which a client tries to reconnect


class Client:
    """Runs the transactions of a source.

    process: its process number, which grows by `step` with every reconnect: as in Jepsen, a new process
    continues after a transaction with an unknown outcome. connect: opens a session at the endpoint of this
    name; None for a workload without endpoints. endpoints: their names, likewise. reconnect_seconds: time
    limit for reconnecting.
    """

    def __init__(
        self,
        process: int,
        step: int,
        connect: Callable[[str | None], Session],
        isolation: str,
        recorder: Recorder,
        tally: Tally,
        reconnect_seconds: float = RECONNECT_SECONDS,
        *,
        endpoints: Sequence[str | None] = (None,),
    ) -> None:
        self.process = process
        self.sessions: dict[str | None, Session] = {}
        self._first = endpoints[0]
        self._step = step
        self._connect = connect
        self._isolation = isolation
        self._recorder = recorder
        self._tally = tally
        self._reconnect_seconds = reconnect_seconds
        self._scheduler: ClientScheduler | None = None
        self._guard = threading.Lock()
        self.levels: Counter[str] = (
            Counter()
        )  # isolation levels that servers have confirmed, by number of sessions
        try:
            for endpoint in endpoints:
                self.sessions[endpoint] = connect(endpoint)
        except BaseException:
            self.close()
            raise

    @property
    def session(self) -> Session | None:
        """At the first endpoint, where all can be written and locked; None while it is lost."""
        return self.sessions.get(self._first)

    @property
    def can_cooperate(self) -> bool:
        """Can it share a thread with other clients?"""
        return all(isinstance(session, Patient) for session in self.sessions.values())

    def cooperate(self, scheduler: ClientScheduler) -> None:
        """From now on, share the thread of the scheduler."""
        self._scheduler = scheduler
        for session in self.sessions.values():
            if isinstance(session, Patient):
                session.wait_with(scheduler.wait)

    def run(self, source: TransactionSource, barrier: Barrier, scheduling: Scheduling, draws: Random) -> None:
        """Run until the source is exhausted. Raises the TxfuzzError that ends the whole run.

        draws: for this client's pauses.
        """
        barrier_every, pace = scheduling.barrier_every, Pace(scheduling, draws, self.sleeper(source))
        done = 0
        try:
            barrier.wait_for_all()  # all start together
            while (transaction := source.next()) is not None:
                if self.play(transaction, pace, source) is None:
                    return
                done += 1
                if self._scheduler is not None:
                    self._scheduler.yield_()  # clients inside a transaction go first
                if barrier_every and done % barrier_every == 0:
                    barrier.wait_for_all()
        finally:
            self.note_levels()
            barrier.leave()

    def play(
        self, transaction: BoundTransaction, pace: Pace, source: TransactionSource
    ) -> TransactionEnd | None:
        """Run one transaction, on a new session if the last one was lost; None if the run stops before."""
        endpoint = transaction.mode.endpoint
        session = self.sessions.get(endpoint) or self._reconnect(source, endpoint)
        if session is None:
            return None
        ended = run_transaction(session, self._isolation, transaction, self.process, self._recorder, pace)
        self._tally.add(ended.type, ended.code)
        if ended.lost:
            self._note_levels(session)
            self._close(endpoint)
            self.process += self._step
        return ended

    def sleeper(self, source: TransactionSource) -> Callable[[float], None]:
        """Lets so many seconds pass for this client, or fewer if the run stops."""

        def sleep(seconds: float) -> None:
            if not source.stopped:
                (source.pause if self._scheduler is None else self._scheduler.sleep)(seconds)

        return sleep

    def _reconnect(self, source: TransactionSource, endpoint: str | None) -> Session | None:
        """A new session; None if the run stops meanwhile. Raises DatabaseUnavailable after the time limit."""
        until = time.monotonic() + self._reconnect_seconds
        pause = 0.01
        while not source.stopped:
            try:
                session = self._connect(endpoint)
            except DatabaseUnavailable:
                if time.monotonic() > until:
                    raise
                (source.pause if self._scheduler is None else self._scheduler.sleep)(pause)
                pause = min(2 * pause, 0.5)
                continue
            with self._guard:
                self.sessions[endpoint] = session
            if self._scheduler is not None:
                self.cooperate(self._scheduler)
            return session
        return None

    def note_levels(self) -> None:
        """Count the levels that the servers of its sessions have confirmed. Once, at its end."""
        for session in self.sessions.values():
            self._note_levels(session)

    def _note_levels(self, session: Session) -> None:
        self.levels.update(getattr(session, "reported_levels", ()))

    def cancel(self) -> None:
        """Make a blocked call return. Called from another thread."""
        with self._guard:
            for session in self.sessions.values():
                session.cancel()

    def close(self) -> None:
        for endpoint in list(self.sessions):
            self._close(endpoint)

    def _close(self, endpoint: str | None) -> None:
        with self._guard:
            self.sessions.pop(endpoint).close()
