"""A crowd on the tables of a check: many clients at once, and the invariants asked at quiet points.

Schedules say what two or three transactions can do to each other; a crowd meets what takes more of them,
or timing inside the server. No serial order is asked for here: only that the invariants hold whenever no
transaction is open. So now and then everybody finishes the transaction at hand and waits while they are
asked.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random

from txfuzz.check.contract import Arguments, CheckedInvariant, CheckedTransaction
from txfuzz.check.serial.outcome import Ending
from txfuzz.database.scenario import Rows, ScenarioSession, ScenarioTables
from txfuzz.errors import DatabaseUnavailable

SECONDS_BETWEEN = 0.25  # two quiet points; short, so that few transactions are under suspicion
SECONDS_TO_FINISH = 10.0  # a transaction, once a quiet point is asked for
_MOST_IN_SERIES = 20_000


@dataclass(frozen=True, slots=True)
class CrowdCall:
    """One transaction that a client has run.

    began, ended: in seconds since the crowd began. codes: of errors by which attempts at it were aborted.
    """

    client: int
    transaction: str
    arguments: Arguments
    began: float
    ended: float
    ending: Ending
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BrokenInvariant:
    """rows: those that break it. since: what was run since it was last seen to hold. in_series: the same
    transactions break it one after the other, too, in the order in which they ended; None where they were too
    many to try.
    """

    name: str
    rows: Rows
    since: tuple[CrowdCall, ...]
    in_series: bool | None = None


@dataclass(frozen=True)
class CrowdResult:
    """transactions: how many were run. endings: how many ended how. aborted: code → how often.
    broken: the first invariants that were seen broken, all at the same quiet point, which ends the run."""

    isolation: str
    clients: int
    seconds: float
    transactions: int
    quiet_points: int
    endings: Mapping[Ending, int]
    aborted: Mapping[str, int]
    broken: tuple[BrokenInvariant, ...] = ()


class ClientHangs(Exception):
    """A client's transaction did not end, so that there is no quiet point."""


def run_crowd(
    tables: ScenarioTables,
    transactions: Sequence[CheckedTransaction],
    invariants: Sequence[CheckedInvariant],
    isolation: str,
    *,
    clients: int,
    seconds: float,
    random: Random,
    stop: threading.Event | None = None,
) -> CrowdResult:
    """Run transactions with random arguments until the time is up, an invariant is broken or `stop` is set.

    The tables are as the setup left them at the start; what the crowd leaves, the next reset() takes away.
    Raises ClientHangs, and what a client raises that is no outcome.
    """
    tables.reset()
    crowd = _Crowd(transactions, isolation, tables.retried)
    started = time.monotonic()
    ran: list[CrowdCall] = []
    quiet_points = 0
    broken: tuple[BrokenInvariant, ...] = ()
    with crowd.at_work([tables.session() for _ in range(clients)], random):
        while not broken and not crowd.failed and not (stop is not None and stop.is_set()):
            left = started + seconds - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(left, SECONDS_BETWEEN))
            with crowd.quiet() as since:
                quiet_points += 1
                ran += since
                broken = tuple(
                    BrokenInvariant(each.name, rows, since)
                    for each in invariants
                    if (rows := each.rows(tables)).rows
                )
    if crowd.failed:
        raise crowd.failed[0]
    seconds = time.monotonic() - started
    if broken and len(ran) <= _MOST_IN_SERIES:
        names = {each.name for each in broken}
        again = _broken_in_series(tables, transactions, invariants, isolation, ran, names)
        broken = tuple(replace(each, in_series=each.name in again) for each in broken)
    return CrowdResult(
        isolation,
        clients,
        seconds,
        sum(crowd.endings.values()),
        quiet_points,
        dict(crowd.endings),
        dict(crowd.aborted),
        broken,
    )


def _broken_in_series(
    tables: ScenarioTables,
    transactions: Sequence[CheckedTransaction],
    invariants: Sequence[CheckedInvariant],
    isolation: str,
    calls: Sequence[CrowdCall],
    names: set[str],
) -> set[str]:
    """Those of the named invariants that these calls break one after the other, in the order of their end."""
    by_name = {each.name: each for each in transactions}
    tables.reset()
    broken: set[str] = set()
    session = tables.session()
    try:
        for each in sorted(calls, key=lambda call: call.ended):
            if broken >= names:
                break
            if each.ending is not Ending.ABORTED:
                call = by_name[each.transaction].call(each.transaction, each.arguments, isolation)
                call.body(session, tables.retried)(_goes_on)
                broken |= {one.name for one in invariants if one.name in names and one.rows(tables).rows}
    finally:
        session.close()
    return broken


class _Crowd:
    def __init__(
        self, transactions: Sequence[CheckedTransaction], isolation: str, retried: frozenset[str]
    ) -> None:
        self._transactions, self._isolation, self._retried = transactions, isolation, retried
        self._changed = threading.Condition()
        self._paused = self._ended = False
        self._busy = 0  # clients inside a transaction
        self._since: list[CrowdCall] = []
        self._started = time.monotonic()
        self.endings: Counter[Ending] = Counter()
        self.aborted: Counter[str] = Counter()
        self.failed: list[BaseException] = []

    @contextmanager
    def at_work(self, sessions: Sequence[ScenarioSession], random: Random) -> Iterator[None]:
        """A client for each session; leaving it lets each finish its transaction, and closes the sessions."""
        threads = [
            threading.Thread(
                target=self._client,
                args=(number, session, Random(random.getrandbits(64))),
                name=f"txfuzz client {number}",
                daemon=True,
            )
            for number, session in enumerate(sessions)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            until = time.monotonic() + SECONDS_TO_FINISH
            for thread, session in zip(threads, sessions, strict=True):
                thread.join(max(0.0, until - time.monotonic()))
                if thread.is_alive():
                    session.cancel()
                    thread.join(1.0)
                session.close()

    @contextmanager
    def quiet(self) -> Iterator[tuple[CrowdCall, ...]]:
        """No transaction is open inside; gives what was run since the last time."""
        with self._changed:
            self._paused = True
            if not self._changed.wait_for(lambda: not self._busy, SECONDS_TO_FINISH):
                raise ClientHangs(f"a transaction of the crowd did not end within {SECONDS_TO_FINISH:g} s")
            since, self._since = tuple(self._since), []
        yield since
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def _client(self, number: int, session: ScenarioSession, random: Random) -> None:
        try:
            while self._enters():
                called = None
                try:
                    called = self._call(number, session, random)
                finally:
                    self._leaves(called)
        except BaseException as error:
            self.failed.append(error)

    def _enters(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: not self._paused or self._ended)
            self._busy += not self._ended
            return not self._ended

    def _leaves(self, called: CrowdCall | None) -> None:
        with self._changed:
            self._busy -= 1
            if called is not None:
                self._since.append(called)
                self.endings[called.ending] += 1
                self.aborted.update(called.codes)
            self._changed.notify_all()

    def _call(self, number: int, session: ScenarioSession, random: Random) -> CrowdCall:
        transaction = random.choice(self._transactions)
        arguments = {name: random.choice(values) for name, values in transaction.params}
        call = transaction.call(transaction.name, arguments, self._isolation)
        began = time.monotonic()
        outcome = call.body(session, self._retried)(_goes_on)
        if outcome.lost:
            raise DatabaseUnavailable(f"a client of the crowd lost its connection: {outcome.message}")
        return CrowdCall(
            number,
            transaction.name,
            arguments,
            began - self._started,
            time.monotonic() - self._started,
            outcome.ending,
            tuple(code for code in (*outcome.retried, outcome.code) if code),
        )


def _goes_on(point: object) -> None:
    """At a switch point of a crowd nobody waits."""
