"""Calls run once, from the rows of the setup: by a schedule, or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from txfuzz.check.contract import Call, RunsCode
from txfuzz.check.scheduler import Body, Ended, Trace, run_in_series, run_schedule
from txfuzz.check.serial.outcome import CallOutcome, ProgramOutcome
from txfuzz.check.transaction import SqlCall
from txfuzz.common.closeable import Closeable
from txfuzz.database.api import SessionError
from txfuzz.database.scenario import Accesses, ScenarioSession, ScenarioTables, SeesAccesses
from txfuzz.errors import DatabaseUnavailable


class Attempts(Closeable):
    """Keeps the sessions from one attempt to the next. seconds: of one schedule."""

    def __init__(self, tables: ScenarioTables, seconds: float) -> None:
        self._tables, self._seconds = tables, seconds
        self._sessions: list[ScenarioSession] = []

    def close(self) -> None:
        for session in self._sessions:
            session.close()
        self._sessions = []

    def follow(
        self,
        calls: Sequence[Call],
        schedule: Sequence[str],
        *,
        asks: bool = False,
        session_of: Mapping[str, int] | None = None,
    ) -> tuple[Trace, ProgramOutcome]:
        """asks: the tables, what each step has read and changed. session_of: label → the number of its
        session, which runs one call after the other; None: each has its own."""
        sessions, bodies = self._ready(calls, session_of)
        self._tables.reset()
        trace = self._trace(bodies, sessions, schedule, asks=asks, after=_after(calls, session_of))
        return trace, self._outcome(calls, trace.ended, trace.stuck)

    def serially(
        self,
        calls: Sequence[Call],
        reset: Callable[[], None],
        session_of: Mapping[str, int] | None = None,
    ) -> tuple[str, ProgramOutcome]:
        """Each begins when the one before has ended. And why that could not be done, empty if it could."""
        sessions, bodies = self._ready(calls, session_of)
        reset()
        if all(isinstance(each, SqlCall) for each in calls):  # other code has threads of its own
            trace = run_in_series(
                bodies, seconds=self._seconds, cancel=lambda label: sessions[label].cancel()
            )
            return trace.stuck, self._outcome(calls, trace.ended, trace.stuck)
        ended: dict[str, Ended] = {}
        stuck = ""
        for label, body in bodies.items():
            if not stuck:
                trace = self._trace({label: body}, sessions, ())
                ended |= trace.ended
                stuck = trace.stuck
        return stuck, self._outcome(calls, ended, stuck)

    def _ready(
        self, calls: Sequence[Call], session_of: Mapping[str, int] | None
    ) -> tuple[dict[str, ScenarioSession], dict[str, Body]]:
        """Making a body can run it once, and reset the tables."""
        numbers = [at if session_of is None else session_of[each.label] for at, each in enumerate(calls)]
        while len(self._sessions) <= max(numbers, default=-1):
            self._sessions.append(self._tables.session())
        sessions = {each.label: self._sessions[at] for each, at in zip(calls, numbers, strict=True)}
        retried = self._tables.retried
        return sessions, {each.label: each.body(sessions[each.label], retried) for each in calls}

    def _trace(
        self,
        bodies: Mapping[str, Body],
        sessions: Mapping[str, ScenarioSession],
        schedule: Sequence[str],
        *,
        asks: bool = False,
        after: Mapping[str, str] | None = None,
    ) -> Trace:
        tables = self._tables
        unseen: list[DatabaseUnavailable] = []

        def waits(labels: Sequence[str]) -> Mapping[str, frozenset[str]]:
            try:
                found = tables.waiting([sessions[label] for label in labels])
            except DatabaseUnavailable as error:  # where the server is lost, the sessions tell of it, too
                unseen.append(error)
                return {}
            return {labels[at]: frozenset(labels[other] for other in others) for at, others in found.items()}

        def accesses(label: str) -> Accesses | None:
            return tables.accesses(sessions[label]) if asks and isinstance(tables, SeesAccesses) else None

        trace = run_schedule(
            bodies,
            schedule,
            waits,
            seconds=self._seconds,
            cancel=lambda label: sessions[label].cancel(),
            where=lambda label: _where(sessions[label]),
            stands=lambda label: _stands(sessions[label]),
            accesses=accesses,
            after=after or {},
        )
        if unseen and not any(_lost(each) for each in trace.ended.values()):
            raise unseen[0]
        return trace

    def _outcome(self, calls: Sequence[Call], ended: Mapping[str, Ended], stuck: str) -> ProgramOutcome:
        outcomes = {}
        for label, each in ended.items():
            if isinstance(each.value, CallOutcome):
                outcomes[label] = each.value
            elif not stuck and each.error is not None:
                raise each.error
        if stuck or any(each.lost for each in outcomes.values()):
            self.close()  # what was cancelled, lost or left behind is not used again
        if stuck:
            return ProgramOutcome(outcomes)
        ended_so = {each.label: outcomes[each.label] for each in calls}
        try:
            return ProgramOutcome(ended_so, self._tables.tables())
        except SessionError as error:
            if error.lost and any(each.lost for each in outcomes.values()):
                return ProgramOutcome(ended_so)  # the server itself is lost, and cannot be asked
            raise


def _lost(ended: Ended) -> bool:
    return isinstance(ended.value, CallOutcome) and ended.value.lost


def _after(calls: Sequence[Call], session_of: Mapping[str, int] | None) -> dict[str, str]:
    """Of the calls of one session each but the first → the one before it."""
    last: dict[int, str] = {}
    found = {}
    for each in calls if session_of is not None else ():
        assert session_of is not None
        session = session_of[each.label]
        if session in last:
            found[each.label] = last[session]
        last[session] = each.label
    return found


def _where(session: ScenarioSession) -> str:
    return session.where() if isinstance(session, RunsCode) else ""


def _stands(session: ScenarioSession) -> object:
    return session.stands() if isinstance(session, RunsCode) else None
