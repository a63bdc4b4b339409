"""The search leaves out what only swaps steps that commute, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import islice

import pytest

from txfuzz.check.scheduling.threads import Body, Stop, run_schedule
from txfuzz.check.scheduling.trace import Trace
from txfuzz.check.search import Schedule, ScheduleSearch
from txfuzz.database.scenario import Accesses

# Each actor's steps: those that it reads, or ("w", name) that it appends its own mark to
Steps = dict[str, tuple[tuple[str, str], ...]]


class Cells:
    """Lists by name; a step reads one or appends to it."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.values: dict[str, list[str]] = {}
        self.last = Accesses()

    def body(self, name: str) -> Body:
        def run(stop: Stop) -> list[str]:
            seen = []
            for number, (f, cell) in enumerate(self._steps[name]):
                stop(number)
                values = self.values.setdefault(cell, [])
                if f == "w":
                    values.append(f"{name}{number}")
                else:
                    seen.append(f"{cell}: {values}")
                touched = frozenset({cell})
                self.last = Accesses(changed=touched) if f == "w" else Accesses(read=touched)
            return seen

        return run


def follow(steps: Steps, schedule: Schedule, *, tells: bool = True) -> tuple[Trace, str]:
    cells = Cells(steps)
    trace = run_schedule(
        {name: cells.body(name) for name in steps},
        schedule,
        lambda names: {},
        seconds=5,
        accesses=lambda name: cells.last if tells else None,
    )
    outcome = {name: each.value for name, each in trace.ended.items()}
    return trace, f"{outcome} {sorted(cells.values.items())}"


def outcomes(steps: Steps, search: ScheduleSearch, *, tells: bool = True) -> list[str]:
    found = []
    for schedule in search:
        trace, outcome = follow(steps, schedule, tells=tells)
        search.followed(schedule, trace)
        found.append(outcome)
    return found


def random_steps(chance: random.Random) -> Steps:
    actors = "abc"[: chance.randint(2, 3)]
    most = 4 if len(actors) == 2 else 2
    return {
        name: tuple((chance.choice("rw"), chance.choice("xyz")) for _ in range(chance.randint(1, most)))
        for name in actors
    }


@pytest.mark.parametrize("seed", range(40))
def test_what_is_left_out_has_no_other_outcome(seed: int) -> None:
    steps = random_steps(random.Random(seed))
    every = outcomes(steps, ScheduleSearch(), tells=False)
    search = ScheduleSearch()
    fewer = outcomes(steps, search)
    assert set(fewer) == set(every)
    assert len(fewer) <= len(every)
    assert search.exhausted


def test_steps_that_never_meet_need_few_schedules() -> None:
    apart: Steps = {name: (("w", name),) * 3 for name in "abc"}
    assert len(outcomes(apart, ScheduleSearch())) < 60  # of 1,680
    readers: Steps = dict.fromkeys("ab", (("r", "x"), ("r", "y"), ("r", "z")))
    assert len(outcomes(readers, ScheduleSearch())) < 10


def test_where_there_are_few_all_are_followed() -> None:
    apart: Steps = {name: (("w", name),) * 3 for name in "ab"}
    assert len(outcomes(apart, ScheduleSearch(all_of=20))) == 20
    assert len(outcomes(apart, ScheduleSearch(all_of=10))) < 20


@pytest.mark.parametrize("all_of", [0, 3, 7, 15])
def test_leaving_out_may_begin_at_any_time(all_of: int) -> None:
    for seed in range(8):
        steps = random_steps(random.Random(seed))
        every = outcomes(steps, ScheduleSearch(), tells=False)
        assert set(outcomes(steps, ScheduleSearch(all_of=all_of))) == set(every)


def test_a_switch_before_a_conflict_comes_first() -> None:
    steps: Steps = {"a": (("w", "p"), ("w", "q"), ("r", "x")), "b": (("w", "x"), ("w", "s"))}
    search = ScheduleSearch(all_of=100)
    schedules = []
    for schedule in islice(search, 3):
        trace, _ = follow(steps, schedule)
        search.followed(schedule, trace)
        schedules.append("".join(trace.schedule))
    assert schedules == ["aaabb", "bbaaa", "aabba"]  # the third one goes between a's last step and the others


def test_a_bound_bounds_memory_too() -> None:
    steps: Steps = dict.fromkeys("abc", (("w", "x"),) * 4)
    search = ScheduleSearch(most=50)
    assert len(outcomes(steps, search)) == 50
    assert not search.exhausted
    assert len(search._frontier) <= 2 * 50 + 64
    plain = outcomes(steps, ScheduleSearch(most=300))
    assert plain[:50] == outcomes(steps, ScheduleSearch(most=50))


def ends_before(schedule: Sequence[str], one: str, other: str) -> bool:
    last = max(at for at, name in enumerate(schedule) if name == one)
    return last < min(at for at, name in enumerate(schedule) if name == other)


def test_real_time_makes_a_difference_of_its_own() -> None:
    apart: Steps = {"a": (("w", "x"), ("w", "x")), "b": (("w", "y"), ("w", "y"))}
    search = ScheduleSearch(real_time=True)
    found = set()
    for schedule in search:
        trace, _ = follow(apart, schedule)
        search.followed(schedule, trace)
        names = trace.schedule
        found.add((ends_before(names, "a", "b"), ends_before(names, "b", "a")))
    assert found == {(True, False), (False, True), (False, False)}


@pytest.mark.parametrize(("times", "complete"), [(1, True), (9, False)])
def test_a_schedule_that_was_missed_gets_one_more_chance(times: int, complete: bool) -> None:
    steps: Steps = dict.fromkeys("ab", (("w", "x"),) * 2)
    search = ScheduleSearch()
    found = set()
    for schedule in search:
        missed = schedule == ("b",) and (times := times - 1) >= 0
        trace, outcome = follow(steps, () if missed else schedule)
        search.followed(schedule, trace)
        found.add(outcome)
    assert search.exhausted is complete
    assert (len(found) == 6) is complete
