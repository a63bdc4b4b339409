"""What can be directed of a near-cycle, and what came of it when it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from txfuzz.analysis.result import NearCycle
from txfuzz.common.sentences import counted, listed
from txfuzz.workload.directed import DirectedSchedule


@dataclass(frozen=True)
class Direction:
    """A near-cycle, and directed schedules in which its missing edge should arise, the most promising first.

    reason: why there are none, as a sentence without a full stop.
    """

    near: NearCycle
    schedules: tuple[DirectedSchedule, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class DirectedOutcome:
    """What came of one directed schedule in one iteration.

    played: how often. forced: plays in which the missing edge arose between its two transactions, on its key.
    committed: plays whose transactions all committed. refused: error code → transactions that it ended.
    waited: plays in which a step waited for a lock. reason: why it was not played, as a phrase.
    """

    schedule: DirectedSchedule
    played: int = 0
    forced: int = 0
    committed: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    waited: int = 0
    reason: str = ""

    @property
    def text(self) -> str:
        """ "the rw edge probe → survey on key 3, directed: forced in 3 of 40 plays; …"."""
        edge = f"the {self.schedule.text}, directed"
        if not self.played:
            return f"{edge}: not played{f', because {self.reason}' if self.reason else ''}"
        said = [f"forced in {self.forced:,} of {counted(self.played, 'play')}"]
        if self.refused:
            codes = (f"{code} ×{count:,}" for code, count in self.refused.items())
            said.append(f"transactions refused: {listed(codes)}")
        if self.waited:
            said.append(f"waited for a lock in {self.waited:,}")
        return f"{edge}: {'; '.join(said)}"

    @property
    def short(self) -> str:
        """ "rw edge probe → survey on key 3 forced 3 of 40, refused: 40001 ×5"."""
        if not self.played:
            return f"{self.schedule.text} not played"
        codes = ", ".join(f"{code} ×{count:,}" for code, count in self.refused.items())
        text = f"{self.schedule.text} forced {self.forced:,} of {self.played:,}"
        return f"{text}, refused: {codes}" if codes else text
