"""A slice of a race: some hundred rounds, one after the other, and what the race has shown in all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import permutations
from math import log2
from random import Random
from typing import NamedTuple, Protocol

from txfuzz.check.program import Program
from txfuzz.check.serial.judge import SerialJudgement
from txfuzz.check.serial.outcome import ProgramOutcome
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.race.offsets import Cell, OffsetBandit, OffsetCounts, Timing, axes, far_apart, timing
from txfuzz.hunt.race.processors import Placement, placed, stoppable
from txfuzz.hunt.race.race import Race
from txfuzz.hunt.race.result import OffsetCount
from txfuzz.hunt.race.rounds import Answers, Round, RoundRunner
from txfuzz.hunt.tables import OpenTables

SLICE = 300  # rounds of a race, one after the other,
LOOK = 60  # or so many where it is a new one
CONTROLS = 2  # of which so many with offsets far apart
_GAP = 1.5e-3  # seconds between those
_AGAIN = 3_000  # rounds, at most, in which it must show again
_OFTEN = 3  # times after which it has
_UNFAMILIAR = 0.05  # interest in a race that has come to one outcome only,
_HIT = 4.0  # and for each time that one has gone wrong
_ONE_SIDED = 0.1  # what outcomes are worth where the same transactions always commit, or never all of them
_STOPS = 2 / 3  # of the rounds stop a transaction, where that can be
_BETTER = 8.0  # times as often as others the way is taken by which most rounds went wrong


@dataclass(frozen=True)
class Verdict:
    """wrong: what is wrong with it, if anything. index: of this outcome among those of the race."""

    index: int
    committed: bool
    wrong: Wrong | None
    outcome: ProgramOutcome
    judgement: SerialJudgement


class Aim(NamedTuple):
    """When transactions are let go, by buckets, and which of them is stopped, if one is."""

    stopped: int | None
    cell: Cell


@dataclass
class Raced:
    """A race with what it has shown so far. offsets: by the transaction that was stopped. committed: rounds
    in which all transactions did. told: what is wrong with it has been."""

    race: Race
    level: str
    program: Program
    verdicts: dict[object, Verdict] = field(default_factory=dict)
    outcomes: Counter[int] = field(default_factory=Counter)
    offsets: dict[int | None, OffsetCounts] = field(default_factory=dict)
    committed: int = 0
    hits: int = 0
    told: bool = False
    failures: Counter[Wrong] = field(default_factory=Counter)

    @property
    def interest(self) -> float:
        """By the entropy of its outcomes, in bits: most where as many rounds commit in full as do not, since
        there the database has something to decide. What went wrong once is worth more."""
        number = max(self.outcomes.total(), 1)
        share = self.committed / number
        entropy = -sum(n / number * log2(n / number) for n in self.outcomes.values())
        decided = _ONE_SIDED + (1 - _ONE_SIDED) * 4 * share * (1 - share)
        return _UNFAMILIAR + _HIT * self.hits + entropy * decided

    def tell(self, aim: Aim, verdict: Verdict) -> None:
        self.outcomes[verdict.index] += 1
        self.committed += verdict.committed
        self.offsets.setdefault(aim.stopped, OffsetCounts()).tell(aim.cell, verdict.wrong is not None)


class JudgesRounds(Protocol):
    """The hunt that a slice belongs to."""

    def bandit(self, race: Race, placement: Placement, stopped: int | None) -> OffsetBandit: ...

    def verdict(self, raced: Raced, opened: OpenTables, runner: RoundRunner, round_: Round) -> Verdict: ...

    def count(self, verdict: Verdict, *, control: bool) -> None: ...


class Slice:
    """Some hundred rounds of one race, its sessions on the same processors."""

    def __init__(
        self, hunt: JudgesRounds, raced: Raced, opened: OpenTables, runner: RoundRunner, placement: Placement
    ) -> None:
        self._hunt, self.raced, self._opened, self._runner = hunt, raced, opened, runner
        self.placement = placement
        number = len(raced.race.held)
        ways = (None, *range(number)) if stoppable(opened.sessions(number)) else (None,)
        self._bandits = {way: hunt.bandit(raced.race, placement, way) for way in ways}
        self._orders = tuple(permutations(range(len(raced.race.held))))
        self.order: tuple[int, ...] = self._orders[0]  # of the last round

    def run(self, random: Random) -> tuple[Aim, Round, Verdict] | None:
        """The first round that went wrong, after which the slice ends."""
        for _ in range(CONTROLS):
            self._control(random.choice(self._orders))
        for _ in range((SLICE if self.raced.outcomes else LOOK) - CONTROLS):
            aim = self._aim(random)
            round_, verdict = self._round(aim, random)
            if verdict.wrong is not None:
                return aim, round_, verdict
        return None

    def _aim(self, random: Random) -> Aim:
        ways, stops = list(self._bandits), max(len(self._bandits) - 1, 1)
        most = max(each.share for each in self._bandits.values())
        weights = [
            (1 - _STOPS if way is None else _STOPS / stops)
            * (1 + (_BETTER * bandit.share / most if most else 0.0))
            for way, bandit in self._bandits.items()
        ]
        [way] = random.choices(ways, weights)
        return Aim(way, self._bandits[way].cell(random))

    def _round(self, aim: Aim, random: Random) -> tuple[Round, Verdict]:
        round_ = self._let_go(timing(aim.cell, random, aim.stopped))
        verdict = self._hunt.verdict(self.raced, self._opened, self._runner, round_)
        self._hunt.count(verdict, control=False)
        self._bandits[aim.stopped].tell(aim.cell, verdict.index, verdict.wrong is not None)
        self.raced.tell(aim, verdict)
        return round_, verdict

    def _let_go(self, when: Timing) -> Round:
        self.order = tuple(sorted(range(len(when.lags)), key=when.lags.__getitem__))
        return self._runner.round(when)

    def so_far(self) -> tuple[Answers, ...]:
        return self._runner.so_far()

    def again(self, aim: Aim, random: Random, what: Wrong) -> tuple[int, int]:
        """How often it shows, of how many rounds: by turns under the same offsets, and under those that the
        bandit takes, since a machine is not as punctual as its clock."""
        shown = tries = 0
        sessions = self._opened.sessions(len(self.raced.race.held) + 1)
        with placed(sessions, self.placement):
            while tries < _AGAIN and shown < _OFTEN:
                near = aim if tries % 2 == 0 else Aim(aim.stopped, self._bandits[aim.stopped].cell(random))
                _, verdict = self._round(near, random)
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


def told(raced: Raced, stopped: int | None) -> tuple[OffsetCount, ...]:
    """The rounds of the race in which this transaction was stopped, by bucket of each offset."""
    labels = list(raced.race.program.labels)
    first = labels.pop(stopped or 0)
    behind = [first] * len(labels)
    if stopped is not None:
        behind = [*(f"the stop of {first}" for _ in labels), first]
        labels.append("stop")
    counts = raced.offsets.get(stopped, OffsetCounts())
    return tuple(
        OffsetCount(label, axis.text(bucket), rounds, hits, whom)
        for at, (label, axis, whom) in enumerate(
            zip(labels, axes(len(raced.race.held), stopped), behind, strict=True)
        )
        for bucket, (rounds, hits) in counts.along(at).items()
    )
