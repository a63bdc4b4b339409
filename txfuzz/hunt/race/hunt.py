"""A hunt by races: each race for a few hundred rounds, those that come to many outcomes for more.

Every different outcome of a race is judged once, by serial orders. One that no order explains has to show
again under the same offsets before it counts.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from txfuzz.check.finding.failures import failures
from txfuzz.check.finding.result import Finding
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.check.serial.outcome import Ending
from txfuzz.database.api import SessionError
from txfuzz.database.scenario import ScenarioSession
from txfuzz.errors import DatabaseUnavailable
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.judging.known import KnownHole, known_hole
from txfuzz.hunt.judging.quarry import Quarry
from txfuzz.hunt.judging.wrong import FAILURES, Wrong
from txfuzz.hunt.program import as_check
from txfuzz.hunt.race.offsets import OffsetBandit
from txfuzz.hunt.race.outcome import outcome_of, trace_of, unended
from txfuzz.hunt.race.processors import Placement, placed, placements
from txfuzz.hunt.race.race import Race, RaceSource
from txfuzz.hunt.race.result import RaceCounts, RacedHole, RaceResult
from txfuzz.hunt.race.rounds import RacedSession, Round, RoundFailed, RoundRunner
from txfuzz.hunt.race.slice import Aim, Raced, Slice, Verdict, told
from txfuzz.hunt.result import FoundHole
from txfuzz.hunt.tables import HuntTables, OpenTables

_CONTROLLED = 20  # rounds in each order when something was found
_NEW = 0.5  # of the slices are of a new race
_TOGETHER = 2  # times as many slices have their sessions on one processor, where one can put off another
_POOL = 16  # races that are gone on with
_FAILED_OFTEN = 2  # times in one race, before a statement that does not return or a lost connection counts
_MOMENT = 0.1  # seconds until a server that goes down has ended those that still answer


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
        log: Callable[[], tuple[str, ...] | None] = lambda: None,
        earlier: RaceResult | None = None,
    ) -> None:
        self._tables, self._quarry, self._source = tables, quarry, source
        self._on_hole, self._on_progress, self._log = on_hole, on_progress, log
        before = earlier or RaceResult(RaceCounts())
        self._levels = [level for level, promise in quarry.levels.items() if promise.serial]
        self._random = Random(f"{seed} races {before.counts.number or ''}".strip())
        self._counts, self._holes = before.counts, list(before.holes)
        self._reasons = Counter(before.reasons)
        self._pool: list[Raced] = []
        self._bandits: dict[tuple[str, Placement, int | None], OffsetBandit] = {}
        self._began = 0.0

    def run(self, budget: Budget) -> RaceResult:
        self._began = time.monotonic() - self._counts.seconds
        before = self._counts
        interrupted = False
        while not interrupted:
            if budget.seconds is not None and self._seconds() - before.seconds >= budget.seconds:
                break
            if budget.schedules is not None and self._counts.rounds - before.rounds >= budget.schedules:
                break
            self._slice(self._chosen())
            self._counts = replace(self._counts, seconds=self._seconds())
            interrupted = not self._on_progress(self._counts, self._holes)
        return replace(self.result(), interrupted=interrupted)

    def result(self) -> RaceResult:
        """What it has come to so far."""
        return RaceResult(self._counts, tuple(self._holes), dict(self._reasons))

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _chosen(self) -> Raced:
        if self._pool and self._random.random() >= _NEW:
            [raced] = self._random.choices(self._pool, [each.interest for each in self._pool])
            self._pool.remove(raced)
            return raced
        race = self._source.race(self._counts.number)
        self._counts = replace(self._counts, number=self._counts.number + 1, races=self._counts.races + 1)
        return Raced(race, self._random.choice(self._levels), as_check(race.program))

    def _slice(self, raced: Raced) -> None:
        race, slice_ = raced.race, None
        try:
            opened = self._tables.opened(race.program.layout, race.program.states)
            sessions = opened.sessions(len(race.held) + 1)
            placement = self._placement(sessions)
            runner = RoundRunner(opened.tables, [RacedSession(each) for each in sessions], race, raced.level)
            slice_ = Slice(self, raced, opened, runner, placement)
            with placed(sessions, placement):
                found = slice_.run(self._random)
            if found is not None:
                self._met(slice_, *found)
        except (RoundFailed, SessionError, DatabaseUnavailable) as error:
            self._came_to_nothing(raced, slice_, error)
            return
        self._keep_for_more(raced)

    def _placement(self, sessions: Sequence[ScenarioSession]) -> Placement:
        found = placements(sessions)
        return self._random.choices(
            found, [_TOGETHER if each is Placement.TOGETHER else 1 for each in found]
        )[0]

    def _came_to_nothing(
        self, raced: Raced, slice_: Slice | None, error: RoundFailed | SessionError | DatabaseUnavailable
    ) -> None:
        what = self._failure(raced.race, error)
        if what is None or slice_ is None:
            self._counts = replace(self._counts, unusable=self._counts.unusable + 1)
            return
        raced.failures[what] += 1
        # A server that went down is a fact; a connection can be ended, and a machine be too busy, once
        if what is not Wrong.CRASH and raced.failures[what] < _FAILED_OFTEN:
            self._counts = replace(self._counts, unconfirmed=self._counts.unconfirmed + 1)
            self._pool.append(raced)
            return
        self._failed(raced, slice_, what)

    def _failure(self, race: Race, error: RoundFailed | SessionError | DatabaseUnavailable) -> Wrong | None:
        """How the database has failed; None where the race is only one that cannot be run. What cannot be
        used any more is made anew."""
        place = race.program.layout, race.program.states
        if isinstance(error, RoundFailed | SessionError) and not error.lost:
            return None
        if isinstance(error, RoundFailed):
            self._tables.discard(*place)
            return Wrong.STUCK if error.stuck else None
        try:
            time.sleep(_MOMENT)
            self._tables.opened(*place).tables.tables()
        except (SessionError, DatabaseUnavailable):
            self._tables.revive()
            return Wrong.CRASH
        self._tables.discard(*place)
        return Wrong.LOST

    def _failed(self, raced: Raced, slice_: Slice, what: Wrong) -> None:
        attempt = replace(unended(raced.race, slice_.so_far(), slice_.order, what), isolation=raced.level)
        if self._is_another(raced, attempt, what):
            return
        raced.hits, raced.told = raced.hits + 1, True
        again = raced.failures[what] - 1
        shown = again, raced.outcomes.total()
        self._tell(slice_, None, attempt, what, self._counts.rounds, shown, (0, 0))

    def _keep_for_more(self, raced: Raced) -> None:
        if not raced.told:
            self._pool.append(raced)
        if len(self._pool) > _POOL:
            self._pool.remove(min(self._pool, key=lambda each: each.interest))

    def bandit(self, race: Race, placement: Placement, stopped: int | None) -> OffsetBandit:
        key = race.kind, placement, stopped
        if key not in self._bandits:
            self._bandits[key] = OffsetBandit(len(race.held), stopped)
        return self._bandits[key]

    def verdict(self, raced: Raced, opened: OpenTables, runner: RoundRunner, round_: Round) -> Verdict:
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
        verdict = Verdict(len(raced.verdicts), committed, what, outcome, judgement)
        raced.verdicts[key] = verdict
        self._counts = replace(self._counts, outcomes=self._counts.outcomes + 1)
        return verdict

    def count(self, verdict: Verdict, *, control: bool) -> None:
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

    def _met(self, slice_: Slice, aim: Aim, round_: Round, verdict: Verdict) -> None:
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
        shown, tries = slice_.again(aim, self._random, verdict.wrong)
        if not shown and before:  # under other offsets, it has
            shown, tries = before, raced.outcomes.total() - 1
        if not shown:
            self._counts = replace(self._counts, unconfirmed=self._counts.unconfirmed + 1)
            return
        raced.told = True
        if before:
            self._counts = replace(self._counts, unconfirmed=self._counts.unconfirmed - before)
        control = slice_.controlled(_CONTROLLED)
        self._tell(slice_, aim.stopped, attempt, verdict.wrong, first, (shown, tries), control, seconds)

    def _tell(
        self,
        slice_: Slice,
        stopped: int | None,
        attempt: FollowedSchedule,
        what: Wrong,
        first: int,
        again: tuple[int, int],
        control: tuple[int, int],
        seconds: float | None = None,
    ) -> None:
        raced = slice_.raced
        known = self._known(raced.race, attempt, what, control[0])
        forms = tuple(form.name for form in raced.race.program.forms)
        hole = FoundHole(
            known.name if known is not None else "_".join(("race", *forms)),
            what,
            raced.level,
            forms,
            raced.race.program.layout.name,
            known.name if known is not None else "",
            known.about if known is not None else "",
            known.reference if known is not None else "",
            first,
            1 + again[0],
            *again,
            log=self._log() if what in FAILURES else (),
        )
        setup = raced.race.program.layout.statements(raced.race.program.states)
        wanted = failures(attempt) or (what.value,)
        finding = Finding(attempt, attempt, wanted, *again, promised=True, setup=setup)
        found = RacedHole(
            hole,
            raced.race.points(),
            _where(slice_.placement, raced.race, stopped),
            *control,
            told(raced, stopped),
            self._seconds() if seconds is None else seconds,
        )
        self._holes.append(self._on_hole(found, finding))

    def _known(self, race: Race, attempt: FollowedSchedule, what: Wrong, control: int) -> KnownHole | None:
        quarry = self._quarry
        promise = quarry.levels[attempt.isolation]
        found = known_hole(quarry.known, race.program, attempt, what, promise, quarry.version)
        if found is None and not control:
            found = known_race(quarry.known, race.signs, attempt.isolation, quarry.version)
        return found

    def _is_another(self, raced: Raced, attempt: FollowedSchedule, what: Wrong) -> bool:
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


def _where(placement: Placement, race: Race, stopped: int | None) -> str:
    if stopped is None:
        return placement.value
    return f"{placement.value}, {race.program.labels[stopped]} stopped in the middle"


def known_race(
    holes: Sequence[KnownHole], signs: frozenset[str], level: str, version: tuple[int, ...]
) -> KnownHole | None:
    """The hole that a race with these signs shows."""
    for hole in holes:
        if hole.raced and hole.raced <= signs and hole.is_of(level, version):
            return hole
    return None
