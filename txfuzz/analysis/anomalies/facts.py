"""Anomalies that are not cycles, as facts: found by the detectors, put into words by `explain`.

Transactions, micro-operations, elements and keys are indices into the columns of the History.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from txfuzz.analysis.dependencies.register_versions import CyclicVersions
from txfuzz.history.model import Ints


@dataclass(frozen=True)
class Fact:
    """rows: the transactions that take part, in the order T1, T2, … of the explanation."""

    rows: tuple[int, ...]


@dataclass(frozen=True)
class ReadElement(Fact):
    """A read saw an element that it should not have seen (G1a, G1b, unwritten-read).

    rows: the reader, and the writer if there is one.
    """

    read: int
    element: int


@dataclass(frozen=True)
class InternalRead(Fact):
    """A read that contradicts `before`, the previous micro-operation on the key (internal)."""

    read: int
    before: int


@dataclass(frozen=True)
class FutureRead(Fact):
    """A read of an element that its own transaction appends only later (future-read)."""

    read: int
    element: int


@dataclass(frozen=True)
class RepeatedElements(Fact):
    """A read of a list with repeated elements (duplicate-elements). counts: (element, times)."""

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

    elements: from the failed one's to the committed one's, in version order.
    """

    elements: tuple[int, ...]


@dataclass(frozen=True)
class LostUpdate(Fact):
    """Transactions read the same version and then wrote the key (lost-update).

    read: the first of these reads. updaters: all of the transactions; rows are the first few.
    """

    read: int
    updaters: tuple[int, ...]


@dataclass(frozen=True)
class FracturedRead(Fact):
    """A reader saw one write of another transaction and missed another (fractured-read).

    saw: the read of a value that the writer wrote. lacked: the read of another key, without `written`.
    """

    saw: int
    lacked: int
    written: int


@dataclass(frozen=True)
class VersionCycle(Fact):
    """Versions of a key whose order is a cycle (cyclic-versions). rows: their writers."""

    versions: CyclicVersions


@dataclass(frozen=True)
class Detected:
    """All anomalies of one type: how many there are, and the first few."""

    type: str
    count: int
    first: tuple[Fact, ...]


def detected(type: str, hits: Ints, fact: Callable[[int], Fact], most: int) -> Iterator[Detected]:
    """Yields at most one: the number of hits, and facts for the first few."""
    if len(hits):
        yield Detected(type, len(hits), tuple(fact(int(hit)) for hit in hits[:most]))
