"""Runs one workload on one database and records its history."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from txfuzz.database.api import Database, NoMoreSessions, Session
from txfuzz.database.variations import insert_rows, vary
from txfuzz.errors import TxfuzzError, UsageError
from txfuzz.execution.barrier import Barrier
from txfuzz.execution.client import RECONNECT_SECONDS, Client
from txfuzz.execution.cooperative_clients import ClientScheduler
from txfuzz.execution.directed.team import Team, team_size
from txfuzz.execution.fault_injector import (
    SERVER_AWAY_SECONDS,
    Nemesis,
    PlannedFault,
    injector_for,
    until_available,
)
from txfuzz.execution.final_read import final_read
from txfuzz.execution.places import Places
from txfuzz.execution.recorder import HistoryFile, Recorder
from txfuzz.execution.run_limits import (
    CANCELLED,
    Canceller,
    NoAnswer,
    WaitLimit,
    answered,
    close_in_background,
    closed_without_answer,
)
from txfuzz.execution.summary import ExecutionSummary, Tally
from txfuzz.execution.transaction_source import TransactionSource
from txfuzz.workload.generator import TransactionGenerator
from txfuzz.workload.keys import KeySpace
from txfuzz.workload.model import Workload
from txfuzz.workload.seeds import stream

_TICK = 0.1  # seconds between two checks of the clients

Watch = Callable[[int, Tally], None]  # (transactions started, outcomes so far), called regularly
Reading = Callable[[int], bool]  # bytes of the history written so far → whether it read any


def execute(
    workload: Workload,
    database: Database,
    history: Path,
    *,
    isolation: str,
    fresh: bool = True,
    after: int = 0,
    faults: Sequence[PlannedFault] = (),
    interrupted: threading.Event | None = None,
    watch: Watch | None = None,
    reading: Reading | None = None,
    until: float | None = None,
    why: str = "its time is up",
) -> ExecutionSummary:
    """Run the workload with all its clients; the history is complete whatever happens.

    fresh: start from empty tables. after: physical keys up to this one are in use, even if no rows are
    visible (a transaction with an unknown outcome may still write one). faults: of the workload, as
    objects. interrupted: set it to end the run early. reading: called while all clients wait, if they share
    a thread; it must be quick and not raise. until: hard limit for the run (time.monotonic()), and `why`,
    as a phrase. Transactions that do not end are cancelled: see txfuzz.execution.run_limits. An error that
    ends the run after the start is in the summary. Raises DatabaseUnavailable if the run cannot start
    (NoAnswer, with the database closed, if it has not responded for ANSWER seconds), UsageError for a fault
    that cannot be injected here, and OutputError if the history cannot be written.
    """
    kind = workload.kind
    injector = injector_for(faults, database)
    interrupted = interrupted or threading.Event()

    def rows_for(physical: range) -> None:
        until_available(
            lambda: insert_rows(database, kind, physical, workload.keys.rows),
            lambda: not faults or source.stopped,
        )

    places = Places(workload, database)

    def connect(endpoint: str | None) -> Session:
        return answered("connecting", lambda: places.session(kind, endpoint))

    vary(database, workload.varied)
    with closed_without_answer(database.close):
        taken = answered("creating the tables", lambda: database.prepare(kind, fresh=fresh))
        answered("waiting for all endpoints to catch up", places.settle)
    keys = KeySpace(workload.keys, max(after, taken), rows_for)
    transactions = TransactionGenerator(workload, stream(workload.seed, "asking"), keys)
    scheduling = workload.scheduling
    with ExitStack() as outer:
        outer.enter_context(closed_without_answer(database.close))
        with Recorder(history) as recorder, ExitStack() as stack:
            history_file = outer.enter_context(HistoryFile(history))
            nemesis = None
            if injector is not None:
                nemesis = Nemesis(faults, injector, recorder, stream(workload.seed, "faults"))
            execution = _Execution(workload, recorder, isolation, connect, places, stack, nemesis)
            execution.direct(workload, keys, database, stack)
            source = TransactionSource(transactions, scheduling.transactions, scheduling.duration)
            start = time.monotonic()
            execution.drive(
                source,
                interrupted,
                history_file,
                WaitLimit(source, execution.tally, until, why),
                watch,
                reading,
            )
            seconds = time.monotonic() - start
            late = until is not None and time.monotonic() >= until
            # Only the workload knows how to read its own tables.
            reads = 0 if late or workload.own_tables else execution.read_all(keys, interrupted, history_file)
        if isinstance(execution.failure, NoAnswer):
            close_in_background(database.close)
        execution.failure = execution.failure or history_file.loss()
        return execution.summary(source, seconds, reads, keys.last, interrupted.is_set())


class _Execution:
    """The clients of one execution, and how they end."""

    def __init__(
        self,
        workload: Workload,
        recorder: Recorder,
        isolation: str,
        connect: Callable[[str | None], Session],
        places: Places,
        stack: ExitStack,
        nemesis: Nemesis | None,
    ) -> None:
        self.tally = Tally()
        self.failure: TxfuzzError | None = None
        self.crash: BaseException | None = None
        self.cut_short = ""
        self._connect, self._isolation, self._recorder = connect, isolation, recorder
        self._nemesis = nemesis
        self._scheduling = workload.scheduling
        self._seed = workload.seed
        self._final_mode, self._endpoints = places.final_mode, places.names
        # Inserting rows waits outside of a session: forever, if a client has locked the table.
        self._may_cooperate = workload.keys.rows == "fresh" or not _has_sql(workload)
        self._clients: list[Client] = []  # those of the team included
        self._team: Team | None = None
        self._undirected = ""
        self._crowd = workload.scheduling.clients
        # Processes grow by this with every reconnect
        self._step = self._crowd + team_size(workload)
        with _room_for(self._crowd):
            for _ in range(self._crowd):
                self._client(stack)

    def _client(self, stack: ExitStack) -> Client:
        seconds = RECONNECT_SECONDS if self._nemesis is None else SERVER_AWAY_SECONDS
        process = len(self._clients)
        client = Client(
            process,
            self._step,
            self._connect,
            self._isolation,
            self._recorder,
            self.tally,
            seconds,
            endpoints=self._endpoints,
        )
        stack.callback(client.close)
        self._clients.append(client)
        return client

    def direct(self, workload: Workload, keys: KeySpace, database: Database, stack: ExitStack) -> None:
        """Add the sessions that play directed schedules, if the database has room for them."""
        try:
            members = [self._client(stack) for _ in range(team_size(workload))]
        except NoMoreSessions as error:
            self._undirected = f"there is no room for further sessions: {error}"
            return
        if members:
            moments = None if self._nemesis is None else self._nemesis.moments
            self._team = Team(members, workload, keys, database, moments)

    def drive(
        self,
        source: TransactionSource,
        interrupted: threading.Event,
        history_file: HistoryFile,
        wait_limit: WaitLimit,
        watch: Watch | None,
        reading: Reading | None,
    ) -> None:
        threads = self._threads(source, reading)
        for thread in threads:
            thread.start()
        over = threading.Event()
        injecting = self._start_faults(source, over)
        canceller = Canceller([client.cancel for client in self._clients])
        while any(thread.is_alive() for thread in threads):
            next((thread for thread in threads if thread.is_alive()), threads[0]).join(_TICK)
            if interrupted.is_set() or history_file.gone():
                source.stop()
            elif not source.stopped and (why := wait_limit.reason_to_cancel()):
                self.cut_short = why
                source.stop()
            if source.stopped:
                over.set()
                if not canceller.poll():
                    self.failure = self.failure or NoAnswer(
                        "the database does not respond: cancelled transactions did not return within "
                        f"{CANCELLED:g} s; their outcome is unknown"
                    )
                    break
            if watch is not None:
                watch(source.asked, self.tally)
        over.set()
        if injecting is not None:
            injecting.join()
        if self.crash is not None:
            raise self.crash

    def _start_faults(self, source: TransactionSource, over: threading.Event) -> threading.Thread | None:
        """Start the thread that injects faults until `over` is set, if there are faults."""
        nemesis = self._nemesis
        if nemesis is None:
            return None
        thread = threading.Thread(
            target=lambda: self._guarded(source, lambda: nemesis.run(over)), name="nemesis", daemon=True
        )
        thread.start()
        return thread

    def _threads(self, source: TransactionSource, reading: Reading | None) -> list[threading.Thread]:
        """One thread for all clients if they can share it, otherwise one for each."""
        scheduler = None
        if self._may_cooperate and all(each.can_cooperate for each in self._clients):
            scheduler = ClientScheduler(None if reading is None else lambda: reading(self._recorder.written))
        crowd = self._clients[: self._crowd]
        barrier = Barrier(len(crowd), None if scheduler is None else scheduler.condition())
        works = [partial(self._work, client, source, barrier) for client in crowd]
        if self._team is not None:
            self._team.gather(None if scheduler is None else scheduler.condition)
            for place in range(len(self._team.members)):
                draws = stream(self._seed, "directed", place)
                works.append(partial(self._guarded, source, partial(self._team.play, place, source, draws)))
        if scheduler is not None:
            for client in self._clients:
                client.cooperate(scheduler)
            works = [partial(self._guarded, source, partial(scheduler.run, works))]
        return [
            threading.Thread(target=work, name=f"clients-{number}", daemon=True)
            for number, work in enumerate(works)
        ]

    def _work(self, client: Client, source: TransactionSource, barrier: Barrier) -> None:
        draws = stream(self._seed, "thinking", client.process)
        self._guarded(source, lambda: client.run(source, barrier, self._scheduling, draws))

    def _guarded(self, source: TransactionSource, work: Callable[[], None]) -> None:
        try:
            work()
        except TxfuzzError as error:
            self.failure = self.failure or error
            source.stop()
        except BaseException as error:
            self.crash = self.crash or error
            source.stop()

    def read_all(self, keys: KeySpace, interrupted: threading.Event, history_file: HistoryFile) -> int:
        if self.failure is not None or history_file.gone():
            return 0
        process = 1 + max(client.process for client in self._clients)
        try:
            return final_read(
                lambda: self._connect(self._final_mode.endpoint),
                self._isolation,
                keys.used,
                process,
                self._recorder,
                interrupted.is_set,
                self._final_mode,
            )
        except TxfuzzError as error:
            self.failure = error
            return 0

    def summary(
        self, source: TransactionSource, seconds: float, reads: int, last_key: int, interrupted: bool
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
            plays=() if self._team is None else tuple(self._team.plays),
            undirected=self._undirected,
        )


@contextmanager
def _room_for(clients: int) -> Iterator[None]:
    """UsageError if the workload has more clients than the database can ever accept."""
    try:
        yield
    except NoMoreSessions as error:
        if error.most >= clients:
            raise  # others use the connections
        raise UsageError(
            f"the workload asks for {clients:,} clients, but there is room for {error.most:,}: {error}; "
            "lower scheduling.clients or raise the limit"
        ) from None


def _has_sql(workload: Workload) -> bool:
    return any(step.sql is not None for each in workload.transactions for step in each.steps)
