"""Programs on the database in memory: what is planted is found, and what does not matter does not matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random

import pytest

from txfuzz.check.program import Program, programs
from txfuzz.check.run import RUNS_AGAIN, FollowedSchedule, ProgramResult, ProgramRunner
from txfuzz.check.serial.canonical import Masks, canonical
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.check.serial.outcome import Ending
from txfuzz.database.scenario import Rows
from txfuzz.testing.memory.adapter import MemoryAdapter
from txfuzz.testing.memory.backend import LEVELS
from txfuzz.testing.memory.checked import SERIALLY, MemoryTables, MemoryTransaction
from txfuzz.testing.memory.defects import DEFECTS

SERIALIZABLE = "serializable"
COMMITS = ({1: 1}, {2: 2}, {1: 3})
ADD = MemoryTransaction("add", (("r", 1), ("append", 1)), 1)
READ_BOTH = MemoryTransaction("read both", (("r", 1), ("r", 2)), 2)
ADD_BOTH = MemoryTransaction("add both", (("append", 1), ("append", 2)), 3)
SKEW = MemoryTransaction("skew", (("r", 1), ("append", 2)), 4)
WEKS = MemoryTransaction("weks", (("r", 2), ("append", 1)), 5)
TRANSACTIONS = (ADD, READ_BOTH, ADD_BOTH, SKEW, WEKS)


@contextmanager
def runner(
    *defects: str, commits: Sequence[Mapping[int, int]] = COMMITS, every: int = 1, real_time: bool = False
) -> Iterator[ProgramRunner]:
    adapter = MemoryAdapter(latency=0.0, defects=defects, every=every)
    with (
        adapter.open(None) as database,
        MemoryTables(database, commits) as tables,
        ProgramRunner(tables, serial_level=SERIALLY, real_time=real_time) as ready,
    ):
        yield ready


def pairs(transactions: Sequence[MemoryTransaction] = TRANSACTIONS) -> Iterator[Program]:
    for _, (program, *_) in programs(transactions, (), Random(1)):
        yield program


def counts(result: ProgramResult) -> tuple[object, ...]:
    return (
        result.schedules,
        result.failed,
        result.explained,
        result.unknown,
        result.waited,
        dict(result.aborted),
        result.complete,
    )


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_planted_defect_is_found_at_serializable(defect: str) -> None:
    with runner(defect) as ready:
        results = [ready.check(program, SERIALIZABLE) for program in pairs()]
    failing = [attempt for result in results for attempt in result.failing]
    assert failing
    assert all(attempt.failed_again == (RUNS_AGAIN, RUNS_AGAIN) for attempt in failing)


def test_nothing_is_found_at_serializable_without_a_defect_and_much_below() -> None:
    with runner() as ready:
        for program in pairs():
            result = ready.check(program, SERIALIZABLE)
            assert (result.failed, result.unknown) == (0, 0), program.name
            assert result.complete
        found = {level: sum(ready.check(each, level).failed for each in pairs()) for level in LEVELS}
    assert found.pop(SERIALIZABLE) == 0
    assert all(found.values())


def test_a_defect_that_does_not_strike_again_is_unknown_and_no_finding() -> None:
    with runner("lost-update", every=7) as ready:
        result = ready.check(next(pairs((ADD,))), SERIALIZABLE)
    assert result.failed == 0
    assert result.unknown > 0
    assert "of 3 more runs" in result.reason


def random_program(chance: Random, transactions: int, most: int) -> Program:
    made = [
        MemoryTransaction(
            f"t{number}",
            tuple(
                (chance.choice(("r", "r", "append", "append", "lock")), chance.choice((1, 2, 3)))
                for _ in range(chance.randint(1, most))
            ),
            number,
        )
        for number in range(transactions)
    ]
    return Program("random", tuple((each, {"by": 1}) for each in made))


def outcome_key(attempt: FollowedSchedule) -> object:
    endings = tuple((each.ending, each.code) for each in attempt.outcome.transactions.values())
    return endings, canonical(attempt.outcome, Masks()), attempt.judgement.answer


def outcomes(ready: ProgramRunner, program: Program, level: str, all_of: int | None) -> Counter[object]:
    found: Counter[object] = Counter()

    def take(attempt: FollowedSchedule) -> bool:
        found[outcome_key(attempt)] += 1
        return True

    assert ready.check(program, level, each=take, all_of=all_of).complete
    return found


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("transactions", "most"), [(2, 3), (3, 1)])
def test_what_is_left_out_has_no_other_outcome(level: str, transactions: int, most: int) -> None:
    fewer = more = 0
    with runner() as ready:
        for seed in range(6):
            program = random_program(Random(seed), transactions, most)
            few, all_ = (outcomes(ready, program, level, all_of) for all_of in (0, None))
            assert set(few) == set(all_), seed
            fewer, more = fewer + few.total(), more + all_.total()
    assert fewer < 0.9 * more


def test_names_and_the_order_of_declaration_change_nothing() -> None:
    with runner() as ready:
        for level in LEVELS:
            plain = counts(ready.check(next(pairs((ADD, SKEW))), level))
            renamed = [replace(each, name=f"x{each.name}") for each in (ADD, SKEW)]
            assert counts(ready.check(next(pairs(renamed)), level)) == plain
            one, other = (
                Program("p", ((a, {"by": 1}), (b, {"by": 2}))) for a, b in ((ADD, SKEW), (SKEW, ADD))
            )
            swapped = [counts(ready.check(each, level)) for each in (one, other)]
            assert swapped[0] == swapped[1]


def test_rows_that_nobody_touches_change_nothing() -> None:
    with runner() as plain, runner(commits=({9: 1}, *COMMITS, {8: 1})) as more:
        for level in ("read committed", SERIALIZABLE):
            for one, other in zip(pairs(TRANSACTIONS[:3]), pairs(TRANSACTIONS[:3]), strict=True):
                assert counts(plain.check(one, level)) == counts(more.check(other, level))


class NeverTrue:
    name = "never"

    def rows(self, tables: object) -> Rows:
        return Rows(("n",), ((1,),))


class TrueOnce:
    """Broken the first time that it is asked about, and then never again."""

    name = "once"

    def __init__(self) -> None:
        self.asked = 0

    def rows(self, tables: object) -> Rows:
        self.asked += 1
        return Rows(("n",), ((1,),) if self.asked == 1 else ())


def test_an_invariant_must_break_again() -> None:
    with MemoryAdapter(latency=0.0).open(None) as database, MemoryTables(database, COMMITS) as tables:
        program = next(pairs((READ_BOTH,)))
        with ProgramRunner(tables, (NeverTrue(),), serial_level=SERIALLY) as ready:
            result = ready.check(program, SERIALIZABLE)
            assert result.failed == len(result.failing) == result.schedules
            assert result.explained == 0
        with ProgramRunner(tables, (TrueOnce(),), serial_level=SERIALLY) as ready:
            result = ready.check(program, SERIALIZABLE)
            assert (result.failed, result.unknown) == (0, 1)
            assert result.reason == "the same schedule failed in 0 of 3 more runs"


def test_a_stale_read_of_what_was_answered_is_told_by_real_time_alone() -> None:
    reader = MemoryTransaction("read", (("r", 1),), 2, by=(1,))
    writer = MemoryTransaction("write", (("append", 1),), 1, by=(1,))
    program = Program("p", ((writer, {"by": 1}), (reader, {"by": 1})))
    for real_time, answer in ((False, SerialAnswer.EXPLAINED), (True, SerialAnswer.UNEXPLAINED)):
        with runner("stale-read", real_time=real_time) as ready:
            attempt = ready.follow(program, SERIALIZABLE, ("write (1)", "write (1)", "read (1)", "read (1)"))
            assert attempt.outcome.ended(Ending.COMMITTED) == ("write (1)", "read (1)")
            assert attempt.judgement.answer is answer


def test_a_bound_keeps_the_first_schedules() -> None:
    with runner() as ready:
        program = next(pairs((ADD,)))
        result = ready.check(program, "read committed", most=3)
        assert (result.schedules, result.complete) == (3, False)
        assert result.failing  # the lost update needs one preemption
        stopped = ready.check(program, "read committed", each=lambda _: False)
        assert stopped.schedules == 1
