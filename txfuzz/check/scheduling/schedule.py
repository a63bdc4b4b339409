"""Following a schedule: one actor at a time goes on to its next point, and the schedule says which.

Before every statement, BEGIN and COMMIT an actor comes to a switch point and stops. A statement that waits
for a lock inside the database would stop the whole schedule, so the database is asked who waits for whom: an
actor that is known to wait is left waiting, the others go on, and once somebody could have let it go it is
looked at again. That is what makes a schedule mean the same each time it is followed. Code can wait outside
of the database, too: for a lock of its own, for a connection of a pool. Then it stands still, and is left
waiting as well. Where the time is up and somebody else's transaction is open, the statement that has not
returned may wait for that one in a way that the database does not tell: once, it is taken to wait.

How actors run is up to them: in threads (threads.py), or as requests to sessions that answer later
(sessions.py). What a schedule means is the same, since it is said here.

The schedules themselves are explored without a model of the code (stateless search, Godefroid 1997): what
could have gone on at each point is known only after a run, and makes the next schedules.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Protocol

from txfuzz.check.scheduling.trace import Decision, Ended, Point, Trace
from txfuzz.database.scenario import Accesses

_FIRST_LOOK = 200e-6  # seconds before the database is asked who waits
_LONGEST_LOOK = 5e-3
_STANDSTILL = 0.2  # seconds at the same place after which code waits for something
_LET_GO = 0.02  # seconds in which code that waits has gone on, once it can
_ALL = 1_000_000  # steps
_ENDING = 2.0  # seconds for actors that are broken off


class State(Enum):
    """NEW: not begun. READY: at a switch point. RUNNING: between two. WAITING: for a lock. ENDED: there is
    no more to do."""

    NEW = "new"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    ENDED = "ended"


class Abandoned(BaseException):
    """How an actor ends whose schedule is over; where it is code, that should not catch it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An actor is at its next point, or has ended."""

    actor: str
    at: Point | Ended


class Actors(Protocol):
    """Those who follow a schedule, by their names. Only arrived() waits, and raises nothing of theirs."""

    def begin(self, name: str) -> None:
        """Run it up to its first point."""

    def go_on(self, name: str, alone: int) -> None:
        """From its point to the next one. alone: it takes so many steps, this one included, before anybody
        else takes one, and nobody is there for whom it could wait: it may begin with all of them."""

    def arrived(self, seconds: float) -> Arrival | None:
        """Somebody who has got there; None where nobody has in this time."""

    def cancel(self, name: str) -> None:
        """Make the statement that it is in return soon, and let it end at its next point."""

    def abandon(self, name: str) -> None:
        """Let one that is at a point end there."""

    def close(self, *, stuck: bool) -> None:
        """No more is asked of them. stuck: some may never end."""

    def where(self, name: str) -> str:
        """The line of its code that it is at; empty where there is none to tell."""

    def stands(self, name: str) -> Any:
        """Where its code stands, equal as long as it does; None inside the database, or unknown."""


# Of the actors named, those that wait for a lock → for which of the others
Waits = Callable[[Sequence[str]], Mapping[str, frozenset[str]]]
# What this actor has read and changed since it was let go on
Asks = Callable[[str], Accesses | None]


def tells_nothing(actor: str) -> Accesses | None:
    return None


def follow_schedule(
    actors: Actors,
    names: Sequence[str],
    schedule: Sequence[str],
    waits: Waits,
    *,
    seconds: float,
    accesses: Asks = tells_nothing,
    after: Mapping[str, str] | None = None,
) -> Trace:
    """Run these actors by the schedule, and where it ends, each to its own end, the last one first.

    An entry of an actor that waits or has ended is passed over. waits, accesses: ask the database. seconds:
    of all of it, after which it is broken off. after: actor → the one that has to have ended before it goes
    on, because they share a session.
    """
    return _Run(actors, names, waits, accesses, seconds, after or {}).follow(schedule)


@dataclass
class _Actor:
    name: str
    state: State = State.NEW
    point: Point | None = None
    ended: Ended | None = None
    under_way: bool = False  # has taken a step
    stands: Any = None
    since: float = 0.0  # when it came there
    untold: bool = False  # it is taken to wait, though nobody tells so


class _Run:
    def __init__(
        self,
        actors: Actors,
        names: Sequence[str],
        waits: Waits,
        accesses: Asks,
        seconds: float,
        after: Mapping[str, str],
    ) -> None:
        self._run = actors
        self._actors = {name: _Actor(name) for name in names}
        self._waits, self._accesses, self._after = waits, accesses, after
        self._asks = accesses is not tells_nothing
        self._until, self._seconds = time.monotonic() + seconds, seconds
        self._prolonged = False
        self._steps: list[Decision] = []

    def follow(self, schedule: Sequence[str]) -> Trace:
        stuck = ""
        for name, actor in self._actors.items():
            actor.state = State.RUNNING
            self._run.begin(name)
            if not self._settle():  # up to its first switch point, too, each is alone
                stuck = self._why_stuck()
                break
        wanted = list(reversed(schedule))
        while not stuck and (ready := self._ready()):
            actor = self._next(wanted, ready)
            self._go_on(actor, ready, self._alone(actor, wanted))
            if not self._settle():
                stuck = self._why_stuck()
        if not stuck and any(actor.ended is None for actor in self._actors.values()):
            stuck = self._why_stuck()
        still_open = self._open() if stuck else ()
        if stuck:
            self._abandon()
        self._run.close(stuck=bool(stuck))
        ended = {name: actor.ended for name, actor in self._actors.items() if actor.ended is not None}
        return Trace(tuple(self._steps), ended, stuck, still_open)

    def _ready(self) -> list[_Actor]:
        return [
            actor
            for name, actor in self._actors.items()
            if actor.state is State.READY
            and (name not in self._after or self._actors[self._after[name]].ended is not None)
        ]

    def _next(self, wanted: list[str], ready: list[_Actor]) -> _Actor:
        names = {actor.name: actor for actor in ready}
        while wanted:
            name = wanted.pop()
            if name in names:
                return names[name]
        last = self._steps[-1].chosen.actor if self._steps else ""
        return names.get(last, ready[0])

    def _alone(self, actor: _Actor, wanted: list[str]) -> int:
        others = [each for each in self._actors.values() if each is not actor and each.ended is None]
        if self._asks or any(each.under_way for each in others):
            return 1
        ahead = 1
        for name in reversed(wanted) if others else ():
            if name == actor.name:
                ahead += 1
            elif self._actors[name].ended is None:
                return ahead
        return _ALL

    def _go_on(self, actor: _Actor, ready: list[_Actor], alone: int) -> None:
        assert actor.point is not None
        points = tuple(each.point for each in ready if each.point is not None)
        self._steps.append(Decision(actor.point, points))
        actor.state, actor.stands, actor.under_way = State.RUNNING, None, True
        self._run.go_on(actor.name, alone)

    def _arrived(self, seconds: float) -> _Actor | None:
        arrival = self._run.arrived(seconds)
        if arrival is None:
            return None
        actor = self._actors[arrival.actor]
        if isinstance(arrival.at, Ended):
            actor.ended = arrival.at
        else:
            actor.point = arrival.at
        return actor

    def _step_done(self, let_go: Sequence[str], ended: Sequence[str]) -> None:
        step = self._steps[-1]
        alone = not step.waited and not let_go  # else it did what the others did, too
        told = self._accesses(step.chosen.actor) if alone else None
        if let_go or ended or told is not None:
            # Those that a step has let go run beside each other: who comes first is chance
            together = [tuple(name for name in self._actors if name in names) for names in (let_go, ended)]
            self._steps[-1] = replace(step, let_go=together[0], ended=together[1], accesses=told)

    def _settle(self) -> bool:
        """Until nobody runs: each is at a switch point, has ended, or is known to wait. False: time is up.

        Whoever waited may have been let go by the last step, so those are asked for again.
        """
        let_go, ended = [], []
        unsure = {actor.name for actor in self._actors.values() if actor.state is State.WAITING}
        look = 0.0 if unsure and not self._goes_on() else _FIRST_LOOK
        began = time.monotonic()
        while unsure or self._goes_on():
            actor = self._arrived(look)
            now = time.monotonic()
            if actor is None:
                if now > self._until:
                    if not self._prolong():
                        return False
                    unsure.clear()
                    continue
                unsure = self._look(began)
                look = min(max(2 * look, _FIRST_LOOK), _LONGEST_LOOK)
                continue
            if actor.state is State.WAITING:
                let_go.append(actor.name)
            if actor.ended is not None:
                ended.append(actor.name)
            actor.state = State.READY if actor.ended is None else State.ENDED
            actor.untold = False
            unsure.discard(actor.name)
            unsure |= {each.name for each in self._actors.values() if each.state is State.WAITING}
            # Those that wait still do, unless the step has let go of what they wait for
            look = 0.0 if not ended and not self._goes_on() else _FIRST_LOOK
            began = now
        if self._steps:
            self._step_done(let_go, ended)
        return True

    def _prolong(self) -> bool:
        """Give the others time to let go of whoever runs, once, if there is one who could."""
        if self._prolonged or not self._open():
            return False
        self._prolonged, self._until = True, time.monotonic() + self._seconds
        for actor in self._actors.values():
            if actor.state is State.RUNNING:
                actor.state, actor.untold = State.WAITING, True
                self._found_waiting(actor.name, frozenset())
        return True

    def _open(self) -> tuple[str, ...]:
        """Those at a switch point within their transaction."""
        return tuple(
            actor.name for actor in self._actors.values() if actor.state is State.READY and actor.under_way
        )

    def _goes_on(self) -> bool:
        """Is somebody running, or is it all that is left that code waits for something, a sleep perhaps?"""
        ready = False
        for actor in self._actors.values():
            if actor.state is State.RUNNING:
                return True
            ready = ready or actor.state is State.READY
        return not ready and any(
            actor.stands is not None and actor.ended is None for actor in self._actors.values()
        )

    def _look(self, began: float) -> set[str]:
        """Ask who waits; those that had to, but no longer do or cannot be told. began: when somebody has
        last gone on."""
        under_way = [
            actor for actor in self._actors.values() if actor.state in (State.RUNNING, State.WAITING)
        ]
        others = sum(actor.under_way and actor.ended is None for actor in self._actors.values()) > 1
        found = self._waits([actor.name for actor in under_way]) if others else {}
        if in_a_circle(found):
            found = {}  # the database is about to choose a victim
        still = {
            actor.name
            for actor in under_way
            if self._stands_still(actor, began) or (actor.untold and time.monotonic() - began >= _LET_GO)
        }
        for actor in under_way:
            if (actor.name in found or actor.name in still) and actor.state is State.RUNNING:
                actor.state = State.WAITING
                self._found_waiting(
                    actor.name, self._holders(actor.name) if actor.name in found else frozenset()
                )
        waiting = {actor.name for actor in under_way if actor.state is State.WAITING}
        return waiting - found.keys() - still

    def _holders(self, name: str) -> frozenset[str]:
        """For whom this one waits: those at a switch point, too. They are named in this question alone, since
        the database takes time for each that it is asked about."""
        begun = [each.name for each in self._actors.values() if each.under_way and each.ended is None]
        return self._waits(begun).get(name, frozenset())

    def _stands_still(self, actor: _Actor, began: float) -> bool:
        stands, now = self._run.stands(actor.name), time.monotonic()
        if stands is None or stands != actor.stands:
            actor.stands, actor.since = stands, now
        return stands is not None and now - actor.since >= _STANDSTILL and now - began >= _LET_GO

    def _found_waiting(self, name: str, others: frozenset[str]) -> None:
        for number in range(len(self._steps) - 1, -1, -1):
            step = self._steps[number]
            if step.chosen.actor == name:
                self._steps[number] = replace(step, waited=True, waited_for=tuple(sorted(others)))
                return

    def _left(self) -> list[_Actor]:
        return [each for each in self._actors.values() if each.ended is None and each.state is not State.NEW]

    def _why_stuck(self) -> str:
        doing = ", ".join(
            f"{actor.name} was at {place}, after {actor.point.what if actor.point else 'its start'}"
            if actor.state is not State.READY and (place := self._run.where(actor.name))
            else f"{actor.name} was at {actor.point.what if actor.point else 'its start'}"
            for actor in self._left()
        )
        return f"it did not end within {self._seconds:g} s: {doing}"

    def _abandon(self) -> None:
        """End all that can be ended: at its switch point, or in a statement that is cancelled."""
        until = time.monotonic() + _ENDING
        while left := self._left():
            for actor in left:
                if actor.state is State.READY:
                    actor.state = State.RUNNING
                    self._run.abandon(actor.name)
                else:
                    self._run.cancel(actor.name)
            arrived = self._arrived(0.05)
            if arrived is not None:
                arrived.state = State.READY if arrived.ended is None else State.ENDED
            elif time.monotonic() > until:
                return  # what does not come back is left behind


def in_a_circle(waits: Mapping[str, frozenset[str]]) -> bool:
    """Does somebody wait for himself, by way of others?"""
    left = {name: others & waits.keys() for name, others in waits.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    return bool(left)
