"""What became of an execution, in numbers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from txfuzz.errors import TxfuzzError


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault that was injected. at, seconds: when it began in the run, and how long it took with
    the healing. done: what the fault says that it did."""

    name: str
    at: float
    seconds: float
    done: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExecutionSummary:
    """Transactions by outcome, without the final reads.

    asked: started; aborts: failed and unknown ones by the database's code. seconds: of the run
    without the final reads. final_reads: transactions that read all keys in the end.
    last_key: the highest physical key taken.
    faults: those injected, in their order.
    stopped: why it ended early, as a phrase; empty when it ran to its end. interrupted: by
    request of the caller. failure: the error that ended it; what was recorded is whole. levels: of how
    many sessions the server has itself said that they are at this level, where it can be asked.
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

    @property
    def per_second(self) -> float:
        """Committed transactions a second."""
        return self.ok / self.seconds if self.seconds else 0.0


def injection_counts(faults: Iterable[Injection]) -> dict[str, int]:
    """How often each fault was injected, by name."""
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
