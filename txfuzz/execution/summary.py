"""The outcome of an execution, in numbers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from txfuzz.errors import TxfuzzError


@dataclass(frozen=True, slots=True)
class Injection:
    """One injected fault. at: its start in the run; seconds: its duration, healing included. done: the
    details that the fault reports."""

    name: str
    at: float
    seconds: float
    done: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Play:
    """A directed schedule, played once.

    schedule: its place in the workload. transactions: (process, how many that process had run before), in the
    order of the schedule's transactions. codes: how each of them ended: empty for a commit, otherwise the
    database's error code. waited: a step waited for a lock.
    """

    schedule: int
    transactions: tuple[tuple[int, int], ...]
    codes: tuple[str, ...]
    waited: bool = False


@dataclass(frozen=True)
class ExecutionSummary:
    """Transactions by outcome, without the final reads.

    asked: started; aborts: failed and unknown ones by the database's error code. seconds: without the final
    reads. final_reads: number of transactions with final reads. last_key: the highest physical key in use.
    faults: in order. stopped: why it ended early, as a phrase, or empty. interrupted: by the caller.
    failure: the error that ended it; the history is still complete. levels: isolation level → number of
    sessions for which the server has confirmed it, if it can. plays: of the workload's directed schedules;
    undirected: why these were not played, as a phrase, or empty.
    """

    asked: int = 0
    ok: int = 0
    fail: int = 0
    info: int = 0
    aborts: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    final_reads: int = 0
    last_key: int = 0
    faults: tuple[Injection, ...] = ()
    stopped: str = ""
    interrupted: bool = False
    failure: TxfuzzError | None = None
    levels: Mapping[str, int] = field(default_factory=dict)
    plays: tuple[Play, ...] = ()
    undirected: str = ""

    @property
    def per_second(self) -> float:
        """Committed transactions per second."""
        return self.ok / self.seconds if self.seconds else 0.0


def injection_counts(faults: Iterable[Injection]) -> dict[str, int]:
    """Fault → number of injections."""
    return dict(Counter(each.name for each in faults))


class Tally:
    """Counts outcomes while clients run."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.aborts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, outcome: str, code: str = "") -> None:
        with self._lock:
            self.outcomes[outcome] += 1
            if code:
                self.aborts[code] += 1
