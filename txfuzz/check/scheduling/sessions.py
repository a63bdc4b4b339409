"""Actors without threads: each makes requests to a session that answers later, and one thread serves all."""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Generator, Mapping
from typing import Any

from txfuzz.check.scheduling.schedule import Abandoned, Arrival
from txfuzz.check.scheduling.trace import Ended, Point
from txfuzz.database.api import SessionError
from txfuzz.database.scenario import AnswersLater, Begin, Request, StatementAnswer

# Yields what it does next, which is a switch point, and requests to its session, the answers to which it is
# sent; a SessionError is raised in it. Returns what it came to.
Steps = Generator[Any, StatementAnswer | None, Any]


class SessionActors:
    """sessions: one for each actor. together: steps that an actor takes alone may be sent as one message."""

    def __init__(
        self, steps: Mapping[str, Steps], sessions: Mapping[str, AnswersLater], *, together: bool = True
    ) -> None:
        self._steps, self._sessions, self._together = steps, sessions, together
        self._asked: dict[str, AnswersLater] = {}  # that have not answered
        self._by_itself = all(each.fileno() is not None for each in sessions.values())
        self._in_vain = False  # nobody has come, and nothing was asked since
        self._alone = 1
        self._ahead: dict[str, int] = {}  # requests that were sent, and not asked yet
        self._at_hand = False  # an answer may have come with an earlier one
        self._came: deque[Arrival] = deque()

    def begin(self, name: str) -> None:
        self._advance(name)

    def go_on(self, name: str, alone: int) -> None:
        self._alone = alone if self._together else 1
        self._advance(name)

    def _advance(
        self, name: str, answer: StatementAnswer | None = None, error: SessionError | None = None
    ) -> None:
        """Up to its next request, its next point or its end."""
        steps, session = self._steps[name], self._sessions[name]
        if error is not None:
            self._ahead[name] = 0  # what was sent behind it is asked anew
        while True:
            try:
                made = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration as returned:
                self._came.append(Arrival(name, Ended(value=returned.value)))
                return
            except Exception as raised:
                self._came.append(Arrival(name, Ended(error=raised)))
                return
            if not isinstance(made, Request):
                self._came.append(Arrival(name, Point(name, made)))
                return
            self._in_vain = False
            # BEGIN belongs to the step of the statement behind it
            along = self._alone if isinstance(made, Begin) else self._alone - 1
            ahead = self._ahead.get(name, 0)
            self._at_hand = self._at_hand or ahead > 0
            self._ahead[name] = ahead - 1 if ahead else min(along, len(made.then))
            try:
                session.ask(made, along)
            except SessionError as refused:
                error = refused
            else:
                self._asked[name] = session
                return

    def arrived(self, seconds: float) -> Arrival | None:
        until = time.monotonic() + seconds
        if self._by_itself:
            self._look_at_hand()
        else:
            self._look_at_all()
        if not self._by_itself and not self._came:
            if self._in_vain:
                time.sleep(seconds)
            self._in_vain = True
            return None
        while not self._came:
            left = until - time.monotonic()
            if left > 0:
                select.select(
                    [at for each in self._asked.values() if (at := each.fileno()) is not None], (), (), left
                )
            self._look_at_all()
            self._look_at_hand()
            if left <= 0:
                break
        return self._came.popleft() if self._came else None

    def _look_at_hand(self) -> None:
        """What has come with an earlier answer, and would not make select() return."""
        while self._at_hand and not self._came:
            self._at_hand = False
            self._look_at_all()

    def _look_at_all(self) -> None:
        for name, session in list(self._asked.items()):
            self._look(name, session)

    def _look(self, name: str, session: AnswersLater) -> None:
        answer = error = None
        try:
            answer = session.answered()
        except SessionError as raised:
            error = raised
        if answer is not None or error is not None:
            del self._asked[name]
            self._advance(name, answer, error)

    def cancel(self, name: str) -> None:
        self._sessions[name].cancel()

    def abandon(self, name: str) -> None:
        self._steps[name].close()
        self._came.append(Arrival(name, Ended(error=Abandoned())))

    def close(self, *, stuck: bool) -> None:
        for each in self._steps.values():
            each.close()

    def where(self, name: str) -> str:
        return ""

    def stands(self, name: str) -> Any:
        return None
