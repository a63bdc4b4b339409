"""Jobs without a database, for whatever runs slices: they count, and end badly where they are told to."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from txfuzz.errors import DatabaseUnavailable, UsageError


@dataclass(frozen=True)
class CountingSlice:
    numbers: range


@dataclass(frozen=True)
class CountingJob:
    """Tells the numbers of a slice, one by one. bad: number → what happens there: "die", "hang", "raise",
    "exit". once: a directory that remembers what has happened, so that it happens once; None: each time.
    opens: "" or what happens when a worker is opened: "usage", "unavailable", "hang", "die"."""

    bad: dict[int, str] = field(default_factory=dict)
    once: Path | None = None
    opens: str = ""
    pause: float = 0.0

    @contextmanager
    def opened(self) -> Iterator[CountingJob]:
        if self.opens == "usage":
            raise UsageError("there is no such level")
        if self.opens == "unavailable":
            raise DatabaseUnavailable("no server")
        happen(self.opens)
        print("what a plugin prints is no message")
        yield self
        if self.once is not None:
            (self.once / f"closed {os.getpid()}").touch()

    def run(self, asked: CountingSlice, tell: Callable[[tuple[int, ...]], bool]) -> None:
        done: tuple[int, ...] = ()
        for number in asked.numbers:
            time.sleep(self.pause)
            if number in self.bad and self._first(number):
                happen(self.bad[number])
            done = (*done, number)
            if not tell(done):
                break

    def _first(self, number: int) -> bool:
        if self.once is None:
            return True
        try:
            (self.once / str(number)).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def happen(what: str) -> None:
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "hang":
        time.sleep(60)
    elif what == "exit":
        os._exit(7)
    elif what == "raise":
        raise ValueError("two\nlines")


class CountingSlices:
    """Hands out the numbers in slices, each of them again from where it was lost."""

    def __init__(self, numbers: int, size: int, most: int | None = None) -> None:
        self.left = [range(start, start + size) for start in range(0, numbers, size)]
        self.told_of: dict[range, tuple[int, ...]] = {}
        self.done: list[int] = []
        self.losses: list[str] = []
        self.most = most
        self.until: float | None = None

    def take(self) -> CountingSlice | None:
        if not self.left:
            return None
        numbers = self.left.pop(0)
        self.told_of[numbers] = ()
        return CountingSlice(numbers)

    def told(self, asked: CountingSlice, news: tuple[int, ...]) -> None:
        self.told_of[asked.numbers] = news

    def ended(self, asked: CountingSlice) -> None:
        self.done += self.told_of.pop(asked.numbers)

    def lost(self, asked: CountingSlice, why: str) -> None:
        done = self.told_of.pop(asked.numbers)
        self.done += done
        self.left.append(asked.numbers[len(done) :])
        self.losses.append(why)

    def enough(self) -> bool:
        if self.until is not None and time.monotonic() > self.until:
            return True
        return self.most is not None and len(self.done) + sum(map(len, self.told_of.values())) >= self.most
