"""What became of the replays of one iteration, as far as a report tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from txfuzz.report.text.lines import counted


@dataclass(frozen=True)
class ReplayNote:
    """The fields of replay_result.json that count (docs/artefacts.md)."""

    attempts: int
    closed: int
    anomaly: str | None = None
    anomalies: Mapping[str, int] = field(default_factory=dict)
    ended: str = ""

    @property
    def sentence(self) -> str:
        what = self.anomaly or "the anomaly"
        text = f"{what} occurred in {self.closed:,} of {counted(self.attempts, 'attempt')}"
        return f"{text}; one could not continue: {self.ended}" if self.ended else text
