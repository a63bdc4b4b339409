"""A client: one session, one transaction after the other."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from txfuzz.database.api import Patient, Session
from txfuzz.errors import DatabaseUnavailable
from txfuzz.execution.barrier import Rendezvous
from txfuzz.execution.cooperative_clients import Turns
from txfuzz.execution.recorder import Recorder
from txfuzz.execution.summary import Tally
from txfuzz.execution.transaction import run_transaction
from txfuzz.execution.transaction_source import Source

PATIENCE = 5.0  # seconds that a client tries to connect anew


class Client:
    """Runs what the source asks until it asks no more.

    process: its process number, which grows by `step` whenever it has to connect anew: what an
    unknown transaction does later is not done by the process that goes on (as in Jepsen).
    patience: for how many seconds it tries to connect anew.
    """

    def __init__(
        self,
        process: int,
        step: int,
        connect: Callable[[], Session],
        isolation: str,
        recorder: Recorder,
        tally: Tally,
        patience: float = PATIENCE,
    ) -> None:
        self.process = process
        self.session: Session | None = connect()
        self._step = step
        self._connect = connect
        self._isolation = isolation
        self._recorder = recorder
        self._tally = tally
        self._patience = patience
        self._turns: Turns | None = None
        self._guard = threading.Lock()
        self.levels: Counter[str] = Counter()  # those that the server itself has confirmed, by session

    @property
    def patient(self) -> bool:
        """Whether it can take turns with others on one thread."""
        return isinstance(self.session, Patient)

    def take_turns(self, turns: Turns) -> None:
        """Wait by these turns from now on."""
        self._turns = turns
        if isinstance(self.session, Patient):
            self.session.wait_with(turns.wait)

    def run(self, source: Source, rendezvous: Rendezvous, barrier_every: int) -> None:
        """Until the source has no more. Raises what ends the whole run (a TxfuzzError)."""
        done = 0
        try:
            rendezvous.meet()  # nobody has a start on the others
            while (asked := source.next()) is not None:
                session = self.session or self._reconnect(source)
                if session is None:
                    return
                ended = run_transaction(session, self._isolation, asked, self.process, self._recorder)
                self._tally.add(ended.type, ended.code)
                if ended.lost:
                    self._note_levels()
                    self.close()
                    self.process += self._step
                done += 1
                if self._turns is not None:
                    self._turns.yield_()  # who is in a transaction goes before who begins one
                if barrier_every and done % barrier_every == 0:
                    rendezvous.meet()
        finally:
            self._note_levels()
            rendezvous.leave()

    def _reconnect(self, source: Source) -> Session | None:
        """A new session; None when the run stops meanwhile, DatabaseUnavailable when none is to be had."""
        until = time.monotonic() + self._patience
        pause = 0.01
        while not source.stopped:
            try:
                session = self._connect()
            except DatabaseUnavailable:
                if time.monotonic() > until:
                    raise
                (source.pause if self._turns is None else self._turns.sleep)(pause)
                pause = min(2 * pause, 0.5)
                continue
            with self._guard:
                self.session = session
            if self._turns is not None:
                self.take_turns(self._turns)
            return session
        return None

    def _note_levels(self) -> None:
        self.levels.update(getattr(self.session, "reported_levels", ()))

    def cancel(self) -> None:
        """Make a blocked call return; from another thread."""
        with self._guard:
            if self.session is not None:
                self.session.cancel()

    def close(self) -> None:
        with self._guard:
            if self.session is not None:
                self.session.close()
                self.session = None
