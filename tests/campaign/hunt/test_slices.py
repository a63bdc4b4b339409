"""The coordinator of a hunt: what slices come to is put together once, and what is lost is run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from txfuzz.campaign.hunt.slices import HuntNews, HuntSlice, HuntSlices
from txfuzz.errors import UsageError
from txfuzz.hunt.generate import BLOCK
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.program import SmallProgram
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult

HOLE = FoundHole("a_b", Wrong.NO_ORDER, "serializable", ("a", "b"), "plain", "", "", "", 3, 1, 3, 3)


class NoPrograms:
    def program(self, number: int) -> SmallProgram | None:
        return None


class Told:
    def __init__(self) -> None:
        self.holes: list[tuple[FoundHole, Mapping[str, str]]] = []
        self.lost: list[str] = []

    def slices(self, budget: Budget, workers: int = 2, earlier: HuntResult | None = None) -> HuntSlices:
        return HuntSlices(
            budget,
            workers,
            NoPrograms(),
            earlier or HuntResult(HuntCounts()),
            on_hole=lambda hole, files: self.holes.append((hole, files)),
            on_news=lambda counts, holes: True,
            on_lost=self.lost.append,
        )


def news(number: int, schedules: int, *holes: FoundHole, **more: object) -> HuntNews:
    counts = HuntCounts(number=number, programs=schedules, schedules=schedules)
    result = HuntResult(counts, holes, **more)  # type: ignore[arg-type]  # fields of it
    return HuntNews("a server", result, {0: {"story.md": "text"}})


def taken(slices: HuntSlices) -> HuntSlice:
    asked = slices.take()
    assert asked is not None
    return asked


def test_what_is_told_again_and_again_counts_once() -> None:
    slices = Told().slices(Budget())
    one, other = taken(slices), taken(slices)
    assert (one.numbers, other.numbers) == (range(BLOCK), range(BLOCK, 2 * BLOCK))
    slices.told(one, news(10, 5, reasons={"late": 1}, covered=frozenset({1})))
    slices.told(other, news(BLOCK + 3, 2, covered=frozenset({1, 2})))
    slices.told(one, news(20, 9, reasons={"late": 3}, covered=frozenset({1})))
    result = slices.result()
    assert (result.counts.schedules, result.counts.covered, result.reasons) == (11, 2, {"late": 3})
    assert result.left == ((20, BLOCK), (BLOCK + 3, 2 * BLOCK))
    assert result.counts.number == 2 * BLOCK


def test_a_hole_that_two_workers_find_is_one() -> None:
    told = Told()
    slices = told.slices(Budget())
    one, other = taken(slices), taken(slices)
    slices.told(one, news(10, 5))
    slices.told(other, news(BLOCK + 10, 4, HOLE))
    slices.told(one, news(20, 8, replace(HOLE, name="a_b_c", forms=("a", "b", "c"), hits=2)))
    slices.told(one, news(20, 8, replace(HOLE, name="a_b_c", forms=("a", "b", "c"), hits=2)))
    slices.told(other, news(BLOCK + 11, 5, replace(HOLE, wrong=Wrong.STUCK)))
    first, second = slices.result().holes
    assert (first.name, first.hits, first.first) == ("a_b", 3, 5 + 3)
    assert second.wrong is Wrong.STUCK
    assert [files for _, files in told.holes] == [{"story.md": "text"}] * 2
    slices.ended(one)
    assert taken(slices).holes == (first, second)


def test_a_lost_slice_goes_on_where_it_was() -> None:
    told = Told()
    slices = told.slices(Budget())
    one = taken(slices)
    slices.told(one, news(10, 5))
    slices.lost(one, "worker 1 was lost: it was ended by SIGKILL")
    again = taken(slices)
    assert (again.numbers, again.losses) == (range(10, BLOCK), 1)
    assert told.lost == ["worker 1 was lost: it was ended by SIGKILL; another one goes on from program 10"]
    slices.told(again, news(12, 1))
    assert slices.result().counts.schedules == 6


def test_a_program_that_ends_its_workers_is_left_out_alone() -> None:
    told = Told()
    slices = told.slices(Budget(), workers=1)
    while (asked := taken(slices)).numbers.stop <= BLOCK:
        if 10 in asked.numbers:
            slices.lost(asked, "worker 1 was lost: it exited with code 7")
        else:
            slices.told(asked, news(asked.numbers.stop, 0))
            slices.ended(asked)
    assert told.lost[-1].endswith("; program 10 is left out, at which workers are lost each time")
    assert len(told.lost) <= 4
    assert slices.result().left == ((BLOCK, 2 * BLOCK),)


def test_schedules_are_shared_out() -> None:
    slices = Told().slices(Budget(schedules=100))
    one, other = taken(slices), taken(slices)
    assert (one.schedules, other.schedules) == (50, 50)
    assert slices.take() is None
    slices.told(one, news(10, 50))
    slices.ended(one)
    slices.told(other, news(BLOCK + 10, 20))
    slices.told(other, news(2 * BLOCK, 20))
    slices.ended(other)
    assert taken(slices).schedules == 15
    assert not slices.enough()


def test_behind_the_last_program_there_is_nothing() -> None:
    slices = Told().slices(Budget())
    one, other = taken(slices), taken(slices)
    slices.told(other, news(BLOCK, 0, exhausted=True))
    slices.ended(other)
    slices.told(one, news(BLOCK - 1, 3))
    assert not slices.result().exhausted
    slices.told(one, news(BLOCK, 3))
    slices.ended(one)
    assert slices.take() is None
    assert slices.result().exhausted


def test_what_was_left_comes_first() -> None:
    earlier = HuntResult(HuntCounts(number=2 * BLOCK, schedules=7), left=((3, 9), (12, BLOCK)))
    slices = Told().slices(Budget(), earlier=earlier)
    assert [taken(slices).numbers for _ in range(3)] == [
        range(3, 9), range(12, BLOCK), range(2 * BLOCK, 3 * BLOCK),
    ]  # fmt: skip


def test_no_program_at_all_is_said() -> None:
    slices = Told().slices(Budget())
    for _ in range(100):
        asked = taken(slices)
        slices.told(asked, news(asked.numbers.stop, 0))
        slices.ended(asked)
    asked = taken(slices)
    with pytest.raises(UsageError, match="conflict in a circle"):
        slices.ended(asked)


def test_no_program_without_the_forms_that_are_left_out_is_the_end() -> None:
    slices = Told().slices(Budget())
    while (asked := slices.take()) is not None:
        slices.told(asked, news(asked.numbers.stop, 0, left_out=("form 'a' on layout 'b': it fails",)))
        slices.ended(asked)
    result = slices.result()
    assert result.exhausted
    assert result.left_out
