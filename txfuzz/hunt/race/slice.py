"""A slice of a race: some hundred rounds, one after the other, and what the race has shown in all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import permutations
from math import log2
from random import Random
from typing import Protocol

from txfuzz.check.program import Program
from txfuzz.check.serial.judge import SerialJudgement
from txfuzz.check.serial.outcome import ProgramOutcome
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.race.offsets import Cell, OffsetBandit, OffsetCounts, bucket_text, far_apart, offsets
from txfuzz.hunt.race.processors import Placement, placed
from txfuzz.hunt.race.race import Race
from txfuzz.hunt.race.result import OffsetCount
from txfuzz.hunt.race.rounds import Answers, Round, RoundRunner
from txfuzz.hunt.tables import OpenTables

SLICE = 300  # rounds of a race, one after the other
CONTROLS = 2  # of which so many with offsets far apart
_GAP = 1.5e-3  # seconds between those
_AGAIN = 3_000  # rounds, at most, in which it must show again
_OFTEN = 3  # times after which it has
_UNFAMILIAR = 0.1  # interest in a race that has come to one outcome only,
_HIT = 4.0  # and for each time that one has gone wrong


@dataclass(frozen=True)
class Verdict:
    """wrong: what is wrong with it, if anything. index: of this outcome among those of the race."""

    index: int
    committed: bool
    wrong: Wrong | None
    outcome: ProgramOutcome
    judgement: SerialJudgement


@dataclass
class Raced:
    """A race with what it has shown so far. told: what is wrong with it has been."""

    race: Race
    level: str
    program: Program
    verdicts: dict[object, Verdict] = field(default_factory=dict)
    outcomes: Counter[int] = field(default_factory=Counter)
    offsets: OffsetCounts = field(default_factory=OffsetCounts)
    hits: int = 0
    told: bool = False
    failures: Counter[Wrong] = field(default_factory=Counter)

    @property
    def interest(self) -> float:
        """By the entropy of its outcomes, in bits; what went wrong once is worth more."""
        number = self.outcomes.total()
        return (
            _UNFAMILIAR
            + _HIT * self.hits
            - sum(n / number * log2(n / number) for n in self.outcomes.values())
        )


class JudgesRounds(Protocol):
    """The hunt that a slice belongs to."""

    def bandit(self, race: Race, placement: Placement) -> OffsetBandit: ...

    def verdict(self, raced: Raced, opened: OpenTables, runner: RoundRunner, round_: Round) -> Verdict: ...

    def count(self, verdict: Verdict, *, control: bool) -> None: ...


class Slice:
    """Some hundred rounds of one race, its sessions on the same processors."""

    def __init__(
        self, hunt: JudgesRounds, raced: Raced, opened: OpenTables, runner: RoundRunner, placement: Placement
    ) -> None:
        self._hunt, self.raced, self._opened, self._runner = hunt, raced, opened, runner
        self.placement = placement
        self._bandit = hunt.bandit(raced.race, placement)
        self._orders = tuple(permutations(range(len(raced.race.held))))
        self.order: tuple[int, ...] = self._orders[0]  # of the last round

    def run(self, random: Random) -> tuple[Cell, Round, Verdict] | None:
        """The first round that went wrong, after which the slice ends."""
        for _ in range(CONTROLS):
            self._control(random.choice(self._orders))
        for _ in range(SLICE - CONTROLS):
            cell = self._bandit.cell(random)
            round_, verdict = self._round(cell, random)
            if verdict.wrong is not None:
                return cell, round_, verdict
        return None

    def _round(self, cell: Cell, random: Random) -> tuple[Round, Verdict]:
        round_ = self._let_go(offsets(cell, random))
        verdict = self._hunt.verdict(self.raced, self._opened, self._runner, round_)
        hit = verdict.wrong is not None
        self._hunt.count(verdict, control=False)
        self._bandit.tell(cell, verdict.index, hit)
        self.raced.outcomes[verdict.index] += 1
        self.raced.offsets.tell(cell, hit)
        return round_, verdict

    def _let_go(self, lags: tuple[float, ...]) -> Round:
        self.order = tuple(sorted(range(len(lags)), key=lags.__getitem__))
        return self._runner.round(lags)

    def so_far(self) -> tuple[Answers, ...]:
        return self._runner.so_far()

    def again(self, cell: Cell, random: Random, what: Wrong) -> tuple[int, int]:
        """How often it shows under the same offsets, of how many rounds."""
        shown = tries = 0
        sessions = self._opened.sessions(len(self.raced.race.held) + 1)
        with placed(sessions, self.placement):
            while tries < _AGAIN and shown < _OFTEN:
                _, verdict = self._round(cell, random)
                tries += 1
                shown += verdict.wrong is what
        return shown, tries

    def controlled(self, each: int) -> tuple[int, int]:
        """The same with offsets far apart, so many times in each order."""
        hits = sum(self._control(order) for order in self._orders for _ in range(each))
        return hits, each * len(self._orders)

    def _control(self, order: tuple[int, ...]) -> bool:
        round_ = self._let_go(far_apart(order, _GAP))
        verdict = self._hunt.verdict(self.raced, self._opened, self._runner, round_)
        self._hunt.count(verdict, control=True)
        return verdict.wrong is not None


def told(raced: Raced) -> tuple[OffsetCount, ...]:
    labels = raced.race.program.labels
    return tuple(
        OffsetCount(label, bucket_text(bucket), rounds, hits)
        for axis, label in enumerate(labels[1:])
        for bucket, (rounds, hits) in raced.offsets.along(axis).items()
    )
