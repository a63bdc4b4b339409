"""Sessions for replays, on which attempt after attempt is run."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping

from txfuzz.common.closeable import Closing
from txfuzz.common.kind import Kind
from txfuzz.database.api import Database, SeesWaits
from txfuzz.replay.stepper.attempt import Attempt
from txfuzz.replay.stepper.recorder import Tape
from txfuzz.replay.stepper.session_threads import Lane
from txfuzz.replay.stepper.stepper import Ground, Limits, Stepping
from txfuzz.workload.generator import Asked
from txfuzz.workload.replay import Replay


class Stepper(Closing):
    """Runs attempts one after the other on the same sessions. A context manager."""

    def __init__(
        self,
        database: Database,
        kind: Kind,
        isolation: str,
        *,
        limits: Limits | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._ground = Ground(
            isolation, limits or Limits(), stop or threading.Event(), queue.SimpleQueue(), self._waiting
        )
        self._database, self._kind = database, kind
        self._waits = database if isinstance(database, SeesWaits) else None
        self._lanes: list[Lane] = []
        self._tape = Tape()
        self._attempts = 0

    def run(self, replay: Replay, asked: Mapping[str, Asked]) -> Attempt:
        """Follow the schedule once. asked: by alias, what each transaction does."""
        lanes = {each.alias: self._lane(place) for place, each in enumerate(replay.transactions)}
        self._tape.attempt(self._attempts)
        self._attempts += 1
        return Stepping(self._ground, lanes, asked, self._tape).follow(replay)

    def _waiting(self, lanes: list[Lane]) -> dict[Lane, tuple[Lane, ...]] | None:
        if self._waits is None:
            return None
        told = self._waits.waiting([lane.session for lane in lanes])
        return {lanes[at]: tuple(lanes[other] for other in sorted(others)) for at, others in told.items()}

    def _lane(self, place: int) -> Lane:
        if place == len(self._lanes):
            self._lanes.append(self._new(place))
        elif self._lanes[place].lost:
            # What a lost transaction does later is not done by the process that goes on (as in Jepsen).
            process = self._lanes[place].process + 1000
            self._lanes[place].close()
            self._lanes[place] = self._new(place)
            self._lanes[place].process = process
        return self._lanes[place]

    def _new(self, place: int) -> Lane:
        return Lane(place, self._database.session(self._kind), self._ground.done)

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()
        self._lanes.clear()
