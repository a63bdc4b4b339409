"""Run one workload against one database and record its history."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from txfuzz.database.api import Database, NoMoreSessions, Session
from txfuzz.errors import TxfuzzError, UsageError
from txfuzz.execution import fault_injector as disturbances
from txfuzz.execution.barrier import Rendezvous
from txfuzz.execution.client import PATIENCE, Client
from txfuzz.execution.cooperative_clients import Turns
from txfuzz.execution.fault_injector import Nemesis, Planned, injector_for, patiently
from txfuzz.execution.final_read import final_read
from txfuzz.execution.history_file import Anchor
from txfuzz.execution.recorder import Recorder
from txfuzz.execution.run_limits import (
    CANCELLED,
    Cancelling,
    NoAnswer,
    Patience,
    answered,
    leave,
    leaving_without_answer,
)
from txfuzz.execution.summary import ExecutionSummary, Tally
from txfuzz.execution.transaction_source import Source
from txfuzz.workload.generator import Asking
from txfuzz.workload.keys import KeySpace
from txfuzz.workload.model import Workload
from txfuzz.workload.seeds import stream

_TICK = 0.1  # seconds between two looks at the clients

Watch = Callable[[int, Tally], None]  # (asked so far, outcomes so far), now and then
Reading = Callable[[int], bool]  # (bytes of the history written so far) → whether it has read some


def execute(
    workload: Workload,
    database: Database,
    history: Path,
    *,
    isolation: str,
    fresh: bool = True,
    after: int = 0,
    faults: Sequence[Planned] = (),
    interrupted: threading.Event | None = None,
    watch: Watch | None = None,
    reading: Reading | None = None,
    until: float | None = None,
    why: str = "its time is up",
) -> ExecutionSummary:
    """Run the workload with all its clients; the history is whole whatever happens.

    fresh: start from empty tables. after: physical keys up to this one are taken, whether rows of
    them can be seen or not (an unknown transaction may still write one). faults: those of the
    workload, as objects. interrupted: set it to end the run early. reading: is called while all
    clients wait, where they take turns; it must be quick and not raise. until: when the run has to end
    (time.monotonic()), whatever the workload says, and `why`, as a phrase. Transactions that do not end
    are cancelled: see txfuzz.execution.run_limits. An error that ends the run after it has begun is in the
    summary, together with the numbers so far. Raises DatabaseUnavailable where it cannot begin (NoAnswer,
    with the database closed, where that has not answered for ANSWER seconds), UsageError for a fault that
    cannot be injected here, and OutputError where the history cannot be written.
    """
    kind = workload.kind
    injector = injector_for(faults, database)
    interrupted = interrupted or threading.Event()

    def insert_rows(physical: range) -> None:
        patiently(lambda: database.insert_rows(kind, physical), lambda: not faults or source.stopped)

    def connect() -> Session:
        return answered("connecting", lambda: database.session(kind))

    with leaving_without_answer(database.close):
        taken = answered("making the tables", lambda: database.prepare(kind, fresh=fresh))
    keys = KeySpace(workload.keys, max(after, taken), insert_rows)
    asking = Asking(workload, stream(workload.seed, "asking"), keys)
    scheduling = workload.scheduling
    with ExitStack() as outer:
        outer.enter_context(leaving_without_answer(database.close))
        with Recorder(history) as recorder, ExitStack() as stack:
            anchor = outer.enter_context(Anchor(history))
            nemesis = None
            if injector is not None:
                nemesis = Nemesis(faults, injector, recorder, stream(workload.seed, "faults"))
            running = _Running(workload, recorder, isolation, connect, stack, nemesis)
            source = Source(asking, scheduling.transactions, scheduling.duration)
            start = time.monotonic()
            running.drive(
                source, interrupted, anchor, Patience(source, running.tally, until, why), watch, reading
            )
            seconds = time.monotonic() - start
            late = until is not None and time.monotonic() >= until
            # Only the workload knows how its own tables are read.
            reads = 0 if late or workload.own_tables else running.read_all(keys, interrupted, anchor)
        if isinstance(running.failure, NoAnswer):
            leave(database.close)
        running.failure = running.failure or anchor.loss()
        return running.summary(source, seconds, reads, keys.last, interrupted.is_set())


class _Running:
    """The clients of one execution, and what ends them."""

    def __init__(
        self,
        workload: Workload,
        recorder: Recorder,
        isolation: str,
        connect: Callable[[], Session],
        stack: ExitStack,
        nemesis: Nemesis | None,
    ) -> None:
        self.tally = Tally()
        self.failure: TxfuzzError | None = None
        self.crash: BaseException | None = None
        self.cut_short = ""
        self._connect, self._isolation, self._recorder = connect, isolation, recorder
        self._nemesis = nemesis
        self._barrier_every = workload.scheduling.barrier_every
        # To insert rows is to wait outside a session: for good, where a client has locked the table.
        self._may_take_turns = workload.keys.rows == "fresh" or not _has_sql(workload)
        self._clients: list[Client] = []
        count = workload.scheduling.clients
        patience = PATIENCE if nemesis is None else disturbances.PATIENCE
        with _room_for(count):
            for process in range(count):
                client = Client(process, count, connect, isolation, recorder, self.tally, patience)
                stack.callback(client.close)
                self._clients.append(client)

    def drive(
        self,
        source: Source,
        interrupted: threading.Event,
        anchor: Anchor,
        patience: Patience,
        watch: Watch | None,
        reading: Reading | None,
    ) -> None:
        threads = self._threads(source, reading)
        for thread in threads:
            thread.start()
        over = threading.Event()
        disturbing = self._disturb(source, over)
        cancelling = Cancelling([client.cancel for client in self._clients])
        while any(thread.is_alive() for thread in threads):
            next((thread for thread in threads if thread.is_alive()), threads[0]).join(_TICK)
            if interrupted.is_set() or anchor.gone():
                source.stop()
            elif not source.stopped and (why := patience.exhausted()):
                self.cut_short = why
                source.stop()
            if source.stopped:
                over.set()
                if not cancelling.look():
                    self.failure = self.failure or NoAnswer(
                        "the database does not answer: cancelled transactions have not come back within "
                        f"{CANCELLED:g} s; what became of them is unknown"
                    )
                    break
            if watch is not None:
                watch(source.asked, self.tally)
        over.set()
        if disturbing is not None:
            disturbing.join()
        if self.crash is not None:
            raise self.crash

    def _disturb(self, source: Source, over: threading.Event) -> threading.Thread | None:
        """Start the thread that injects faults until `over` is set, if there are any."""
        nemesis = self._nemesis
        if nemesis is None:
            return None
        thread = threading.Thread(
            target=lambda: self._guarded(source, lambda: nemesis.run(over)), name="nemesis", daemon=True
        )
        thread.start()
        return thread

    def _threads(self, source: Source, reading: Reading | None) -> list[threading.Thread]:
        """One for all clients where they can take turns, else one for each."""
        turns = None
        if self._may_take_turns and all(each.patient for each in self._clients):
            turns = Turns(None if reading is None else lambda: reading(self._recorder.written))
        rendezvous = Rendezvous(len(self._clients), None if turns is None else turns.condition())
        works = [partial(self._work, client, source, rendezvous) for client in self._clients]
        if turns is not None:
            for client in self._clients:
                client.take_turns(turns)
            works = [partial(self._guarded, source, partial(turns.run, works))]
        return [
            threading.Thread(target=work, name=f"clients-{number}", daemon=True)
            for number, work in enumerate(works)
        ]

    def _work(self, client: Client, source: Source, rendezvous: Rendezvous) -> None:
        self._guarded(source, lambda: client.run(source, rendezvous, self._barrier_every))

    def _guarded(self, source: Source, work: Callable[[], None]) -> None:
        try:
            work()
        except TxfuzzError as error:
            self.failure = self.failure or error
            source.stop()
        except BaseException as error:
            self.crash = self.crash or error
            source.stop()

    def read_all(self, keys: KeySpace, interrupted: threading.Event, anchor: Anchor) -> int:
        if self.failure is not None or anchor.gone():
            return 0
        process = 1 + max(client.process for client in self._clients)
        try:
            return final_read(
                self._connect, self._isolation, keys.used, process, self._recorder, interrupted.is_set
            )
        except TxfuzzError as error:
            self.failure = error
            return 0

    def summary(
        self, source: Source, seconds: float, reads: int, last_key: int, interrupted: bool
    ) -> ExecutionSummary:
        outcomes = self.tally.outcomes
        return ExecutionSummary(
            asked=source.asked,
            ok=outcomes["ok"],
            fail=outcomes["fail"],
            info=outcomes["info"],
            aborts=dict(self.tally.aborts.most_common()),
            seconds=seconds,
            final_reads=reads,
            last_key=last_key,
            faults=tuple(self._nemesis.injections) if self._nemesis else (),
            stopped=str(self.failure or ("interrupted" if interrupted else self.cut_short)),
            interrupted=interrupted,
            failure=self.failure,
            levels=dict(sum((Counter(client.levels) for client in self._clients), Counter())),
        )


@contextmanager
def _room_for(clients: int) -> Iterator[None]:
    """It is the workload's matter to ask for no more clients than the database can ever take."""
    try:
        yield
    except NoMoreSessions as error:
        if error.most >= clients:
            raise  # others have taken them
        raise UsageError(
            f"the workload asks for {clients:,} clients, and there is room for {error.most:,}: {error}; "
            "lower scheduling.clients, or raise that limit"
        ) from None


def _has_sql(workload: Workload) -> bool:
    return any(step.sql is not None for each in workload.transactions for step in each.steps)
