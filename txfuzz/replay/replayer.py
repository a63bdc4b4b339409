"""Follows the schedule of a workload, one attempt after another."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from txfuzz.common.closeable import Closeable
from txfuzz.common.kind import Kind
from txfuzz.database.api import Database
from txfuzz.database.variations import insert_rows, vary
from txfuzz.errors import UsageError
from txfuzz.execution.places import Places
from txfuzz.replay.judge import Judge, Judgement
from txfuzz.replay.result import ReplayResult, replay_result
from txfuzz.replay.schedule.focus_key import with_focus_key
from txfuzz.replay.stepper.attempt import Attempt
from txfuzz.replay.stepper.keys_apart import KeysApart
from txfuzz.replay.stepper.physical_keys import AttemptKeys, PhysicalKeys
from txfuzz.replay.stepper.recorder import Recorded
from txfuzz.replay.stepper.session_threads import Limits
from txfuzz.replay.stepper.stepper import Stepper
from txfuzz.workload.generator import BoundTransaction, TransactionGenerator
from txfuzz.workload.model import Weight, Workload
from txfuzz.workload.replay import Replay
from txfuzz.workload.seeds import stream


class Replayer(Closeable):
    """Runs replays of one kind of history on one database. A context manager.

    kind: of the workloads. fresh: start from empty tables. options: of the adapter that the workloads vary
    (Workload.varied). stop: set it to interrupt.
    """

    def __init__(
        self,
        database: Database,
        kind: Kind,
        isolation: str,
        *,
        fresh: bool = False,
        options: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.isolation = isolation
        self._database, self._kind = database, kind
        self.stop = stop or threading.Event()
        vary(database, options or {})
        self._numbering = PhysicalKeys(
            database.prepare(kind, fresh=fresh), lambda keys, rows: insert_rows(database, kind, keys, rows)
        )
        self._stepper = Stepper(database, kind, isolation, limits=limits, stop=self.stop)

    def vary(self, options: Mapping[str, Any]) -> None:
        """Go on with these options, in other sessions, and on new tables if the layout is another one. What
        was prepared before cannot be run any more."""
        self._stepper.renew()
        vary(self._database, options)
        self._numbering.renew(self._database.prepare(self._kind, fresh=False))

    def prepare(self, workload: Workload) -> PreparedReplay:
        """The transactions of a workload's `replay` stanza, ready to run repeatedly."""
        places = Places(workload, self._database)
        places.settle()
        self._stepper.use(places)
        return PreparedReplay(self._stepper, with_focus_key(workload), self._numbering)

    @property
    def last_key(self) -> int:
        """The highest physical key in use."""
        return self._numbering.last

    def close(self) -> None:
        self._stepper.close()


class PreparedReplay:
    """The transactions of a replay, which may follow various schedules."""

    def __init__(self, stepper: Stepper, workload: Workload, numbering: PhysicalKeys) -> None:
        assert workload.replay is not None
        self.replay = workload.replay
        self._stepper = stepper
        self._keys = AttemptKeys(numbering, workload.keys.rows)
        draws = stream(workload.seed, "replay")
        self._generators = {
            each.alias: TransactionGenerator(replace(workload, mix=(Weight(each.txn, 1),)), draws, self._keys)
            for each in workload.replay.transactions
        }

    def run(self, replay: Replay | None = None) -> Attempt:
        """One attempt, on new keys. replay: another schedule of the same transactions."""
        self._keys.begin_attempt()
        transactions: dict[str, BoundTransaction] = {
            alias: each.next() for alias, each in self._generators.items()
        }
        return self._stepper.run(replay or self.replay, transactions)


def origins_of(replay: Replay) -> dict[str, str]:
    """Transaction → the template that it was narrowed from."""
    return {each.txn: each.origin for each in replay.transactions}


def follow_schedule(
    replayer: Replayer, workload: Workload, expect: str, *, attempts: int = 1
) -> tuple[ReplayResult, tuple[Recorded, ...]]:
    """Follow the schedule of a workload this many times; the result, and the recorded operations.

    Raises UsageError if the database rejects a statement for good.
    """
    replay = workload.replay
    assert replay is not None
    judge = Judge(expect, replayer.isolation, origins_of(replay))
    prepared = replayer.prepare(workload)
    judged: list[tuple[Attempt, Judgement]] = []
    operations: list[Recorded] = []
    keys = KeysApart()
    for _ in range(attempts):
        attempt = prepared.run()
        operations += keys.apart(attempt.operations)
        if attempt.refused:
            raise UsageError(attempt.refused)
        judged.append((attempt, judge.judge(attempt)))
        if attempt.ended:
            break
    result = replay_result(replay, expect, replayer.isolation, workload.keys.rows, judged)
    return result, tuple(operations)
