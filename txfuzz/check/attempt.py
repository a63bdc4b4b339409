"""Calls run once, from the rows of the setup: by a schedule, or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from txfuzz.check.contract import Call, RunsCode
from txfuzz.check.scheduling.schedule import Actors, follow_schedule
from txfuzz.check.scheduling.sessions import SessionActors
from txfuzz.check.scheduling.threads import Body, ThreadActors, run_in_series
from txfuzz.check.scheduling.trace import Ended, Trace
from txfuzz.check.serial.outcome import CallOutcome, ProgramOutcome
from txfuzz.check.transaction import SqlCall
from txfuzz.common.closeable import Closeable
from txfuzz.database.scenario import Accesses, AnswersLater, ScenarioSession, ScenarioTables, SeesAccesses

# Gives actors for the calls of these labels
MakesActors = Callable[[Iterable[str]], Actors]


class Attempts(Closeable):
    """Keeps the sessions from one attempt to the next. seconds: of one schedule. threads: also where
    sessions can do without."""

    def __init__(self, tables: ScenarioTables, seconds: float, *, threads: bool = False) -> None:
        self._tables, self._seconds, self._threads = tables, seconds, threads
        self._sessions: list[ScenarioSession] = []
        self._later: list[AnswersLater] = []  # the same, as far as they can

    def close(self) -> None:
        for session in self._sessions:
            session.close()
        self._sessions, self._later = [], []

    def follow(
        self, calls: Sequence[Call], schedule: Sequence[str], *, asks: bool = False, together: bool = True
    ) -> tuple[Trace, ProgramOutcome]:
        """asks: the tables, what each step has read and changed. together: see SessionActors."""
        sessions = self._ready(calls)
        actors = self._makes_actors(calls, sessions, together=together)(sessions)
        self._tables.reset()
        trace = self._trace(actors, sessions, tuple(sessions), schedule, asks=asks)
        outcome = self._outcome(calls, trace.ended, trace.stuck)
        if trace.stuck and isinstance(actors, SessionActors) and together:
            # Of steps that were sent together none is answered before all are, so it has stopped too early
            again = self.follow(calls, schedule, asks=asks, together=False)
            return again if again[0].stuck else (trace, outcome)
        return trace, outcome

    def serially(self, calls: Sequence[Call], reset: Callable[[], None]) -> tuple[str, ProgramOutcome]:
        """Each begins when the one before has ended. And why that could not be done, empty if it could."""
        sessions = self._ready(calls)
        if not self._answer_later and all(isinstance(each, SqlCall) for each in calls):
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

    def _ready(self, calls: Sequence[Call]) -> dict[str, ScenarioSession]:
        while len(self._sessions) < len(calls):
            session = self._tables.session()
            self._sessions.append(session)
            if isinstance(session, AnswersLater) and not self._threads:
                self._later.append(session)
        return {each.label: session for each, session in zip(calls, self._sessions, strict=False)}

    def _makes_actors(
        self, calls: Sequence[Call], sessions: Mapping[str, ScenarioSession], *, together: bool = True
    ) -> MakesActors:
        """SQL runs without threads where the sessions can answer later, all else in threads."""
        retried = self._tables.retried
        statements = {each.label: each for each in calls if isinstance(each, SqlCall)}
        if len(statements) == len(calls) and self._answer_later:
            later = dict(zip(sessions, self._later, strict=False))
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

    @property
    def _answer_later(self) -> bool:
        return len(self._later) == len(self._sessions)

    def _trace(
        self,
        actors: Actors,
        sessions: Mapping[str, ScenarioSession],
        labels: Sequence[str],
        schedule: Sequence[str],
        *,
        asks: bool = False,
    ) -> Trace:
        tables = self._tables

        def waits(labels: Sequence[str]) -> Mapping[str, frozenset[str]]:
            found = tables.waiting([sessions[label] for label in labels])
            return {labels[at]: frozenset(labels[other] for other in others) for at, others in found.items()}

        seconds = self._seconds
        if not (asks and isinstance(tables, SeesAccesses)):
            return follow_schedule(actors, labels, schedule, waits, seconds=seconds)
        told = tables.accesses

        def accesses(label: str) -> Accesses | None:
            return told(sessions[label])

        return follow_schedule(actors, labels, schedule, waits, seconds=seconds, accesses=accesses)

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
        return ProgramOutcome({each.label: outcomes[each.label] for each in calls}, self._tables.tables())


def _where(session: ScenarioSession) -> str:
    return session.where() if isinstance(session, RunsCode) else ""


def _stands(session: ScenarioSession) -> object:
    return session.stands() if isinstance(session, RunsCode) else None
