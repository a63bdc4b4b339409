"""Which races are gone on with, and what is told of their offsets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from tests.hunt.samples import PRESENT, SELECT, UPDATE, program
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.check.serial.outcome import ProgramOutcome
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.program import as_check
from txfuzz.hunt.race.offsets import OffsetBandit
from txfuzz.hunt.race.processors import Placement
from txfuzz.hunt.race.race import Race
from txfuzz.hunt.race.result import OffsetCount
from txfuzz.hunt.race.rounds import Round
from txfuzz.hunt.race.slice import CONTROLS, LOOK, SLICE, Aim, Raced, Slice, Verdict, told

RACE = Race(program((PRESENT, PRESENT), ((SELECT, 0), (UPDATE, 1)), ((SELECT, 1), (UPDATE, 0))), (2, 2))


def verdict(index: int, *, committed: bool = True, wrong: Wrong | None = None) -> Verdict:
    return Verdict(index, committed, wrong, ProgramOutcome({}), SerialJudgement(SerialAnswer.EXPLAINED))


def raced(*verdicts: tuple[Verdict, int]) -> Raced:
    found = Raced(RACE, "serializable", as_check(RACE.program))
    for each, times in verdicts:
        for _ in range(times):
            found.tell(Aim(None, (3,)), each)
    return found


def test_races_in_which_the_database_decides_are_worth_most() -> None:
    decided = raced((verdict(0), 30), (verdict(1, committed=False), 30))
    never_all = raced((verdict(0, committed=False), 30), (verdict(1, committed=False), 30))
    always = raced((verdict(0), 30), (verdict(1), 30))
    settled = raced((verdict(0), 60))
    assert decided.interest > 5 * never_all.interest
    assert never_all.interest == always.interest > settled.interest > 0
    wrong = raced((verdict(0, wrong=Wrong.NO_ORDER), 1), (verdict(1), 59))
    wrong.hits = 1
    assert wrong.interest > decided.interest


class Hunt:
    """Whose rounds go wrong in one bucket where the first transaction is stopped."""

    def __init__(self) -> None:
        self.bandits: dict[int | None, OffsetBandit] = {}
        self.rounds = self.controls = 0

    def bandit(self, race: Race, placement: Placement, stopped: int | None) -> OffsetBandit:
        return self.bandits.setdefault(stopped, OffsetBandit(len(race.held), stopped))

    def verdict(self, raced: Raced, opened: Any, runner: Any, round_: Round) -> Verdict:
        return verdict(round_.sent[0])

    def count(self, verdict: Verdict, *, control: bool) -> None:
        self.rounds += 1
        self.controls += control


class Runner:
    def __init__(self) -> None:
        self.timings: list[Any] = []

    def round(self, timing: Any) -> Round:
        self.timings.append(timing)
        return Round((), (), tuple(sorted(range(len(timing.lags)), key=timing.lags.__getitem__)))


class Opened:
    def __init__(self, sessions: Sequence[Any]) -> None:
        self._sessions = list(sessions)

    def sessions(self, number: int) -> list[Any]:
        return self._sessions[:number]


class Served:
    def process(self) -> int | None:
        return os.getpid()


def cut(found: Raced, sessions: Sequence[Any]) -> tuple[Hunt, Runner]:
    hunt, runner, opened = Hunt(), Runner(), Opened(sessions)
    slice_ = Slice(hunt, found, opened, runner, Placement.FREE)  # type: ignore[arg-type]  # what it asks of them
    assert slice_.run(Random(1)) is None
    return hunt, runner


def test_a_new_race_is_only_looked_at() -> None:
    found = raced()
    hunt, _ = cut(found, [object(), object(), object()])
    assert (hunt.rounds, hunt.controls) == (LOOK, CONTROLS)
    hunt, _ = cut(found, [object(), object(), object()])
    assert (hunt.rounds, hunt.controls) == (SLICE, CONTROLS)


def test_each_transaction_is_stopped_in_some_rounds_where_that_can_be() -> None:
    found = raced((verdict(0), 1))
    _, runner = cut(found, [Served(), Served(), Served()])
    stopped = {each.stopped for each in runner.timings}
    assert stopped == {None, 0, 1}
    assert set(found.offsets) == stopped
    _, runner = cut(raced(), [object(), object(), object()])
    assert {each.stopped for each in runner.timings} == {None}


@pytest.mark.parametrize(
    ("aim", "counts"),
    [
        (Aim(None, (12,)), [OffsetCount("T2", "+0 to +10", 1, 1, "T1")]),
        (
            Aim(1, (3, 4)),
            [
                OffsetCount("T1", "+0 to +10", 1, 1, "the stop of T2"),
                OffsetCount("stop", "+40 to +50", 1, 1, "T2"),
            ],
        ),
    ],
)  # fmt: skip
def test_offsets_are_told_by_what_they_are_behind(aim: Aim, counts: list[OffsetCount]) -> None:
    found = raced()
    found.tell(aim, verdict(0, wrong=Wrong.NO_ORDER))
    assert list(told(found, aim.stopped)) == counts
