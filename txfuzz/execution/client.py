"""A client: one session that runs one transaction after another."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
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
    continues after a transaction with an unknown outcome. reconnect_seconds: time limit for reconnecting.
    """

    def __init__(
        self,
        process: int,
        step: int,
        connect: Callable[[], Session],
        isolation: str,
        recorder: Recorder,
        tally: Tally,
        reconnect_seconds: float = RECONNECT_SECONDS,
    ) -> None:
        self.process = process
        self.session: Session | None = connect()
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

    @property
    def can_cooperate(self) -> bool:
        """Can it share a thread with other clients?"""
        return isinstance(self.session, Patient)

    def cooperate(self, scheduler: ClientScheduler) -> None:
        """From now on, share the thread of the scheduler."""
        self._scheduler = scheduler
        if isinstance(self.session, Patient):
            self.session.wait_with(scheduler.wait)

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
        session = self.session or self._reconnect(source)
        if session is None:
            return None
        ended = run_transaction(session, self._isolation, transaction, self.process, self._recorder, pace)
        self._tally.add(ended.type, ended.code)
        if ended.lost:
            self.note_levels()
            self.close()
            self.process += self._step
        return ended

    def sleeper(self, source: TransactionSource) -> Callable[[float], None]:
        """Lets so many seconds pass for this client, or fewer if the run stops."""

        def sleep(seconds: float) -> None:
            if not source.stopped:
                (source.pause if self._scheduler is None else self._scheduler.sleep)(seconds)

        return sleep

    def _reconnect(self, source: TransactionSource) -> Session | None:
        """A new session; None if the run stops meanwhile. Raises DatabaseUnavailable after the time limit."""
        until = time.monotonic() + self._reconnect_seconds
        pause = 0.01
        while not source.stopped:
            try:
                session = self._connect()
            except DatabaseUnavailable:
                if time.monotonic() > until:
                    raise
                (source.pause if self._scheduler is None else self._scheduler.sleep)(pause)
                pause = min(2 * pause, 0.5)
                continue
            with self._guard:
                self.session = session
            if self._scheduler is not None:
                self.cooperate(self._scheduler)
            return session
        return None

    def note_levels(self) -> None:
        self.levels.update(getattr(self.session, "reported_levels", ()))

    def cancel(self) -> None:
        """Make a blocked call return. Called from another thread."""
        with self._guard:
            if self.session is not None:
                self.session.cancel()

    def close(self) -> None:
        with self._guard:
            if self.session is not None:
                self.session.close()
                self.session = None
