"""What the clients of an iteration are doing now: its history is read as it grows.

Only the words that the recorder of txfuzz writes at the beginning of each line are looked at, which is quick
enough for any history; one of another program, written in another order, shows nothing until it is analysed.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from pathlib import Path

from txfuzz.report.html.time_chart import TimeBand, TimePoint

_LINE = re.compile(rb"\{:index \d+, :type :(\w+), :process ([^,\s]+), :f :([\w-]+), :time (\d+)(.*)")
_STEPS = 48.0  # of a factor of e, in which latencies are counted: about 2 %
_SECOND, _MILLISECOND = 1e9, 1e6
_SHARPEST = 0.25  # seconds of a point
_POINTS = 120
_BATCH, _BATCHES = 4 << 20, 4  # bytes at a time, and how often before something is shown


class RunningIteration:
    """By its history. Counts what committed and how long it took, in stretches of time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset, self._inode = 0, 0
        self._begin()

    def _begin(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.bands: list[TimeBand] = []
        self._begun: dict[bytes, int] = {}  # process → time of its invocation
        self._faults: dict[str, float] = {}
        self._latencies: dict[int, Counter[int]] = {}  # stretch of _SHARPEST → step → transactions
        self._last = 0.0

    @property
    def offset(self) -> int:
        """Bytes that have been read."""
        return self._offset

    def read_on(self) -> None:
        """What has been written since, of much the beginning; nothing if there is no history yet."""
        try:
            with open(self.path, "rb") as file:
                found = os.fstat(file.fileno())
                if found.st_ino != self._inode or found.st_size < self._offset:
                    self._offset, self._inode = 0, found.st_ino
                    self._begin()
                for _ in range(_BATCHES):
                    file.seek(self._offset)
                    data = file.read(_BATCH)
                    whole = data[: data.rfind(b"\n") + 1]
                    if not whole:
                        return
                    for line in whole.splitlines():
                        self._note(line)
                    self._offset += len(whole)
        except OSError:
            return

    def points(self) -> list[TimePoint]:
        """At most _POINTS, over the time until now."""
        if not self._latencies:
            return []
        stretches = int(self._last / _SHARPEST) + 1
        size = -(-stretches // _POINTS)
        found = []
        for first in range(0, stretches, size):
            steps: Counter[int] = Counter()
            for at in range(first, first + size):
                steps.update(self._latencies.get(at, {}))
            seconds = min(size * _SHARPEST, max(self._last - first * _SHARPEST, 0.01))
            total = sum(steps.values())
            middle = first * _SHARPEST + seconds / 2
            found.append(TimePoint(middle, seconds, total / seconds, _share(steps, 0.5), _share(steps, 0.95)))
        return found

    def active_bands(self) -> list[TimeBand]:
        """Those that have ended, and those that have not."""
        return [*self.bands, *(TimeBand(name, at, self._last) for name, at in self._faults.items())]

    def _note(self, line: bytes) -> None:
        found = _LINE.match(line)
        if found is None:
            return
        kind, process, f, time, rest = found.groups()
        now = int(time)
        self._last = max(self._last, now / _SECOND)
        if process == b":nemesis":
            self._fault(f.decode(), now / _SECOND, begins=b":begins" in rest)
        elif kind == b"invoke":
            if b':txn "final-read"' in rest[:40]:
                self._begun.pop(process, None)
            else:
                self._begun[process] = now
        elif process in self._begun:
            latency = (now - self._begun.pop(process)) / _MILLISECOND
            self.outcomes[kind.decode()] += 1
            if kind == b"ok" and latency >= 0:
                step = round(math.log(max(latency, 1e-3)) * _STEPS)
                self._latencies.setdefault(int(now / _SECOND / _SHARPEST), Counter())[step] += 1

    def _fault(self, name: str, at: float, *, begins: bool) -> None:
        if begins:
            self._faults.setdefault(name, at)
        elif name in self._faults:
            self.bands.append(TimeBand(name, self._faults.pop(name), at))


def _share(steps: Counter[int], share: float) -> float | None:
    """The quantile, in milliseconds."""
    left = sum(steps.values()) * share
    for step in sorted(steps):
        left -= steps[step]
        if left <= 0:
            return math.exp(step / _STEPS)
    return None
