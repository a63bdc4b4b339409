"""Orders of a few transactions with few preemptions, the fewest first.

A preemption is a switch away from a transaction that has not ended. Most concurrency bugs need one or two
(Musuvathi, Qadeer, Iterative Context Bounding for Systematic Testing of Multithreaded Programs, PLDI 2007).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from txfuzz.replay.schedule.interleavings import Interleavings
from txfuzz.replay.schedule.mvcc_model import Access, Event


def bounded_orders(accesses: Mapping[str, Sequence[Access]], most: int) -> Iterator[tuple[Event, ...]]:
    """The distinct orders with 0 to `most` preemptions. accesses: by alias, what each step does."""
    interleavings = Interleavings(accesses)
    seen: set[tuple[Event, ...]] = set()
    for preemptions in range(most + 1):
        for order in _orders({alias: len(each) + 1 for alias, each in accesses.items()}, preemptions):
            mark = interleavings.normal(order)
            if mark not in seen:
                seen.add(mark)
                yield order


def _orders(lengths: Mapping[str, int], preemptions: int) -> Iterator[tuple[Event, ...]]:
    """All orders with exactly this many preemptions. lengths: events of each alias, COMMIT included."""
    done = dict.fromkeys(lengths, 0)
    order: list[Event] = []

    def grow(left: int) -> Iterator[tuple[Event, ...]]:
        current = order[-1][0] if order else None
        unfinished = [alias for alias in lengths if done[alias] < lengths[alias]]
        if not unfinished:
            if not left:
                yield tuple(order)
            return
        for alias in unfinished:
            preempts = current in unfinished and alias != current
            if preempts and not left:
                continue
            order.append((alias, done[alias]))
            done[alias] += 1
            yield from grow(left - preempts)
            done[alias] -= 1
            order.pop()

    return grow(preemptions)
