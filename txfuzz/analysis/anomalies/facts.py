"""Anomalies that are not cycles, as the detectors hand them over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from txfuzz.history.model import Ints


@dataclass(frozen=True)
class Finding:
    """One anomaly. rows: the transactions that take part, in the order of the explanation,
    where T1 is the first of them, T2 the second, …"""

    rows: tuple[int, ...]
    explanation: str
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Findings:
    """All anomalies of one type: how many there are, and the first few of them."""

    type: str
    count: int
    first: tuple[Finding, ...]


def findings(type: str, hits: Ints, describe: Callable[[int], Finding], most: int) -> Iterator[Findings]:
    """Yields at most one Findings: the hits counted, the first few described."""
    if len(hits):
        yield Findings(type, len(hits), tuple(describe(int(hit)) for hit in hits[:most]))
