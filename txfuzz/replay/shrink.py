"""Shrinks a replay while the same anomaly recurs.

Every candidate runs on the live database and is kept only if an anomaly with the same signature recurs in
all of its attempts (delta debugging, Zeller and Hildebrandt 2002, removing one thing at a time). Smaller
means, in this order: fewer transactions, steps and keys, no locks, fewer switches between sessions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from txfuzz.analysis.result import Anomaly
from txfuzz.replay.judge import Judge
from txfuzz.replay.reductions import Shape, candidates, literal, tidy
from txfuzz.replay.replayer import Replayer, origins_of
from txfuzz.replay.schedule.focus_key import with_focus_key
from txfuzz.replay.schedule.pinned_keys import step_keys
from txfuzz.replay.schedule.replay_workload import Aim, compose, order_of, roles_of
from txfuzz.replay.signature import Signature
from txfuzz.replay.stepper.attempt import Attempt
from txfuzz.workload.model import Workload


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
