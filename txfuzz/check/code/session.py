"""Somebody's code as an actor: a thread in which each statement that a driver sends is a switch point.

The code itself is not changed and knows nothing of this. A driver's call is met in the thread that makes
it; threads that belong to no call that is being checked pass through untouched.
"""

from __future__ import annotations

import ctypes
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from txfuzz.check.code.connections import Connections
from txfuzz.check.code.effects import Effects, ends_transaction, is_switch_point
from txfuzz.check.code.errors import note_code
from txfuzz.check.code.place import inside_connecting, own_frame
from txfuzz.check.scheduling.schedule import Abandoned
from txfuzz.check.scheduling.threads import Stop
from txfuzz.check.serial.outcome import StatementOutcome
from txfuzz.check.transaction import CommitPoint, StatementPoint
from txfuzz.database.drivers import COMMIT, ROLLBACK, DriverCall
from txfuzz.database.scenario import AdoptedSession, Cell, ScenarioSession, StatementAnswer
from txfuzz.errors import UsageError

_local = threading.local()
_under_way: list[CodeRun] = []  # calls of code, in whichever thread

Rewrite = Callable[[str], str]
_LAST_WORDS = 0.5  # seconds for code that is told to end


def around(call: DriverCall) -> Any:
    """What every intercepted call goes through, whichever thread it is in."""
    running: CodeRun | Watched | None = getattr(_local, "run", None)
    if running is None and is_switch_point(call.sql) and not ends_transaction(call.sql):
        for each in tuple(_under_way):
            each.session.connections.met_elsewhere()
    if running is None or running.aside:
        return call.send(call.sql)
    return running.through(call)


@dataclass
class Watched:
    """What a thread sends that is not scheduled. note: is told of each of its connections, once."""

    note: Callable[[Any], None]
    connections: list[Any] = field(default_factory=list)
    aside: bool = False

    def through(self, call: DriverCall) -> Any:
        if not any(each is call.connection for each in self.connections):
            self.connections.append(call.connection)
            self.note(call.connection)
        return call.send(call.sql)


@contextmanager
def watched(note: Callable[[Any], None] = lambda connection: None) -> Iterator[Watched]:
    """What this thread sends within it."""
    before = getattr(_local, "run", None)
    _local.run = found = Watched(note)
    try:
        yield found
    finally:
        _local.run = before


@dataclass(eq=False)
class CodeRun:
    """One call of the code, while it runs. isolation: empty where the code's own is to be kept.

    aside: the driver is calling itself, or us. stop: None where it is not scheduled. codes: of the errors
    that the database gave. begun: how many transactions.
    """

    session: CodeSession
    isolation: str
    stop: Stop | None
    attempt: int = 0
    rewrite: Rewrite | None = None
    aside: bool = False
    over: bool = False
    broken_off: bool = False
    stopped: bool = False
    effects: Effects = field(default_factory=Effects)
    answers: list[tuple[Callable[[], StatementAnswer], StatementAnswer, str]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    commit_failed: str | None = None
    begun: int = 0

    def through(self, call: DriverCall) -> Any:
        if self.broken_off:
            raise Abandoned
        self.aside = True
        try:
            if self.over or inside_connecting():
                self.session.connections.until_it_is_free(call.connection, self.session)
                return call.send(call.sql)
            if call.unordered:
                self.session.connections.refuse_unordered(call.unordered)
            drivers = self.session.connections.drivers
            adopted = self.session.connections.taken(call.connection, self.session)
            ends = ends_transaction(call.sql)
            open_before = drivers.in_transaction(call.connection)
            number = len(self.answers)
            if open_before if ends else is_switch_point(call.sql):
                self._stop(call.sql if ends else StatementPoint(number, str(call), self.attempt))
            if self.isolation and not ends and not open_before:
                adopted.begin_at(self.isolation)
            try:
                return self._send(call, adopted)
            finally:
                if not ends and not open_before:
                    self.begun += is_switch_point(call.sql) or drivers.in_transaction(call.connection)
        finally:
            self.aside = False

    def _stop(self, point: StatementPoint | str) -> None:
        if self.stop is None:
            return
        self.stopped = True
        try:
            self.stop(point if isinstance(point, StatementPoint) else ending_point(point, self.attempt))
        except Abandoned:
            self.over = True
            raise
        finally:
            self.stopped = False

    def _send(self, call: DriverCall, adopted: AdoptedSession) -> Any:
        ends = ends_transaction(call.sql)
        sql = call.sql if ends or self.rewrite is None else self.rewrite(call.sql)
        try:
            result = adopted.run(lambda: call.send(sql), sql)
        except BaseException as error:
            code = adopted.code(error)
            note_code(error, code)
            self.codes.append(code)
            if ends == COMMIT:
                self.commit_failed = code
            if ends:
                self.effects.rolled_back(call.connection)
            else:
                self.answers.append((StatementAnswer, StatementAnswer(), code))
            raise
        if ends == COMMIT:
            self.effects.committed(call.connection)
        elif ends == ROLLBACK:
            self.effects.rolled_back(call.connection)
        else:
            came = call.answer()
            self.answers.append((call.answer, came, ""))
            self.effects.ran(call.connection, sql, came.changed)
            if not self.session.connections.drivers.in_transaction(call.connection):
                self.effects.committed(call.connection)  # it was a transaction of its own
        return result

    def seen(self) -> tuple[StatementOutcome, ...]:
        """What its statements came to, for the story."""
        found = []
        for number, (again, came, code) in enumerate(self.answers):
            if came == StatementAnswer():
                came = again()  # what the code has fetched since then
            changed = None if came.rows is not None else came.changed
            found.append(StatementOutcome(number, came.rows, changed, code))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class RollbackPoint:
    attempt: int = 0

    def __str__(self) -> str:
        return ROLLBACK


def ending_point(sql: str, attempt: int) -> CommitPoint | RollbackPoint:
    return CommitPoint(attempt) if ends_transaction(sql) == COMMIT else RollbackPoint(attempt)


class CodeSession:
    """A thread for the calls of one actor, and the connections that they open; see ScenarioSession.

    It is the same thread from one schedule to the next, as in a server with a pool of threads: what code
    keeps for each thread (Django's connections, scoped sessions) stays. plain: opens a session for SQL of a
    scenario that runs beside code. restore: the rows that every attempt begins with. seconds: of a call that
    runs alone. warmed: the calls that have run here before.
    """

    def __init__(
        self,
        connections: Connections,
        plain: Callable[[], ScenarioSession],
        restore: Callable[[], None],
        seconds: float,
    ) -> None:
        self.connections, self.restore, self._seconds = connections, restore, seconds
        self._running: CodeRun | None = None
        self._idle = threading.Event()
        self.warmed: set[tuple[str, str]] = set()
        self._open_plain, self._plain_session = plain, None
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="txfuzz code", daemon=True)
        self._thread.start()

    _plain_session: ScenarioSession | None

    def call(self, run: CodeRun, function: Callable[[], Any], *, alone: bool = False) -> Any:
        """Call it in this session's thread, with `run` around what it sends; what it returns or raises.

        alone: nothing else runs and nobody watches it, so it gets its time here. TimeoutError says where in
        the code it was then.
        """
        done: Future[Any] = Future()

        def work() -> Any:
            _local.run = self._running = run
            _under_way.append(run)
            self._idle.clear()
            try:
                return function()
            finally:
                _local.run = None
                _under_way.remove(run)
                if not run.over:
                    self._leave_nothing_open()
                    self.connections.forget(self)
                self._running = None
                self._idle.set()

        self._jobs.put((work, done))
        if alone and not wait([done], self._seconds).done:
            place = self.where()
            self._break_off()
            raise TimeoutError(f"{place}: it did not end within {self._seconds:g} s, though it ran alone")
        try:
            return done.result()
        finally:
            if self.connections.refusal:
                raise UsageError(self.connections.refusal) from None

    def _break_off(self) -> None:
        """End a call that does not come back, and take from it what it holds in the database."""
        run, thread = self._running, self._thread.ident
        if run is None or thread is None:
            return
        run.broken_off = True
        for connection, adopted in self.connections.of(self):
            adopted.cancel()
            self.connections.drivers.break_off(connection)
        self._idle.wait(_LAST_WORDS)
        if self._running is run:
            # It reaches code that sends nothing any more: a loop, but neither a sleep nor a lock
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Abandoned))

    def _leave_nothing_open(self) -> None:
        """A transaction that nobody has ended comes to nothing when its connection goes."""
        for connection, adopted in self.connections.of(self):
            with suppress(Exception):
                if self.connections.drivers.in_transaction(connection):
                    connection.rollback()
            adopted.leave()

    def _work(self) -> None:
        with suppress(Abandoned):  # which can come late
            while (job := self._jobs.get()) is not None:
                work, done = job
                try:
                    done.set_result(work())
                except BaseException as error:
                    done.set_exception(error)
            _close_connections_of_django()

    def adopted(self) -> list[ScenarioSession | AdoptedSession]:
        """Everything by which it can be waiting."""
        own: list[ScenarioSession | AdoptedSession] = [each for _, each in self.connections.of(self)]
        return own if self._plain_session is None else [*own, self._plain_session]

    def where(self) -> str:
        """The line of somebody's own code that it is at, "app.py:12 (in book)"; empty where there is none."""
        frame = sys._current_frames().get(self._thread.ident or 0)
        return own_frame(frame) if frame is not None else ""

    @property
    def moving(self) -> bool:
        """See Owner."""
        run = self._running
        return run is not None and not run.stopped and not run.aside

    def stands(self) -> object:
        """See RunsCode."""
        run = self._running
        frame = sys._current_frames().get(self._thread.ident or 0)
        return None if run is None or run.aside or frame is None else (id(frame), frame.f_lasti)

    def cancel(self) -> None:
        for each in self.adopted():
            each.cancel()

    def close(self) -> None:
        self._jobs.put(None)
        self._break_off()
        if self._plain_session is not None:
            self._plain_session.close()
        self.connections.forget(self)

    # -- SQL of a scenario --------------------------------------------------------------------

    def _plain(self) -> ScenarioSession:
        if self._plain_session is None:
            self._plain_session = self._open_plain()
        return self._plain_session

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None:
        self._plain().begin(isolation, read_only=read_only, deferrable=deferrable)

    def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
        return self._plain().run(sql, arguments)

    def commit(self) -> None:
        self._plain().commit()

    def rollback(self) -> None:
        self._plain().rollback()


def _close_connections_of_django() -> None:
    """It keeps one for each thread, which nobody else would close before the garbage is collected."""
    django = sys.modules.get("django.db")
    if django is not None:
        with suppress(Exception):
            django.connections.close_all()


def waiting_sessions(
    sessions: Sequence[ScenarioSession | AdoptedSession],
    ask: Callable[[Sequence[ScenarioSession | AdoptedSession]], Mapping[int, frozenset[int]]],
) -> Mapping[int, frozenset[int]]:
    """As ScenarioTables.waiting(), of sessions with several connections each."""
    flat, owners = [], []
    for place, each in enumerate(sessions):
        for one in each.adopted() if isinstance(each, CodeSession) else [each]:
            flat.append(one)
            owners.append(place)
    found: dict[int, frozenset[int]] = {}
    for at, others in ask(flat).items():
        found[owners[at]] = found.get(owners[at], frozenset()) | {owners[other] for other in others}
    return found
