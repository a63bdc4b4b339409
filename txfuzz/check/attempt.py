"""Calls run once, from the rows of the setup: by a schedule, or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from txfuzz.check.contract import Call, RunsCode
from txfuzz.check.scheduling.schedule import Actors, follow_schedule, tells_nothing
from txfuzz.check.scheduling.sessions import SessionActors
from txfuzz.check.scheduling.threads import Body, ThreadActors, run_in_series
from txfuzz.check.scheduling.trace import Ended, Trace
from txfuzz.check.serial.outcome import CallOutcome, ProgramOutcome
from txfuzz.check.transaction import SqlCall
from txfuzz.common.closeable import Closeable
from txfuzz.database.api import SessionError
from txfuzz.database.scenario import Accesses, AnswersLater, ScenarioSession, ScenarioTables, SeesAccesses
from txfuzz.errors import DatabaseUnavailable

# Gives actors for the calls of these labels
MakesActors = Callable[[Iterable[str]], Actors]


class Attempts(Closeable):
    """Keeps the sessions from one attempt to the next. seconds: of one schedule. threads: also where
    sessions can do without."""

    def __init__(self, tables: ScenarioTables, seconds: float, *, threads: bool = False) -> None:
        self._tables, self._seconds, self._threads = tables, seconds, threads
        self._sessions: list[ScenarioSession] = []
        self._later: dict[ScenarioSession, AnswersLater] = {}  # those of them that can

    def close(self) -> None:
        for session in self._sessions:
            session.close()
        self._sessions, self._later = [], {}

    def follow(
        self,
        calls: Sequence[Call],
        schedule: Sequence[str],
        *,
        asks: bool = False,
        session_of: Mapping[str, int] | None = None,
        together: bool = True,
    ) -> tuple[Trace, ProgramOutcome]:
        """asks: the tables, what each step has read and changed. session_of: label → the number of its
        session, which runs one call after the other; None: each has its own. together: see SessionActors."""
        sessions = self._ready(calls, session_of)
        actors = self._makes_actors(calls, sessions, together=together)(sessions)
        self._tables.reset()
        after = _after(calls, session_of)
        trace = self._trace(actors, sessions, tuple(sessions), schedule, asks=asks, after=after)
        outcome = self._outcome(calls, trace.ended, trace.stuck)
        if trace.stuck and isinstance(actors, SessionActors) and together:
            # Of steps that were sent together none is answered before all are, so it has stopped too early
            again = self.follow(calls, schedule, asks=asks, session_of=session_of, together=False)
            return again if again[0].stuck else (trace, outcome)
        return trace, outcome

    def serially(
        self,
        calls: Sequence[Call],
        reset: Callable[[], None],
        session_of: Mapping[str, int] | None = None,
    ) -> tuple[str, ProgramOutcome]:
        """Each begins when the one before has ended. And why that could not be done, empty if it could."""
        sessions = self._ready(calls, session_of)
        if not self._answer_later(sessions) and all(isinstance(each, SqlCall) for each in calls):
            bodies = self._bodies(calls, sessions)
            reset()
            trace = run_in_series(
                bodies, seconds=self._seconds, cancel=lambda label: sessions[label].cancel()
            )
            return trace.stuck, self._outcome(calls, trace.ended, trace.stuck)
        makes_actors = self._makes_actors(calls, sessions)
        reset()
        ended: dict[str, Ended] = {}
        stuck = ""
        for label in sessions:
            if not stuck:
                trace = self._trace(makes_actors((label,)), sessions, (label,), ())
                ended |= trace.ended
                stuck = trace.stuck
        return stuck, self._outcome(calls, ended, stuck)

    def _ready(
        self, calls: Sequence[Call], session_of: Mapping[str, int] | None
    ) -> dict[str, ScenarioSession]:
        numbers = [at if session_of is None else session_of[each.label] for at, each in enumerate(calls)]
        while len(self._sessions) <= max(numbers, default=-1):
            session = self._tables.session()
            self._sessions.append(session)
            if isinstance(session, AnswersLater) and not self._threads:
                self._later[session] = session
        return {each.label: self._sessions[at] for each, at in zip(calls, numbers, strict=True)}

    def _makes_actors(
        self, calls: Sequence[Call], sessions: Mapping[str, ScenarioSession], *, together: bool = True
    ) -> MakesActors:
        """SQL runs without threads where the sessions can answer later, all else in threads."""
        retried = self._tables.retried
        statements = {each.label: each for each in calls if isinstance(each, SqlCall)}
        later = self._answer_later(sessions)
        if len(statements) == len(calls) and later:
            return lambda labels: SessionActors(
                {label: statements[label].steps(retried) for label in labels}, later, together=together
            )
        bodies = self._bodies(calls, sessions)
        return lambda labels: ThreadActors(
            {label: bodies[label] for label in labels},
            cancel=lambda label: sessions[label].cancel(),
            where=lambda label: _where(sessions[label]),
            stands=lambda label: _stands(sessions[label]),
        )

    def _bodies(self, calls: Sequence[Call], sessions: Mapping[str, ScenarioSession]) -> dict[str, Body]:
        """Making one can run it, and reset the tables."""
        return {each.label: each.body(sessions[each.label], self._tables.retried) for each in calls}

    def _answer_later(self, sessions: Mapping[str, ScenarioSession]) -> Mapping[str, AnswersLater]:
        """The same sessions, if all of them can; else none."""
        later = self._later
        able = {label: later[each] for label, each in sessions.items() if each in later}
        return able if len(able) == len(sessions) else {}

    def _trace(
        self,
        actors: Actors,
        sessions: Mapping[str, ScenarioSession],
        labels: Sequence[str],
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

        told = tables.accesses if asks and isinstance(tables, SeesAccesses) else None

        def accesses(label: str) -> Accesses | None:
            return told(sessions[label]) if told is not None else None

        trace = follow_schedule(
            actors,
            labels,
            schedule,
            waits,
            seconds=self._seconds,
            accesses=accesses if told is not None else tells_nothing,
            after=after,
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
