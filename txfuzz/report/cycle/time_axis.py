"""Time as a length: the horizontal positions of transactions, and their lanes.

Time here is history order, however close together two operations were. Events are laid out in
order, each pair as far apart as what is drawn between them needs, and two boxes share part of the
axis exactly when the two transactions overlapped.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from txfuzz.history.model import History

Span: TypeAlias = tuple[float, float]


def span(start: int | None, end: int | None) -> Span:
    """From where to where in the history a transaction lasted: to the end if it never completed, from
    just before its completion if it was never invoked."""
    begins = start if start is not None else 0.0 if end is None else end - 0.5
    return begins, math.inf if end is None else end


def span_of(history: History, row: int) -> Span:
    start, end = int(history.invoke_at[row]), int(history.complete_at[row])
    return span(None if start < 0 else start, None if end < 0 else end)


def stretch(spans: Sequence[Span], widths: Sequence[float], gap: float) -> list[Span]:
    """Left and right end of each box, in inches from the first event.

    Each box is at least as wide as its entry in `widths`; successive events are at least `gap` apart.
    """
    events = sorted(
        [(start, 0, at) for at, (start, _) in enumerate(spans)]
        + [(end, 1, at) for at, (_, end) in enumerate(spans)]
    )
    left, right = [0.0] * len(spans), [0.0] * len(spans)
    x = -gap
    for _, ends, at in events:
        x += gap
        if ends:
            x = right[at] = max(x, left[at] + widths[at])
        else:
            left[at] = x
    return list(zip(left, right, strict=True))


def lanes_of(history: History, rows: Iterable[int]) -> tuple[dict[int, int], list[list[int]]]:
    """The lane of each process, and the processes of each lane in order.

    A process that starts after another has ended takes over its lane: after an unknown outcome a client
    continues as a new process.
    """
    life: dict[int, Span] = {}
    for row in rows:
        process, (start, end) = int(history.process[row]), span_of(history, row)
        before = life.get(process, (start, end))
        life[process] = min(start, before[0]), max(end, before[1])
    lanes: list[list[int]] = []
    free: list[tuple[float, int]] = []  # when each lane is free again
    for process, (start, end) in sorted(life.items(), key=lambda each: (each[1], each[0])):
        if free and free[0][0] < start:
            _, lane = heapq.heappop(free)
        else:
            lane = len(lanes)
            lanes.append([])
        lanes[lane].append(process)
        heapq.heappush(free, (end, lane))
    lanes.sort(key=lambda processes: processes[0])
    return {process: at for at, processes in enumerate(lanes) for process in processes}, lanes
