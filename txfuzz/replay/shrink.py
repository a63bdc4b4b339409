"""Shrinks a replay while the same anomaly recurs.

Every candidate runs on the live database and is kept only if an anomaly with the same signature recurs in
all of its attempts (delta debugging, Zeller and Hildebrandt 2002, removing one thing at a time). Smaller
means, in this order: fewer transactions, steps and keys, no locks, fewer switches between sessions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, islice, pairwise

from txfuzz.analysis.result import Anomaly
from txfuzz.replay.judge import Judge
from txfuzz.replay.reductions import is_needed, literal, rekeyed, without_lock, without_step
from txfuzz.replay.replayer import Replayer, origins_of
from txfuzz.replay.schedule.focus_key import with_focus_key
from txfuzz.replay.schedule.interleavings import Interleavings
from txfuzz.replay.schedule.mvcc_model import Event
from txfuzz.replay.schedule.pinned_keys import step_keys
from txfuzz.replay.schedule.replay_workload import Aim, Role, compose, order_of, roles_of
from txfuzz.replay.signature import Signature
from txfuzz.replay.stepper.attempt import Attempt
from txfuzz.workload.model import Workload

_ORDERS = 3000  # orders to search for a simpler one
_ORDERS_TRIED = 60


@dataclass(frozen=True)
class Shape:
    """Transactions and the order of their steps."""

    roles: tuple[Role, ...]
    order: tuple[Event, ...]

    @property
    def size(self) -> tuple[int, int, int, int, int]:
        """Transactions, steps, keys, locks, switches."""
        steps = [step for role in self.roles for step in role.transaction.steps]
        keys = {key for role in self.roles for own in step_keys(role.transaction) for key in own}
        switches = sum(one[0] != two[0] for one, two in pairwise(self.order))
        return len(self.roles), len(steps), len(keys), sum(step.lock is not None for step in steps), switches

    def __str__(self) -> str:
        transactions, steps, keys, _, switches = self.size
        return (
            ", ".join(
                f"{count} {word}" + "s" * (count != 1)
                for count, word in ((transactions, "transaction"), (steps, "step"), (keys, "key"))
            )
            + f", {switches} switch"
            + "es" * (switches != 1)
        )


@dataclass(frozen=True)
class Shrunk:
    """workload: with the shrunk replay. before, after: its shapes. attempt, anomaly: one run of it, and the
    anomaly in that. tried: number of candidates; runs: number of attempts. cut: the budget ran out before
    the replay was minimal."""

    signature: Signature
    workload: Workload
    before: Shape
    after: Shape
    attempt: Attempt
    anomaly: Anomaly
    attempts: int
    tried: int
    runs: int
    seconds: float
    cut: bool


class OutOfTime(Exception):
    """The budget ran out, or shrinking was interrupted, before the anomaly recurred."""


def shrink(
    replayer: Replayer,
    workload: Workload,
    signature: Signature,
    expect: str,
    *,
    attempts: int = 5,
    seconds: float = 60.0,
    progress: Callable[[str], None] = lambda line: None,
) -> Shrunk | None:
    """The smallest replay that shows an anomaly with this signature in each of this many attempts; None if
    the given one does not. seconds: the budget. Raises OutOfTime."""
    assert workload.replay is not None
    judge = Judge(expect, replayer.isolation, origins_of(workload.replay))
    until = time.monotonic() + seconds
    return _Shrinker(replayer, workload, signature, judge, attempts, until, progress).shrunk()


@dataclass
class _Shrinker:
    replayer: Replayer
    workload: Workload
    signature: Signature
    judge: Judge
    attempts: int
    until: float
    progress: Callable[[str], None]
    started: float = field(default_factory=time.monotonic)
    tried: int = 0
    runs: int = 0
    gave_up: bool = False
    shown: tuple[Attempt, Anomaly] | None = None

    def shrunk(self) -> Shrunk | None:
        roles = tuple(
            replace(role, transaction=literal(role.transaction))
            for role in roles_of(with_focus_key(self.workload))
        )
        before = shape = Shape(roles, order_of(self.workload))
        if not self.recurs(shape):
            if self.gave_up:
                raise OutOfTime
            return None
        self.progress(f"{shape}")
        while (smaller := self.smaller(shape)) is not None:
            shape = smaller
            self.progress(f"{shape}")
        tidied = tidy(shape)
        if self.recurs(tidied, certain=True):
            shape = tidied
        assert self.shown is not None
        attempt, anomaly = self.shown
        return Shrunk(
            self.signature,
            self.composed(shape),
            before,
            shape,
            attempt,
            anomaly,
            self.attempts,
            self.tried,
            self.runs,
            time.monotonic() - self.started,
            self.out_of_time(),
        )

    def smaller(self, shape: Shape) -> Shape | None:
        """The first smaller one in which the anomaly recurs."""
        for candidate in candidates(shape):
            if self.out_of_time():
                return None
            if self.recurs(candidate):
                return candidate
        return None

    def recurs(self, shape: Shape, *, certain: bool = False) -> bool:
        """Does every attempt show the anomaly? certain: ignore the time limit."""
        self.tried += 1
        prepared = self.replayer.prepare(self.composed(shape))
        for _ in range(self.attempts):
            if self.out_of_time() and not certain:
                self.gave_up = True
                return False
            self.runs += 1
            attempt = prepared.run()
            found = self.judge.judge(attempt).signatures.get(self.signature)
            if found is None or attempt.ended or attempt.refused:
                return False
            shown = attempt, found
        self.shown = shown
        return True

    def composed(self, shape: Shape) -> Workload:
        keys = [key for role in shape.roles for own in step_keys(role.transaction) for key in own]
        aim = Aim(self.signature.anomaly, keys[0] if keys else None)
        rows = self.workload.keys.rows
        return compose(self.workload, shape.roles, shape.order, aim, rows=rows)

    def out_of_time(self) -> bool:
        return time.monotonic() >= self.until or self.replayer.stop.is_set()


def candidates(shape: Shape) -> Iterator[Shape]:
    """All shapes that are smaller in one respect."""
    yield from _fewer_transactions(shape)
    yield from _fewer_steps(shape)
    yield from _fewer_keys(shape)
    for at, role in enumerate(shape.roles):
        unlocked = without_lock(role.transaction)
        if unlocked is not None:
            yield replace(shape, roles=_with(shape.roles, at, replace(role, transaction=unlocked)))
    yield from _simpler_orders(shape)


def _fewer_transactions(shape: Shape) -> Iterator[Shape]:
    if len(shape.roles) > 1:
        for role in shape.roles:
            roles = tuple(each for each in shape.roles if each is not role)
            yield Shape(roles, tuple(event for event in shape.order if event[0] != role.alias))


def _fewer_steps(shape: Shape) -> Iterator[Shape]:
    for at, role in enumerate(shape.roles):
        for step in range(len(role.transaction.steps)):
            if len(role.transaction.steps) > 1 and not is_needed(role.transaction, step):
                less = replace(role, transaction=without_step(role.transaction, step))
                order = tuple(
                    (alias, number - (alias == role.alias and number > step))
                    for alias, number in shape.order
                    if (alias, number) != (role.alias, step)
                )
                yield Shape(_with(shape.roles, at, less), order)


def _fewer_keys(shape: Shape) -> Iterator[Shape]:
    keys = sorted({key for role in shape.roles for own in step_keys(role.transaction) for key in own})
    for kept, gone in combinations(keys, 2):
        roles = (replace(role, transaction=rekeyed(role.transaction, {gone: kept})) for role in shape.roles)
        yield replace(shape, roles=tuple(roles))


def _simpler_orders(shape: Shape) -> Iterator[Shape]:
    """Orders with fewer switches between sessions, the fewest first."""
    interleavings = Interleavings({role.alias: role.accesses for role in shape.roles})
    switches = shape.size[-1]
    found = {
        order: count
        for order in islice(interleavings.all(), _ORDERS)
        if (count := sum(one[0] != two[0] for one, two in pairwise(order))) < switches
    }
    for order in sorted(found, key=lambda order: found[order])[:_ORDERS_TRIED]:
        yield replace(shape, order=order)


def _with(roles: Sequence[Role], at: int, role: Role) -> tuple[Role, ...]:
    return (*roles[:at], role, *roles[at + 1 :])


def tidy(shape: Shape) -> Shape:
    """Sessions renamed to t1, t2, … in the order in which they begin, and keys likewise to 1, 2, …"""
    aliases = {alias: "" for alias, _ in shape.order}
    aliases = {alias: f"t{at}" for at, alias in enumerate(aliases, 1)}
    by_alias = {role.alias: role for role in shape.roles}
    keys: dict[int, int] = {}
    for alias, step in shape.order:
        own = step_keys(by_alias[alias].transaction)
        for key in own[step] if step < len(own) else ():
            keys.setdefault(key, len(keys) + 1)
    roles = tuple(
        replace(by_alias[alias], alias=name, transaction=rekeyed(by_alias[alias].transaction, keys))
        for alias, name in aliases.items()
    )
    return Shape(roles, tuple((aliases[alias], step) for alias, step in shape.order))
