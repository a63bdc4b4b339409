"""An analyzer and a heuristic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from txfuzz import Adjustment, Part, Verdict


@dataclass(frozen=True)
class LongestList:
    """Reports lists that are longer than allowed."""

    name: ClassVar[str] = "longest-list"
    about: ClassVar[str] = "how long the longest list became"

    allowed: int = field(default=1000, metadata={"help": "elements that a list may have", "least": 1})

    def analyze(self, history, expect):
        longest = max((int(length) for length in history.read_length), default=0)
        if longest > self.allowed:
            return Part(Verdict.INVALID, f"a list of {longest} elements", data={"longest": longest})
        return Part(data={"longest": longest})


@dataclass(frozen=True)
class MoreClients:
    """One more client, each time."""

    name: ClassVar[str] = "more-clients"
    about: ClassVar[str] = "adds a client after each iteration"

    def propose(self, feedback, workload, random):
        before = workload.scheduling.clients
        reason = f"{feedback.committed} transactions committed with {before} clients"
        return (Adjustment("scheduling.clients", before, before + 1, reason, self.name),)
