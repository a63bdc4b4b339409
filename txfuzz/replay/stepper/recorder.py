"""The history of replays, in memory: an ordinary Elle history, attempt after attempt."""

from __future__ import annotations

import time
from collections.abc import Sequence

from txfuzz.execution.raw_transaction import Seen
from txfuzz.execution.recorder import seen_line
from txfuzz.history.writer import Mop, event_line, invoke_line
from txfuzz.workload.generator import Asked


class Tape:
    """Gathers lines; indices and times go on over all attempts. For one thread."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._index = 0
        self._start = time.perf_counter_ns()

    def invoke(self, process: int, asked: Asked, mops: Sequence[Mop]) -> None:
        self._add(
            invoke_line(self._index, process, self._now(), asked.name, asked.numbers, asked.logical, mops)
        )

    def complete(
        self, type: str, process: int, seen: Sequence[Seen], error: tuple[str, str] | None = None
    ) -> None:
        self._add(seen_line(self._index, type, process, self._now(), seen, error))

    def attempt(self, number: int) -> None:
        """An attempt begins here; checkers pass over it."""
        self._add(event_line(self._index, self._now(), "attempt", number))

    def take(self) -> tuple[bytes, ...]:
        """The lines since the last time."""
        lines = tuple(self.lines)
        self.lines.clear()
        return lines

    def _now(self) -> int:
        return time.perf_counter_ns() - self._start

    def _add(self, line: bytes) -> None:
        self.lines.append(line)
        self._index += 1
