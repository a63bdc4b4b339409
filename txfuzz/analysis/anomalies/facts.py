"""Anomalies that are not cycles, as facts: what the detectors hand over, for `explain` to put into words.

Transactions, micro-operations, elements and keys are numbers: places in the columns of the History.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from txfuzz.analysis.dependencies.register_versions import CyclicVersions
from txfuzz.history.model import Ints


@dataclass(frozen=True)
class Fact:
    """rows: the transactions that take part, in the order in which an explanation calls them T1, T2, …"""

    rows: tuple[int, ...]


@dataclass(frozen=True)
class ReadElement(Fact):
    """A read saw an element that it should not have seen (G1a, G1b, unwritten-read).

    rows: the reader, and the writer where there is one.
    """

    read: int
    element: int


@dataclass(frozen=True)
class InternalRead(Fact):
    """A read that contradicts `before`, the micro-operation on the key before it (internal)."""

    read: int
    before: int


@dataclass(frozen=True)
class FutureRead(Fact):
    """A read of an element that its own transaction appends only later (future-read)."""

    read: int
    element: int


@dataclass(frozen=True)
class RepeatedElements(Fact):
    """A read of a list with elements twice (duplicate-elements). counts: (element, times)."""

    read: int
    counts: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class IncompatibleReads(Fact):
    """Two lists of one key, neither of which is a prefix of the other (incompatible-order).

    lists: their rows in the read table.
    """

    key: int
    lists: tuple[int, int]


@dataclass(frozen=True)
class DirtyUpdate(Fact):
    """A committed transaction built on the version of a failed one (dirty-update).

    elements: from that of the failed one to that of the committed one, in version order.
    """

    elements: tuple[int, ...]


@dataclass(frozen=True)
class LostUpdate(Fact):
    """Transactions read the same version and then wrote the key (lost-update).

    read: the first of these reads. updaters: all of the transactions, of which rows are the first few.
    """

    read: int
    updaters: tuple[int, ...]


@dataclass(frozen=True)
class FracturedRead(Fact):
    """A reader saw one write of another transaction and missed another one (fractured-read).

    saw: the read of what the writer wrote. lacked: the read of another key, without `written`.
    """

    saw: int
    lacked: int
    written: int


@dataclass(frozen=True)
class VersionCycle(Fact):
    """Versions of a key that come before each other (cyclic-versions). rows: their writers."""

    versions: CyclicVersions


@dataclass(frozen=True)
class Detected:
    """All anomalies of one type: how many there are, and the first few of them."""

    type: str
    count: int
    first: tuple[Fact, ...]


def detected(type: str, hits: Ints, fact: Callable[[int], Fact], most: int) -> Iterator[Detected]:
    """Yields at most one: the hits counted, of the first few the facts."""
    if len(hits):
        yield Detected(type, len(hits), tuple(fact(int(hit)) for hit in hits[:most]))
