"""Rounds of a race: each transaction run up to where it is held, all let go at their offsets, and ended.

One thread sends to all sessions and waits on their sockets. One of them may be stopped in the middle of what
it was let go with, until the others have answered. A round is four exchanges: what comes before,
the race, what comes after, and in one script the rows that are left and those of the next round.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from txfuzz.database.api import SessionError
from txfuzz.database.scenario import (
    HasProcess,
    Rows,
    ScenarioSession,
    ScenarioTables,
    SendsScripts,
    SentAnswer,
    SentScript,
    StatementAnswer,
)
from txfuzz.errors import UsageError
from txfuzz.hunt.conflicts import reachable
from txfuzz.hunt.form import RowState, filled
from txfuzz.hunt.program import in_sql
from txfuzz.hunt.race.offsets import Timing
from txfuzz.hunt.race.processors import resume, stop
from txfuzz.hunt.race.race import Race

_PATIENCE = 2.0  # seconds for anything that must come to an end
_BEFORE = 0.25  # for what comes before the race, where nobody should have to wait for anybody
_QUIET = 0.004  # after this, who has not answered waits for a lock
_STOPPED = 0.001  # after this, who has not answered waits for the one that is stopped
_AHEAD = 30e-6  # from the decision to the first send
_NO_END = "its transactions do not come to an end"

Answers = tuple[SentAnswer, ...]


class RoundFailed(Exception):
    """The race cannot be run so: its transactions wait for each other before it, or do not come to an end.
    lost: nor can its sessions be used again. stuck: it began, and does not end."""

    def __init__(self, reason: str, *, lost: bool = False, stuck: bool = False) -> None:
        super().__init__(reason)
        self.lost, self.stuck = lost, stuck


@dataclass(frozen=True)
class Round:
    """answers: for each transaction to its statements and COMMIT, as far as they ran. tables: their rows in
    the end, in the order of the names. sent: the transactions in the order in which they were let go."""

    answers: tuple[Answers, ...]
    tables: Answers
    sent: tuple[int, ...]


@dataclass(frozen=True)
class _Scripts:
    """What comes before the race, None where the transaction has not begun; the race; and what comes after,
    None where COMMIT was raced."""

    before: SentScript | None
    held: SentScript
    after: SentScript | None


class RacedSession:
    """A session with what it has been asked and has answered in a round."""

    def __init__(self, session: ScenarioSession) -> None:
        if not isinstance(session, SendsScripts):
            raise UsageError("this database's sessions cannot send without waiting, which a race needs")
        self.session, self._sends = session, session
        self.busy = False
        self.answers: list[SentAnswer] = []

    @property
    def process(self) -> int | None:
        return self.session.process() if isinstance(self.session, HasProcess) else None

    def fileno(self) -> int:
        return self._sends.fileno()

    def script(self, statements: Sequence[str], *, begin: str = "") -> SentScript:
        return self._sends.script(statements, begin=begin)

    def send(self, script: SentScript) -> None:
        self.busy = True
        self._sends.send(script)

    def look(self) -> None:
        came = self._sends.poll()
        if came is not None:
            self.answers += came
            self.busy = False

    def answer(self, sent: SentAnswer) -> StatementAnswer:
        return self._sends.answer(sent)

    @property
    def failed(self) -> bool:
        return bool(self.answers and self.answers[-1].code)


class RoundRunner:
    """Runs rounds of one race at one level. sessions: one for each transaction, and one more for the rows."""

    def __init__(
        self, tables: ScenarioTables, sessions: Sequence[RacedSession], race: Race, level: str
    ) -> None:
        *self._sessions, self._control = sessions
        self._tables = tables
        self._stopped: int | None = None  # the process that is
        self._scripts = [
            _scripts(session, [str(step.sql) for step in transaction.steps], held, level)
            for session, transaction, held in zip(
                self._sessions, in_sql(race.program), race.held, strict=True
            )
        ]
        self._rollback = self._control.script(["ROLLBACK"])
        tables.reset()
        self.names = tuple(tables.tables())
        self._ends = self._control.script(
            [*(f"SELECT * FROM {name}" for name in self.names), *_restore(race, self.names)]
        )
        self._resets = not _restore(race, self.names)

    def so_far(self) -> tuple[Answers, ...]:
        """The answers of a round that has failed."""
        return tuple(tuple(session.answers) for session in self._sessions)

    def restart(self) -> None:
        """After something else has used the tables."""
        self._tables.reset()

    def round(self, timing: Timing) -> Round:
        """Raises RoundFailed, SessionError."""
        sessions = self._sessions
        for session in (*sessions, self._control):
            session.answers.clear()
        try:
            for session, script in zip(sessions, self._scripts, strict=True):
                if script.before is not None:
                    session.send(script.before)
            if not _wait(sessions, _BEFORE):
                raise RoundFailed("before the race, one of its transactions waits for another")
            if any(session.failed for session in sessions):
                raise RoundFailed("before the race, the database refuses a statement")
            order = self._let_go(timing)
            if timing.stopped is None:
                _wait(sessions, _QUIET)
            else:
                _wait([each for at, each in enumerate(sessions) if at != timing.stopped], _STOPPED)
                if not timing.late:
                    self._resume()
                    _wait(sessions, _QUIET)
            self._go_on()
            self._resume()
            return self._end(order)
        except RoundFailed as error:
            self._resume()
            self._give_up(error)
            raise
        finally:
            self._resume()

    def _let_go(self, timing: Timing) -> tuple[int, ...]:
        order = tuple(sorted(range(len(timing.lags)), key=timing.lags.__getitem__))
        events = [(timing.lags[at], at) for at in order]
        stopped = None
        if timing.stopped is not None:
            stopped = self._sessions[timing.stopped].process
            events = sorted([*events, (timing.stop, -1)])
        clock: Callable[[], float] = time.perf_counter
        begin = clock() + _AHEAD
        for lag, at in events:
            due = begin + lag
            while clock() < due:
                pass
            if at >= 0:
                self._sessions[at].send(self._scripts[at].held)
            elif stopped is not None:
                self._stopped = stopped
                stop(stopped)
        return order

    def _resume(self) -> None:
        if self._stopped is not None:
            resume(self._stopped)
            self._stopped = None

    def _go_on(self) -> None:
        """Who has answered goes on to its end, one after the other; who waits, or is stopped, is let go by
        that."""
        left = [at for at, script in enumerate(self._scripts) if script.after is not None]
        until = time.monotonic() + _PATIENCE
        while left:
            ready = next((at for at in left if not self._sessions[at].busy), None)
            if ready is None:
                self._resume()
                if time.monotonic() > until:
                    raise RoundFailed(_NO_END, lost=True, stuck=True)
                _wait_for_one(self._sessions, _QUIET)
                continue
            left.remove(ready)
            session, script = self._sessions[ready], self._scripts[ready].after
            if script is not None and not session.failed:
                session.send(script)
                _wait([session], _QUIET)

    def _end(self, order: tuple[int, ...]) -> Round:
        if not _wait(self._sessions, _PATIENCE):
            raise RoundFailed(_NO_END, lost=True, stuck=True)
        failed = [session for session in self._sessions if session.failed]
        answers = tuple(tuple(session.answers) for session in self._sessions)
        self._roll_back(failed)
        self._control.send(self._ends)
        if not _wait([self._control], _PATIENCE):
            raise RoundFailed("the rows cannot be restored", lost=True)
        if self._control.failed:
            raise RoundFailed(f"the rows cannot be restored: {self._control.answers[-1].message}")
        if self._resets:
            self._tables.reset()
        return Round(answers, tuple(self._control.answers[: len(self.names)]), order)

    def _roll_back(self, sessions: Sequence[RacedSession]) -> None:
        for session in sessions:
            session.send(self._rollback)
        if sessions and not _wait(sessions, _PATIENCE):
            raise RoundFailed("a transaction cannot be rolled back", lost=True)

    def _give_up(self, error: RoundFailed) -> None:
        """Leave no transaction open, or say that the sessions are of no more use."""
        busy = [session for session in self._sessions if session.busy]
        for session in busy:
            session.session.cancel()
        try:
            if _wait(busy, _PATIENCE):
                self._roll_back(self._sessions)
                self._tables.reset()
                return
        except (RoundFailed, SessionError):
            pass
        error.lost = True

    def rows(self, sent: SentAnswer) -> Rows:
        found = self._control.answer(sent).rows
        assert found is not None
        return found

    def answer(self, at: int, sent: SentAnswer) -> StatementAnswer:
        """Of the transaction of this number."""
        return self._sessions[at].answer(sent)


def _scripts(session: RacedSession, statements: Sequence[str], held: int, level: str) -> _Scripts:
    steps = [*statements, "COMMIT"]
    before, now, after = steps[:held], steps[held], steps[held + 1 :]
    return _Scripts(
        session.script(before, begin=level) if before else None,
        session.script([now], begin="" if before else level),
        session.script(after) if after else None,
    )


def _restore(race: Race, names: Sequence[str]) -> list[str]:
    """What restores the rows; nothing where only the tables themselves know how, because there are others
    than those of the keys."""
    program = race.program
    places = program.layout.places(len(program.states))
    tables = list(dict.fromkeys(place.table for place in places))
    if set(names) != set(tables):
        return []
    stays = all(states == {RowState.PRESENT} for states in reachable(program))
    if stays:
        return [f"UPDATE {place.table} SET v = 0 WHERE k = {place.number}" for place in places]
    emptied = "TRUNCATE TABLE" if race.fresh else "DELETE FROM"
    return [
        *(f"{emptied} {table}" for table in tables),
        *(
            filled(program.layout.row, {"table": place.table, "key": place.number, "value": 0})
            for place, state in zip(places, program.states, strict=True)
            if state is RowState.PRESENT
        ),
    ]


def _wait(sessions: Sequence[RacedSession], seconds: float) -> bool:
    """Until all have answered; False if they have not in this time."""
    until = time.monotonic() + seconds
    while True:
        busy = [session for session in sessions if session.busy]
        for session in busy:
            session.look()
        busy = [session for session in busy if session.busy]
        if not busy:
            return True
        left = until - time.monotonic()
        if left <= 0:
            return False
        select.select(busy, (), (), left)


def _wait_for_one(sessions: Sequence[RacedSession], seconds: float) -> None:
    busy = [session for session in sessions if session.busy]
    select.select(busy, (), (), seconds)
    for session in busy:
        session.look()
