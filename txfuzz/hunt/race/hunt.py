"""A hunt by races: each race for a few hundred rounds, those that come to many outcomes for more.

Every different outcome of a race is judged once, by serial orders. One that no order explains has to show
again under the same offsets before it counts.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from math import log2
from random import Random

from txfuzz.check.finding.failures import failures
from txfuzz.check.finding.result import Finding
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.check.serial.outcome import Ending, ProgramOutcome
from txfuzz.database.api import SessionError
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.judging.known import KnownHole, known_hole
from txfuzz.hunt.judging.quarry import Quarry
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.program import as_check
from txfuzz.hunt.race.offsets import Cell, OffsetBandit, OffsetCounts, bucket_text, far_apart, offsets
from txfuzz.hunt.race.outcome import outcome_of, trace_of
from txfuzz.hunt.race.processors import Placement, placed, placements
from txfuzz.hunt.race.race import Race, RaceSource
from txfuzz.hunt.race.result import OffsetCount, RaceCounts, RacedHole, RaceResult
from txfuzz.hunt.race.rounds import RacedSession, Round, RoundFailed, RoundRunner
from txfuzz.hunt.result import FoundHole
from txfuzz.hunt.tables import HuntTables, OpenTables

SLICE = 300  # rounds of a race, one after the other
CONTROLS = 2  # of which so many with offsets far apart
_GAP = 1.5e-3  # seconds between those
_CONTROLLED = 20  # rounds in each order when something was found
_AGAIN = 3_000  # rounds, at most, in which it must show again
_OFTEN = 3  # times after which it has
_NEW = 0.5  # of the slices are of a new race
_POOL = 16  # races that are gone on with
_UNFAMILIAR = 0.1  # interest in a race that has come to one outcome only,
_HIT = 4.0  # and for each time that one has gone wrong


@dataclass(frozen=True)
class _Verdict:
    """wrong: what is wrong with it, if anything. index: of this outcome among those of the race."""

    index: int
    committed: bool
    wrong: Wrong | None
    outcome: ProgramOutcome
    judgement: SerialJudgement


@dataclass
class _Raced:
    """A race with what it has shown so far. told: what is wrong with it has been."""

    race: Race
    level: str
    program: Program
    verdicts: dict[object, _Verdict] = field(default_factory=dict)
    outcomes: Counter[int] = field(default_factory=Counter)
    offsets: OffsetCounts = field(default_factory=OffsetCounts)
    hits: int = 0
    told: bool = False

    @property
    def interest(self) -> float:
        """By the entropy of its outcomes, in bits; what went wrong once is worth more."""
        number = self.outcomes.total()
        return (
            _UNFAMILIAR
            + _HIT * self.hits
            - sum(n / number * log2(n / number) for n in self.outcomes.values())
        )


class RaceHunt:
    """on_hole: is told of each hole when it is found, and gives it back with its story. on_progress: of the
    counts, after every slice; it ends the hunt by False."""

    def __init__(
        self,
        tables: HuntTables,
        quarry: Quarry,
        source: RaceSource,
        seed: int,
        *,
        on_hole: Callable[[RacedHole, Finding], RacedHole],
        on_progress: Callable[[RaceCounts, Sequence[RacedHole]], bool] = lambda counts, holes: True,
    ) -> None:
        self._tables, self._quarry, self._source = tables, quarry, source
        self._on_hole, self._on_progress = on_hole, on_progress
        self._levels = [level for level, promise in quarry.levels.items() if promise.serial]
        self._random = Random(f"{seed} races")
        self._counts = RaceCounts()
        self._holes: list[RacedHole] = []
        self._reasons: Counter[str] = Counter()
        self._pool: list[_Raced] = []
        self._bandits: dict[tuple[str, Placement], OffsetBandit] = {}
        self._began = 0.0

    def run(self, budget: Budget) -> RaceResult:
        self._began = time.monotonic()
        interrupted = False
        while not interrupted:
            if budget.seconds is not None and self._seconds() >= budget.seconds:
                break
            if budget.schedules is not None and self._counts.rounds >= budget.schedules:
                break
            self._slice(self._chosen())
            self._counts = replace(self._counts, seconds=self._seconds())
            interrupted = not self._on_progress(self._counts, self._holes)
        return RaceResult(self._counts, tuple(self._holes), self._reasons, interrupted)

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _chosen(self) -> _Raced:
        if self._pool and self._random.random() >= _NEW:
            [raced] = self._random.choices(self._pool, [each.interest for each in self._pool])
            self._pool.remove(raced)
            return raced
        race = self._source.race(self._counts.number)
        self._counts = replace(self._counts, number=self._counts.number + 1, races=self._counts.races + 1)
        return _Raced(race, self._random.choice(self._levels), as_check(race.program))

    def _slice(self, raced: _Raced) -> None:
        race = raced.race
        opened = self._tables.opened(race.program.layout, race.program.states)
        sessions = opened.sessions(len(race.held) + 1)
        placement = self._random.choice(placements(sessions))
        try:
            runner = RoundRunner(opened.tables, [RacedSession(each) for each in sessions], race, raced.level)
            slice_ = _Slice(self, raced, opened, runner, placement)
            with placed(sessions, placement):
                found = slice_.run(self._random)
            if found is not None:
                self._met(slice_, *found)
        except (RoundFailed, SessionError) as error:
            self._counts = replace(self._counts, unusable=self._counts.unusable + 1)
            if error.lost:  # its sessions are of no more use
                opened.close_sessions()
            return
        self._keep_for_more(raced)

    def _keep_for_more(self, raced: _Raced) -> None:
        if not raced.told:
            self._pool.append(raced)
        if len(self._pool) > _POOL:
            self._pool.remove(min(self._pool, key=lambda each: each.interest))

    def bandit(self, race: Race, placement: Placement) -> OffsetBandit:
        return self._bandits.setdefault((race.kind, placement), OffsetBandit(len(race.held)))

    def verdict(self, raced: _Raced, opened: OpenTables, runner: RoundRunner, round_: Round) -> _Verdict:
        key = (round_.answers, round_.tables)
        known = raced.verdicts.get(key)
        if known is not None:
            return known
        outcome = outcome_of(raced.race, round_, runner)
        judgement = opened.runner().judge(raced.program, outcome)
        runner.restart()
        internal = tuple(self._quarry.internal)
        codes = [sent.code for answers in round_.answers for sent in answers if sent.code]
        what = Wrong.NO_ORDER if judgement.answer is SerialAnswer.UNEXPLAINED else None
        if internal and any(code.startswith(internal) for code in codes):
            what = Wrong.INTERNAL
        committed = len(outcome.ended(Ending.COMMITTED)) == len(outcome.transactions)
        verdict = _Verdict(len(raced.verdicts), committed, what, outcome, judgement)
        raced.verdicts[key] = verdict
        self._counts = replace(self._counts, outcomes=self._counts.outcomes + 1)
        return verdict

    def count(self, verdict: _Verdict, *, control: bool) -> None:
        counts, unknown = self._counts, verdict.judgement.answer is SerialAnswer.UNKNOWN
        self._counts = replace(
            counts,
            rounds=counts.rounds + 1,
            committed=counts.committed + verdict.committed,
            unknown=counts.unknown + unknown,
            control_rounds=counts.control_rounds + control,
            control_hits=counts.control_hits + (control and verdict.wrong is not None),
        )
        if unknown:
            self._reasons[verdict.judgement.reason] += 1

    def _met(self, slice_: _Slice, cell: Cell, round_: Round, verdict: _Verdict) -> None:
        """A round that went wrong: is it another one of a hole that is there, does it show again?"""
        raced, first = slice_.raced, self._counts.rounds
        seconds = self._seconds()
        raced.hits += 1
        assert verdict.wrong is not None
        attempt = FollowedSchedule(
            raced.program, raced.level, trace_of(raced.race, round_), verdict.outcome, verdict.judgement
        )
        if self._is_another(raced, attempt, verdict.wrong):
            raced.told = True
            return
        before = raced.hits - 1
        shown, tries = slice_.again(cell, self._random, verdict.wrong)
        if not shown and before:  # under other offsets, it has
            shown, tries = before, raced.outcomes.total() - 1
        if not shown:
            self._counts = replace(self._counts, unconfirmed=self._counts.unconfirmed + 1)
            return
        raced.told = True
        if before:
            self._counts = replace(self._counts, unconfirmed=self._counts.unconfirmed - before)
        control, controls = slice_.controlled(_CONTROLLED)
        known = self._known(raced.race, attempt, verdict.wrong, control)
        forms = tuple(form.name for form in raced.race.program.forms)
        name = known.name if known is not None else "_".join(("race", *forms))
        hole = FoundHole(
            name,
            verdict.wrong,
            raced.level,
            forms,
            raced.race.program.layout.name,
            known.name if known is not None else "",
            known.about if known is not None else "",
            known.reference if known is not None else "",
            first,
            1 + shown,
            shown,
            tries,
        )
        finding = Finding(
            attempt,
            attempt,
            failures(attempt) or (verdict.wrong.value,),
            shown,
            tries,
            promised=True,
            setup=raced.race.program.layout.statements(raced.race.program.states),
        )
        found = RacedHole(
            hole,
            raced.race.points(),
            slice_.placement.value,
            control,
            controls,
            _told(raced),
            seconds,
        )
        self._holes.append(self._on_hole(found, finding))

    def _known(self, race: Race, attempt: FollowedSchedule, what: Wrong, control: int) -> KnownHole | None:
        quarry = self._quarry
        promise = quarry.levels[attempt.isolation]
        found = known_hole(quarry.known, race.program, attempt, what, promise, quarry.version)
        if found is None and not control:
            found = known_race(quarry.known, race.signs, attempt.isolation, quarry.version)
        return found

    def _is_another(self, raced: _Raced, attempt: FollowedSchedule, what: Wrong) -> bool:
        known = self._known(raced.race, attempt, what, 0)
        forms = {form.name for form in raced.race.program.forms}
        for at, each in enumerate(self._holes):
            hole = each.hole
            if (hole.wrong, hole.isolation) != (what, raced.level):
                continue
            same = (
                hole.known == known.name if known is not None else not hole.known and set(hole.forms) <= forms
            )
            if same:
                self._holes[at] = replace(each, hole=hole.again())
                return True
        return False


class _Slice:
    """Some hundred rounds of one race, its sessions on the same processors."""

    def __init__(
        self, hunt: RaceHunt, raced: _Raced, opened: OpenTables, runner: RoundRunner, placement: Placement
    ) -> None:
        self._hunt, self.raced, self._opened, self._runner = hunt, raced, opened, runner
        self.placement = placement
        self._bandit = hunt.bandit(raced.race, placement)
        self._orders = tuple(permutations(range(len(raced.race.held))))

    def run(self, random: Random) -> tuple[Cell, Round, _Verdict] | None:
        """The first round that went wrong, after which the slice ends."""
        for _ in range(CONTROLS):
            self._control(random.choice(self._orders))
        for _ in range(SLICE - CONTROLS):
            cell = self._bandit.cell(random)
            round_, verdict = self._round(cell, random)
            if verdict.wrong is not None:
                return cell, round_, verdict
        return None

    def _round(self, cell: Cell, random: Random) -> tuple[Round, _Verdict]:
        round_ = self._runner.round(offsets(cell, random))
        verdict = self._hunt.verdict(self.raced, self._opened, self._runner, round_)
        hit = verdict.wrong is not None
        self._hunt.count(verdict, control=False)
        self._bandit.tell(cell, verdict.index, hit)
        self.raced.outcomes[verdict.index] += 1
        self.raced.offsets.tell(cell, hit)
        return round_, verdict

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
        round_ = self._runner.round(far_apart(order, _GAP))
        verdict = self._hunt.verdict(self.raced, self._opened, self._runner, round_)
        self._hunt.count(verdict, control=True)
        return verdict.wrong is not None


def known_race(
    holes: Sequence[KnownHole], signs: frozenset[str], level: str, version: tuple[int, ...]
) -> KnownHole | None:
    """The hole that a race with these signs shows."""
    for hole in holes:
        if hole.raced and hole.raced <= signs and hole.is_of(level, version):
            return hole
    return None


def _told(raced: _Raced) -> tuple[OffsetCount, ...]:
    labels = raced.race.program.labels
    return tuple(
        OffsetCount(label, bucket_text(bucket), rounds, hits)
        for axis, label in enumerate(labels[1:])
        for bucket, (rounds, hits) in raced.offsets.along(axis).items()
    )
