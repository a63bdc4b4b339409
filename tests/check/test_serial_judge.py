"""The serial judge on small programs of a dictionary, against running every order by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from txfuzz.check.serial.canonical import Masks, canonical
from txfuzz.check.serial.difference import EndingPlace, StatementPlace, TablePlace
from txfuzz.check.serial.judge import Order, SerialAnswer, SerialJudge, SerialRunFailed
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome, StatementOutcome
from txfuzz.database.scenario import Rows

# A step reads a key, or writes to one key what it has last read, plus a number
Step = tuple[str, str, int]
Program = dict[str, tuple[Step, ...]]
NO_MASKS = Masks()


def run(program: Program, schedule: Sequence[str]) -> ProgramOutcome:
    """Each occurrence of a label in the schedule runs its next step, on whatever is there at that moment."""
    rows = {"a": 0, "b": 0}
    last = dict.fromkeys(program, 0)
    seen: dict[str, list[StatementOutcome]] = {label: [] for label in program}
    for label in schedule:
        number = len(seen[label])
        f, key, add = program[label][number]
        if f == "r":
            last[label] = rows[key]
            seen[label].append(StatementOutcome(number, Rows(("v",), ((rows[key],),))))
        else:
            rows[key] = last[label] + add
            seen[label].append(StatementOutcome(number, changed=1))
    return ProgramOutcome(
        {label: CallOutcome(Ending.COMMITTED, tuple(each)) for label, each in seen.items()},
        {"t": Rows(("k", "v"), tuple(rows.items()))},
    )


def serially(program: Program, order: Order) -> ProgramOutcome:
    kept = {label: program[label] for label in order}
    return run(kept, [label for label in order for _ in program[label]])


def random_program(chance: random.Random) -> Program:
    return {
        label: tuple(
            (chance.choice("rw"), chance.choice("ab"), chance.randint(1, 3))
            for _ in range(chance.randint(1, 3))
        )
        for label in ("t1", "t2", "t3")[: chance.randint(2, 3)]
    }


def random_schedule(program: Program, chance: random.Random) -> list[str]:
    schedule = [label for label, steps in program.items() for _ in steps]
    chance.shuffle(schedule)
    return schedule


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1 << 30))
def test_explained_exactly_where_some_order_gives_the_same(seed: int) -> None:
    chance = random.Random(seed)
    program = random_program(chance)
    outcome = run(program, random_schedule(program, chance))
    plain = canonical(outcome, NO_MASKS)
    by_hand = {
        order for order in permutations(program) if canonical(serially(program, order), NO_MASKS) == plain
    }
    judged = SerialJudge(lambda order: serially(program, order), NO_MASKS).judge(outcome)
    if by_hand:
        assert judged.answer is SerialAnswer.EXPLAINED
        assert judged.order in by_hand
    else:
        assert judged.answer is SerialAnswer.UNEXPLAINED
        assert judged.differences
        assert len(judged.others) == len(list(permutations(program))) - 1
        assert all(len(found) >= len(judged.differences) for _, found in judged.others)


INCREMENT: Program = {"t1": (("r", "a", 0), ("w", "a", 1)), "t2": (("r", "a", 0), ("w", "a", 1))}
LOST = run(INCREMENT, ["t1", "t2", "t1", "t2"])


def judge_of(program: Program) -> SerialJudge:
    return SerialJudge(lambda order: serially(program, order), NO_MASKS)


def test_a_lost_update_is_told_by_the_read_that_missed_it() -> None:
    judged = judge_of(INCREMENT).judge(LOST)
    assert judged.answer is SerialAnswer.UNEXPLAINED
    assert judged.order == ("t1", "t2")
    first, table = judged.differences
    assert first.place == StatementPlace("t2", 0)
    assert (first.seen.rows, first.expected.rows) == (((0,),), ((1,),))
    assert table.place == TablePlace("t")
    assert str(first.place) == "step 1 of t2"


def test_an_order_in_time_may_be_asked_for() -> None:
    reader: Program = {"w": (("w", "a", 1),), "r": (("r", "a", 0),)}
    stale = run(reader, ["r", "w"])
    judge = judge_of(reader)
    assert judge.judge(stale).order == ("r", "w")
    assert judge.judge(stale, [("w", "r")]).answer is SerialAnswer.UNEXPLAINED


def test_aborted_transactions_bind_nobody() -> None:
    t1 = LOST.transactions["t1"]
    aborted = ProgramOutcome(
        {"t1": t1, "t2": CallOutcome(Ending.ABORTED, (), "40001")},
        {"t": Rows(("k", "v"), (("a", 1), ("b", 0)))},
    )
    assert judge_of(INCREMENT).judge(aborted).order == ("t1",)


def test_an_unanswered_commit_may_have_happened_or_not() -> None:
    t1 = serially(INCREMENT, ("t1", "t2")).transactions["t1"]
    for value, order in ((1, ("t1",)), (2, ("t1", "t2"))):
        lost = ProgramOutcome(
            {"t1": t1, "t2": CallOutcome(Ending.UNKNOWN)},
            {"t": Rows(("k", "v"), (("a", value), ("b", 0)))},
        )
        assert judge_of(INCREMENT).judge(lost).order == order
    neither = ProgramOutcome(
        {"t1": t1, "t2": CallOutcome(Ending.UNKNOWN)}, {"t": Rows(("k", "v"), (("a", 7), ("b", 0)))}
    )
    assert judge_of(INCREMENT).judge(neither).answer is SerialAnswer.UNKNOWN


def test_an_order_in_which_one_would_not_commit_explains_nothing() -> None:
    def serial(order: Order) -> ProgramOutcome:
        """Whoever comes second meets a unique index."""
        return ProgramOutcome(
            {
                label: CallOutcome(Ending.ABORTED, (), "23505") if number else CallOutcome(Ending.COMMITTED)
                for number, label in enumerate(order)
            }
        )

    both = ProgramOutcome({label: CallOutcome(Ending.COMMITTED) for label in ("t1", "t2")})
    judged = SerialJudge(serial, NO_MASKS).judge(both)
    assert judged.answer is SerialAnswer.UNEXPLAINED
    assert judged.differences[0].place == EndingPlace("t2")
    assert judged.differences[0].expected == "23505"


def test_chance_is_noticed_and_never_taken_for_an_anomaly() -> None:
    chance = random.Random(5)

    def rolling(order: Order) -> ProgramOutcome:
        rows = Rows(("v",), ((chance.random(),),))
        return ProgramOutcome(
            {label: CallOutcome(Ending.COMMITTED, (StatementOutcome(0, rows),)) for label in order}
        )

    judged = SerialJudge(rolling, NO_MASKS).judge(rolling(("t1", "t2")))
    assert judged.answer is SerialAnswer.UNKNOWN
    assert judged.reason.startswith("v in step 1 of t1 differs from one run to the next")


def test_a_serial_run_that_fails_for_its_own_reasons_is_run_again() -> None:
    failures = [2]

    def flaky(order: Order) -> ProgramOutcome:
        if failures[0]:
            failures[0] -= 1
            raise SerialRunFailed("the connection was lost")
        return serially(INCREMENT, order)

    assert SerialJudge(flaky, NO_MASKS).judge(LOST).answer is SerialAnswer.UNEXPLAINED
    failures[0] = 99
    judged = SerialJudge(flaky, NO_MASKS).judge(LOST)
    assert judged.answer is SerialAnswer.UNKNOWN
    assert "the connection was lost" in judged.reason


def test_what_an_order_gives_is_asked_once() -> None:
    runs: list[Order] = []

    def counted(order: Order) -> ProgramOutcome:
        runs.append(order)
        return serially(INCREMENT, order)

    judge = SerialJudge(counted, NO_MASKS)
    for _ in range(5):
        judge.judge(LOST)
    assert sorted(runs) == [("t1", "t2"), ("t1", "t2"), ("t2", "t1")]  # the first one twice, for its own sake


def test_more_transactions_than_orders_can_be_counted_for_are_not_judged() -> None:
    many = ProgramOutcome({f"t{number}": CallOutcome(Ending.COMMITTED) for number in range(7)})
    assert judge_of(INCREMENT).judge(many).answer is SerialAnswer.UNKNOWN
