"""Faults while clients run: one thread injects, heals and records them.

In the history a fault is two operations of the process :nemesis, as in Jepsen: its beginning and its healing.
Checkers ignore them.
"""

from __future__ import annotations

import heapq
import math
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeVar

from txfuzz.database.api import Database
from txfuzz.database.faults import Breakable, Fault, Injectable, MayExcuse
from txfuzz.errors import DatabaseUnavailable, UsageError
from txfuzz.execution.directed.moments import Moments, Strike
from txfuzz.execution.recorder import Recorder
from txfuzz.execution.summary import Injection
from txfuzz.history.values import Keyword
from txfuzz.workload.model import FaultSpec, Workload

_GLANCE = 0.05  # seconds between two looks whether the run is over
SERVER_AWAY_SECONDS = 60.0  # that clients wait for a server that a fault made unavailable
_NO_KEYWORD = re.compile(r"[^\w.*+!$%&=<>-]")

Result = TypeVar("Result")


@dataclass(frozen=True)
class PlannedFault:
    """A fault object, and the times at which to inject it."""

    fault: Fault
    spec: FaultSpec

    def next_due(self, now: float, struck: int) -> float | None:
        """The next time, in seconds since the clients started; None if there is none.

        Repeated faults skip times before `now`. struck: number of injections so far.
        """
        every = self.spec.every
        if every is None:
            return self.spec.at[struck] if struck < len(self.spec.at) else None
        return every * (math.floor(now / every) + 1)


def at_times_of(planned: Sequence[PlannedFault], workload: Workload) -> tuple[PlannedFault, ...]:
    """The same faults, at the times of this workload, which feedback may have changed."""
    if len(planned) != len(workload.faults):
        return tuple(planned)
    return tuple(replace(each, spec=spec) for each, spec in zip(planned, workload.faults, strict=True))


def injector_for(planned: Sequence[PlannedFault], database: Database) -> Injectable | None:
    """The injector of these faults for this database; None without faults.

    Raises UsageError for a fault that this server does not support.
    """
    if not planned:
        return None
    if not isinstance(database, Breakable):
        raise UsageError(f"fault {planned[0].fault.name!r}: this database does not support fault injection")
    injector = database.injector()
    for each in planned:
        if reason := injector.cannot(each.fault.needs):
            raise UsageError(f"fault {each.fault.name!r}: {reason}")
    return injector


def cautions(planned: Sequence[PlannedFault], database: Database) -> tuple[str, ...]:
    """The warnings of the faults about the settings of this database."""
    said = (f"fault {each.fault.name!r}: {it}" for each in planned for it in each.fault.cautions(database))
    return tuple(dict.fromkeys(said))


def excuses_of(planned: Sequence[PlannedFault], database: Database) -> dict[str, str]:
    """Of each fault by its name why this database may break its promise once it was injected."""
    found = {
        each.fault.name: each.fault.excuses(database) for each in planned if isinstance(each.fault, MayExcuse)
    }
    return {name: f"fault {name!r}: {why}" for name, why in found.items() if why}


class Nemesis:
    """Injects the faults of one run, one at a time."""

    def __init__(
        self, planned: Sequence[PlannedFault], injector: Injectable, recorder: Recorder, chance: Random
    ) -> None:
        self.injections: list[Injection] = []
        self._injector = injector
        self._recorder = recorder
        self._chance = chance
        self._due: list[tuple[float, int]] = []  # (when, which of the planned)
        self._planned = planned
        self._struck = [0] * len(planned)
        self._left = [each.spec.times for each in planned]
        # At which faults wait for a moment; None if all of them strike by the clock
        self.moments = Moments() if any(each.spec.when for each in planned) else None
        self._armed = 0
        for number in range(len(planned)):
            self._schedule(number, 0.0)

    def run(self, over: threading.Event) -> None:
        """Run until `over` is set or no fault is left. Injected faults are always healed.

        Repeated faults skip the times that pass during another fault, or while they wait for their moment.
        """
        start = time.monotonic()
        while self._due or self._armed:
            number, strike = self._next(start, over)
            if number is None:
                return
            if strike is None and (when := self._planned[number].spec.when) and self.moments is not None:
                self.moments.arm(when, number)
                self._armed += 1
                continue
            self._strike(self._planned[number].fault, start, over, strike)
            self._struck[number] += 1
            left = self._left[number]
            self._left[number] = None if left is None else left - 1
            if left != 1:
                self._schedule(number, time.monotonic() - start)

    def _next(self, start: float, over: threading.Event) -> tuple[int | None, Strike | None]:
        """The next fault that is due, or for which a session has come to its moment; none once `over`."""
        while not over.is_set():
            left = self._due[0][0] - (time.monotonic() - start) if self._due else _GLANCE
            if left <= 0:
                return heapq.heappop(self._due)[1], None
            if self.moments is None or not self._armed:
                over.wait(left)
            elif (strike := self.moments.reached(min(left, _GLANCE))) is not None:
                self._armed -= 1
                return strike.number, strike
        return None, None

    def _schedule(self, number: int, now: float) -> None:
        due = self._planned[number].next_due(now, self._struck[number])
        if due is not None:
            heapq.heappush(self._due, (due, number))

    def _strike(
        self, fault: Fault, start: float, over: threading.Event, strike: Strike | None = None
    ) -> None:
        """strike: for a session that stays at its moment until the fault has struck."""
        began = time.monotonic()
        done: Mapping[str, Any] = {}
        self._note(fault.name, "begins", {})
        try:
            if strike is not None:
                strike.begun.set()
            try:
                done = fault.inject(self._injector, self._chance)
            finally:
                if strike is not None:
                    strike.injected.set()
            over.wait(fault.lasts)
        finally:
            done = {**done, **fault.heal(self._injector)}
            self._note(fault.name, "healed", done)
            ended = time.monotonic()
            self.injections.append(Injection(fault.name, began - start, ended - began, done))

    def _note(self, name: str, phase: str, done: Mapping[str, Any]) -> None:
        data = {Keyword("phase"): Keyword(phase), **{Keyword(_plain(key)): done[key] for key in done}}
        self._recorder.event(_plain(name), data)


def _plain(name: str) -> str:
    """The name as a valid keyword."""
    return _NO_KEYWORD.sub("-", name)


def until_available(work: Callable[[], Result], given_up: Callable[[], bool]) -> Result:
    """Do some work, and retry while the database is unavailable."""
    until = time.monotonic() + SERVER_AWAY_SECONDS
    while True:
        try:
            return work()
        except DatabaseUnavailable:
            if given_up() or time.monotonic() > until:
                raise
            time.sleep(0.05)
