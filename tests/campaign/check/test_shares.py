"""How the time for schedules is shared out, and that what it breaks off is gone on with."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from txfuzz.campaign.check import counting, shares
from txfuzz.campaign.check.counting import Budget, Counting, SetSchedules
from txfuzz.campaign.check.shares import Cell, follow_in_turn
from txfuzz.check.program import programs
from txfuzz.check.run import ProgramRunner
from txfuzz.testing.memory.adapter import MemoryAdapter
from txfuzz.testing.memory.checked import SERIALLY, MemoryTables, MemoryTransaction

LEVEL = "read-committed"
ADD = MemoryTransaction("add", (("r", 1), ("append", 1)), 1)


@dataclass
class Clock:
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(shares, "time", found)
    monkeypatch.setattr(counting, "time", found)
    return found


@dataclass
class Work:
    """Schedules that take so many seconds in all. log: who was given how many seconds."""

    name: str
    needs: float
    clock: Clock
    log: list[tuple[str, float]] = field(default_factory=list)

    @property
    def unfinished(self) -> bool:
        return self.needs > 0

    def follow(self, budget: Budget) -> None:
        given = budget.next() - self.clock.now
        self.log.append((self.name, round(given, 2)))
        took = min(given, self.needs)
        self.clock.now += took
        self.needs -= took

    def drop(self) -> None:
        pass


def given(clock: Clock, asked: dict[str, float], others: dict[str, float]) -> list[tuple[str, float]]:
    """Who got how much of 60 seconds."""
    log: list[tuple[str, float]] = []
    cells = [
        Cell(Work(name, needs, clock, log), decides, 1, lambda: 1)
        for decides, works in ((False, others), (True, asked))
        for name, needs in works.items()
    ]
    follow_in_turn(cells, 60.0, lambda: False)
    return log


def test_what_decides_comes_first_and_gets_half(clock: Clock) -> None:
    assert given(clock, {"a": 99, "b": 99}, {"c": 99, "d": 99, "e": 99}) == [
        ("a", 15), ("b", 15), ("c", 10), ("d", 10), ("e", 10),
    ]  # fmt: skip


def test_what_is_not_used_goes_to_those_after_it_and_then_to_what_decides(clock: Clock) -> None:
    assert given(clock, {"a": 99, "b": 1}, {"c": 2, "d": 3}) == [
        ("a", 15), ("b", 15), ("c", 15), ("d", 28), ("a", 39),
    ]  # fmt: skip
    assert clock.now == 60.0


def test_where_all_that_decides_is_done_the_others_get_the_rest(clock: Clock) -> None:
    assert given(clock, {"a": 1}, {"c": 99, "d": 99}) == [("a", 30), ("c", 29.5), ("d", 29.5)]


def test_where_every_level_decides_they_share_evenly(clock: Clock) -> None:
    assert given(clock, {"a": 99, "b": 5, "c": 99}, {}) == [("a", 20), ("b", 20), ("c", 35)]


def test_schedules_are_gone_on_with_where_time_broke_them_off() -> None:
    (_, chosen), = programs([ADD], (), Random(1))  # fmt: skip
    with (
        MemoryAdapter(latency=0.0).open(None) as database,
        MemoryTables(database, ({1: 1},)) as tables,
        ProgramRunner(tables, serial_level=SERIALLY) as runner,
    ):
        whole, parts = (Counting(LEVEL, tables, "serial") for _ in range(2))
        SetSchedules(runner, chosen, whole, most=1000).follow(Budget(60, len(chosen)))
        schedules = SetSchedules(runner, chosen, parts, most=1000)
        goes = 0
        while schedules.unfinished:
            schedules.follow(Budget(0, len(chosen), least=1e-9))
            goes += 1
            assert parts.complete is not schedules.unfinished
    one, other = whole.counts(), parts.counts()
    assert goes > 2
    assert other.complete
    assert (one.schedules, one.failures, one.at_most) == (other.schedules, other.failures, other.at_most)
    assert 0 < one.schedules <= one.at_most
