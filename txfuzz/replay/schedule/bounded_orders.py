"""Orders of a few transactions with few preemptions, the fewest first.

A preemption is a switch away from a transaction that has not ended. Most concurrency bugs need one or two
(Musuvathi, Qadeer, Iterative Context Bounding for Systematic Testing of Multithreaded Programs, PLDI 2007).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    """All orders with exactly this many preemptions, in lexicographic order. lengths: events of each alias,
    COMMIT included."""
    aliases = list(lengths)
    done = dict.fromkeys(lengths, 0)
    order: list[Event] = []

    def grow(at: int, left: int) -> Iterator[tuple[Event, ...]]:
        """Those that go on with the alias at this place. It nests as deeply as there are switches, since
        transactions may have hundreds of steps."""
        alias = aliases[at]
        began, rest = done[alias], lengths[alias] - done[alias]

        def after(count: int, others: Iterable[int], left: int) -> Iterator[tuple[Event, ...]]:
            order.extend((alias, step) for step in range(began, began + count))
            done[alias] = began + count
            if len(order) < sum(lengths.values()):
                for other in others:
                    if done[aliases[other]] < lengths[aliases[other]]:
                        yield from grow(other, left)
            elif not left:
                yield tuple(order)
            del order[-count:]
            done[alias] = began

        if left:
            for count in range(1, rest):
                yield from after(count, range(at), left - 1)
        yield from after(rest, range(len(aliases)), left)
        if left:
            for count in range(rest - 1, 0, -1):
                yield from after(count, range(at + 1, len(aliases)), left - 1)

    for at in range(len(aliases)):
        yield from grow(at, preemptions)
