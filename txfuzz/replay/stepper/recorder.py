"""The operations of replay attempts: as values, as a History, and as EDN."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from txfuzz.execution.raw_transaction import RecordedMop
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import History
from txfuzz.history.writer import Mop, complete_line, event_line, invoke_line
from txfuzz.workload.generator import BoundTransaction


@dataclass(frozen=True, slots=True)
class RecordedOperation:
    """One operation of a session, as in Elle.

    type: "invoke", "ok", "fail" or "info". time: nanoseconds since the recorder was created. steps, logical:
    step and logical key of each micro-operation. txn: of an invocation. error: (code, phase) unless ok.
    at: the endpoint where it runs, of an invocation.
    """

    index: int
    type: str
    process: int
    time: int
    mops: tuple[Mop, ...]
    steps: tuple[int, ...]
    logical: tuple[int | None, ...]
    txn: str = ""
    error: tuple[str, str] | None = None
    at: str | None = None

    @property
    def line(self) -> bytes:
        if self.type == "invoke":
            return invoke_line(
                self.index,
                self.process,
                self.time,
                self.txn,
                self.steps,
                self.logical,
                self.mops,
                at=self.at,
            )
        return complete_line(
            self.index,
            self.type,
            self.process,
            self.time,
            self.mops,
            self.error,
            steps=self.steps,
            logical=self.logical,
        )


@dataclass(frozen=True, slots=True)
class AttemptStart:
    """The nemesis operation that separates attempts in a history. number: counts from 0."""

    index: int
    time: int
    number: int

    @property
    def line(self) -> bytes:
        return event_line(self.index, self.time, "attempt", self.number)


Recorded = RecordedOperation | AttemptStart


class AttemptRecorder:
    """Records attempts, with continuous indices and times. Not thread-safe."""

    def __init__(self) -> None:
        self._recorded: list[Recorded] = []
        self._index = 0
        self._start = time.perf_counter_ns()

    def begin_attempt(self, number: int) -> None:
        self._add(AttemptStart(self._index, self._now(), number))

    def invoke(self, process: int, transaction: BoundTransaction, mops: Sequence[Mop]) -> None:
        self._add(
            RecordedOperation(
                self._index,
                "invoke",
                process,
                self._now(),
                tuple(mops),
                transaction.numbers,
                transaction.logical,
                transaction.name,
                at=transaction.mode.endpoint,
            )
        )

    def complete(
        self, type: str, process: int, seen: Sequence[RecordedMop], error: tuple[str, str] | None = None
    ) -> None:
        self._add(
            RecordedOperation(
                self._index,
                type,
                process,
                self._now(),
                tuple(each.mop for each in seen),
                tuple(each.step for each in seen),
                tuple(each.logical for each in seen),
                error=error,
            )
        )

    def take(self) -> tuple[Recorded, ...]:
        """The operations recorded since the last call."""
        recorded = tuple(self._recorded)
        self._recorded.clear()
        return recorded

    def _now(self) -> int:
        return time.perf_counter_ns() - self._start

    def _add(self, recorded: Recorded) -> None:
        self._recorded.append(recorded)
        self._index += 1


def recorded_history(recorded: Iterable[Recorded], source: str = "replay") -> History:
    """The same History as reading `recorded_edn` of these operations. source: for messages."""
    builder = HistoryBuilder(source)
    for each in recorded:
        if isinstance(each, AttemptStart):
            builder.pass_over("nemesis")
            continue
        builder.add(
            each.type,
            each.process,
            each.mops,
            index=each.index,
            time=each.time,
            txn=each.txn if each.type == "invoke" else None,
            steps=each.steps,
            logical=each.logical,
        )
    return builder.finish()


def recorded_edn(recorded: Iterable[Recorded]) -> bytes:
    """The operations as the text of a history file."""
    return b"".join(each.line for each in recorded)
