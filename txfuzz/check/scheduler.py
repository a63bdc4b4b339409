"""The scheduler: threads that run one at a time, and a schedule that says who goes on at each point.

Each actor is a thread that runs code of its own: the statements of a scenario, or somebody's application.
Before every statement, BEGIN and COMMIT it comes to a switch point and stops; the scheduler lets one actor
at a time go on to its next point. A statement that waits for a lock inside the database would stop the
whole schedule, so the database is asked who waits for whom: an actor that is known to wait is left
waiting, the others go on, and once nobody else could have let it go it is looked at again. That is what
makes a schedule mean the same each time it is followed. Code can wait outside of the database, too: for a
lock of its own, for a connection of a pool. Then it stands still, and is left waiting as well.

The schedules themselves are explored without a model of the code (stateless search, Godefroid 1997): what
could have gone on at each point is known only after a run, and makes the next schedules.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from txfuzz.common.mailbox import Mailbox
from txfuzz.database.scenario import Accesses

_FIRST_LOOK = 200e-6  # seconds before the database is asked who waits
_LONGEST_LOOK = 5e-3
_STANDSTILL = 0.2  # seconds at the same place after which code waits for something
_LET_GO = 0.02  # seconds in which code that waits has gone on, once it can


class State(Enum):
    """NEW: not begun. READY: at a switch point. RUNNING: between two. WAITING: for a lock. ENDED: its code
    has returned."""

    NEW = "new"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    ENDED = "ended"


class Abandoned(BaseException):
    """Raised at a switch point in a thread whose schedule is over; code under test should not catch it."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where an actor has stopped: what it will do next, as data that its body chooses."""

    actor: str
    what: Any


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a schedule. ready: who could have gone on. waited: whether it then had to wait.

    let_go: those that had waited and went on with this step. ended: those whose code returned with it.
    accesses: what the step read and changed; None where that is not known, or not its alone.
    """

    chosen: Point
    ready: tuple[Point, ...]
    waited: bool = False
    waited_for: tuple[str, ...] = ()
    let_go: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    accesses: Accesses | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """value: what the code has returned; error: what it has raised."""

    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Trace:
    """What a run came to. stuck: why it could not be followed to the end, empty where it could."""

    steps: tuple[Decision, ...]
    ended: Mapping[str, Ended]
    stuck: str = ""

    @property
    def schedule(self) -> tuple[str, ...]:
        """The actors in the order in which they went on; following it again gives the same run."""
        return tuple(step.chosen.actor for step in self.steps)


Stop = Callable[[Any], None]
Body = Callable[[Stop], Any]
# Of the actors named, those that wait for a lock → for which of the others
Waits = Callable[[Sequence[str]], Mapping[str, frozenset[str]]]
# Where the code of this actor stands, equal as long as it does; None inside the database, or unknown
Stands = Callable[[str], Any]
# What this actor has read and changed since it was let go on
Asks = Callable[[str], Accesses | None]


@dataclass
class _Actor:
    name: str
    body: Body
    arrivals: Mailbox[_Actor]
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    state: State = State.NEW
    point: Point | None = None
    ended: Ended | None = None
    abandoned: bool = False
    stands: Any = None
    since: float = 0.0  # when it came there

    def run(self) -> None:
        try:
            ended = Ended(value=self.body(self.stop))
        except BaseException as error:
            ended = Ended(error=error)
        self.ended = ended
        self.arrivals.put(self)

    def stop(self, what: Any) -> None:
        """A switch point: called in the actor's thread before it does this."""
        self.point = Point(self.name, what)
        self.arrivals.put(self)
        self.go.acquire()
        self.stands = None
        if self.abandoned:
            raise Abandoned


def run_schedule(
    bodies: Mapping[str, Body],
    schedule: Sequence[str],
    waits: Waits,
    *,
    seconds: float,
    cancel: Callable[[str], None] = lambda actor: None,
    where: Callable[[str], str] = lambda actor: "",
    stands: Stands = lambda actor: None,
    accesses: Asks = lambda actor: None,
    after: Mapping[str, str] | None = None,
) -> Trace:
    """Run these actors by the schedule, and where it ends, each to its own end, the last one first.

    An entry of an actor that waits or has ended is passed over. waits: asks the database. seconds: of all
    of it, after which it is broken off. cancel: makes a statement of this actor's return soon. where: the
    line of its code that an actor is at, empty where there is none to tell. stands: asked to see code that
    waits for something else than the database. accesses: asks the database, too. after: actor → the one that
    has to have ended before it goes on, because they share a session.
    """
    run = _Run(bodies, waits, accesses, time.monotonic() + seconds, seconds, where, stands, after or {})
    return run.follow(schedule, cancel)


def run_in_series(
    bodies: Mapping[str, Body], *, seconds: float, cancel: Callable[[str], None] = lambda actor: None
) -> Trace:
    """Run these actors one after the other, each to its end, in the thread that calls: quicker than threads
    where nobody has to be stopped. cancel: called from another thread."""
    running = ""
    late = threading.Event()

    def stop_it() -> None:
        late.set()
        cancel(running)

    steps: list[Decision] = []
    ended: dict[str, Ended] = {}
    watch = threading.Timer(seconds, stop_it)
    watch.daemon = True
    watch.start()
    try:
        for name, body in bodies.items():
            if late.is_set():
                break
            running = name

            def stop(what: Any, name: str = name) -> None:
                point = Point(name, what)
                steps.append(Decision(point, (point,)))

            try:
                ended[name] = Ended(value=body(stop))
            except Exception as error:
                ended[name] = Ended(error=error)
    finally:
        watch.cancel()
    at = str(steps[-1].chosen.what) if steps else "its start"
    stuck = f"it did not end within {seconds:g} s: {running} was at {at}" if late.is_set() else ""
    return Trace(tuple(steps), ended, stuck)


class _Run:
    def __init__(
        self,
        bodies: Mapping[str, Body],
        waits: Waits,
        accesses: Asks,
        until: float,
        seconds: float,
        where: Callable[[str], str],
        stands: Stands,
        after: Mapping[str, str],
    ) -> None:
        self._arrivals: Mailbox[_Actor] = Mailbox()
        self._actors = {name: _Actor(name, body, self._arrivals) for name, body in bodies.items()}
        self._waits, self._accesses, self._where, self._stands = waits, accesses, where, stands
        self._until, self._seconds, self._after = until, seconds, after
        self._steps: list[Decision] = []

    def follow(self, schedule: Sequence[str], cancel: Callable[[str], None]) -> Trace:
        threads = []
        stuck = ""
        for name, actor in self._actors.items():
            threads.append(threading.Thread(target=actor.run, name=f"txfuzz {name}", daemon=True))
            actor.state = State.RUNNING
            threads[-1].start()
            if not self._settle():  # up to its first switch point, too, each is alone
                stuck = self._why_stuck()
                break
        wanted = list(reversed(schedule))
        while not stuck and (ready := self._ready()):
            self._go_on(self._next(wanted, ready), ready)
            if not self._settle():
                stuck = self._why_stuck()
        if not stuck and any(actor.ended is None for actor in self._actors.values()):
            stuck = self._why_stuck()
        if stuck:
            self._abandon(cancel)
        for thread in threads:
            thread.join(None if not stuck else 1.0)
        ended = {name: actor.ended for name, actor in self._actors.items() if actor.ended is not None}
        return Trace(tuple(self._steps), ended, stuck)

    def _ready(self) -> list[_Actor]:
        ended = {name for name, actor in self._actors.items() if actor.state is State.ENDED}
        return [
            actor
            for name, actor in self._actors.items()
            if actor.state is State.READY and self._after.get(name, "") in {"", *ended}
        ]

    def _next(self, wanted: list[str], ready: list[_Actor]) -> _Actor:
        names = {actor.name: actor for actor in ready}
        while wanted:
            name = wanted.pop()
            if name in names:
                return names[name]
        last = self._steps[-1].chosen.actor if self._steps else ""
        return names.get(last, ready[0])

    def _go_on(self, actor: _Actor, ready: list[_Actor]) -> None:
        assert actor.point is not None
        points = tuple(each.point for each in ready if each.point is not None)
        self._steps.append(Decision(actor.point, points))
        actor.state = State.RUNNING
        actor.go.release()

    def _step_done(self, let_go: Sequence[str], ended: Sequence[str]) -> None:
        step = self._steps[-1]
        alone = not step.waited and not let_go  # else it did what the others did, too
        self._steps[-1] = replace(
            step,
            let_go=tuple(let_go),
            ended=tuple(ended),
            accesses=self._accesses(step.chosen.actor) if alone else None,
        )

    def _settle(self) -> bool:
        """Until nobody runs: each is at a switch point, has ended, or is known to wait. False: time is up.

        Whoever waited may have been let go by the last step, so those are asked for again.
        """
        let_go, ended = [], []
        unsure = {actor.name for actor in self._actors.values() if actor.state is State.WAITING}
        look = _FIRST_LOOK
        began = time.monotonic()
        while unsure or self._goes_on():
            actor = self._arrivals.get(timeout=look)
            if actor is None:
                if time.monotonic() > self._until:
                    return False
                unsure = self._look(began)
                look = min(2 * look, _LONGEST_LOOK)
                continue
            if actor.state is State.WAITING:
                let_go.append(actor.name)
            if actor.ended is not None:
                ended.append(actor.name)
            actor.state = State.READY if actor.ended is None else State.ENDED
            unsure.discard(actor.name)
            unsure |= {each.name for each in self._actors.values() if each.state is State.WAITING}
            look, began = _FIRST_LOOK, time.monotonic()
        if self._steps:
            self._step_done(let_go, ended)
        return True

    def _goes_on(self) -> bool:
        """Is somebody running, or is it all that is left that code waits for something, a sleep perhaps?"""
        states = {actor.state for actor in self._actors.values()}
        if State.RUNNING in states or State.READY in states:
            return State.RUNNING in states
        return any(actor.stands is not None and actor.ended is None for actor in self._actors.values())

    def _look(self, began: float) -> set[str]:
        """Ask who waits; those that had to, but no longer do or cannot be told. began: when somebody has
        last gone on."""
        under_way = [
            actor for actor in self._actors.values() if actor.state in (State.RUNNING, State.WAITING)
        ]
        found = self._waits([actor.name for actor in under_way])
        if in_a_circle(found):
            found = {}  # the database is about to choose a victim
        still = {actor.name for actor in under_way if self._stands_still(actor, began)}
        for actor in under_way:
            if (actor.name in found or actor.name in still) and actor.state is State.RUNNING:
                actor.state = State.WAITING
                self._found_waiting(actor.name, found.get(actor.name, frozenset()))
        waiting = {actor.name for actor in under_way if actor.state is State.WAITING}
        return waiting - found.keys() - still

    def _stands_still(self, actor: _Actor, began: float) -> bool:
        stands, now = self._stands(actor.name), time.monotonic()
        if stands is None or stands != actor.stands:
            actor.stands, actor.since = stands, now
        return stands is not None and now - actor.since >= _STANDSTILL and now - began >= _LET_GO

    def _found_waiting(self, name: str, others: frozenset[str]) -> None:
        for number in range(len(self._steps) - 1, -1, -1):
            step = self._steps[number]
            if step.chosen.actor == name:
                self._steps[number] = replace(step, waited=True, waited_for=tuple(sorted(others)))
                return

    def _why_stuck(self) -> str:
        left = [each for each in self._actors.values() if each.ended is None and each.state is not State.NEW]
        doing = ", ".join(
            f"{actor.name} was at {place}, after {actor.point.what if actor.point else 'its start'}"
            if actor.state is not State.READY and (place := self._where(actor.name))
            else f"{actor.name} was at {actor.point.what if actor.point else 'its start'}"
            for actor in left
        )
        return f"it did not end within {self._seconds:g} s: {doing}"

    def _abandon(self, cancel: Callable[[str], None]) -> None:
        """End every thread that can be ended: at its switch point, or in a statement that is cancelled."""
        until = time.monotonic() + 2.0
        while left := [
            each for each in self._actors.values() if each.ended is None and each.state is not State.NEW
        ]:
            for actor in left:
                actor.abandoned = True
                if actor.state is State.READY:
                    actor.state = State.RUNNING
                    actor.go.release()
                else:
                    cancel(actor.name)
            arrived = self._arrivals.get(timeout=0.05)
            if arrived is not None:
                arrived.state = State.READY if arrived.ended is None else State.ENDED
            elif time.monotonic() > until:
                return  # a thread that does not come back is left behind


def in_a_circle(waits: Mapping[str, frozenset[str]]) -> bool:
    """Does somebody wait for himself, by way of others?"""
    left = {name: others & waits.keys() for name, others in waits.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    return bool(left)
