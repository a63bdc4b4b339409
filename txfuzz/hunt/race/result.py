"""What a hunt by races came to, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from txfuzz.hunt.result import FoundHole


@dataclass(frozen=True)
class OffsetCount:
    """Rounds of one race in which a transaction was let go within a bucket of microseconds, and how many of
    them no serial order explains. offset: "+10 to +20", behind the first transaction, or behind what `behind`
    says."""

    transaction: str
    offset: str
    rounds: int
    hits: int
    behind: str = "T1"


@dataclass(frozen=True)
class RacedHole:
    """hole: its `first` is the number of the round; shown of tries: further rounds of
    the race. points: before what each transaction was held. placed: where the sessions ran. control, of
    control_rounds: how often it showed with offsets far apart. offsets: of the race that showed it."""

    hole: FoundHole
    points: tuple[str, ...]
    placed: str
    control: int
    control_rounds: int
    offsets: tuple[OffsetCount, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class RaceCounts:
    """committed: rounds in which all transactions did. outcomes: different ones. unusable: races that were
    given up, because one transaction waits for another before the race or is refused. unconfirmed: rounds
    that no order explains, whose race has not shown it again."""

    number: int = 0
    races: int = 0
    rounds: int = 0
    committed: int = 0
    outcomes: int = 0
    unknown: int = 0
    unusable: int = 0
    unconfirmed: int = 0
    control_rounds: int = 0
    control_hits: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class RaceResult:
    counts: RaceCounts
    holes: tuple[RacedHole, ...] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def news(self) -> tuple[RacedHole, ...]:
        return tuple(each for each in self.holes if not each.hole.known)
