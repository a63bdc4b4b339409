"""The serial judge on small programs of a dictionary, against running every order by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from txfuzz.check.serial.canonical import Masks, canonical
from txfuzz.check.serial.difference import EndingPlace, StatementPlace, TablePlace
from txfuzz.check.serial.judge import Order, SerialAnswer, SerialJudge, SerialRunFailed, Variation
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome, StatementOutcome
from txfuzz.check.serial.stability import numbered, unordered
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


def test_an_order_that_explains_is_run_once() -> None:
    runs: list[Order] = []

    def counted(order: Order) -> ProgramOutcome:
        runs.append(order)
        return serially(INCREMENT, order)

    judge = SerialJudge(counted, NO_MASKS)
    first, second = permutations(INCREMENT)
    assert judge.judge(serially(INCREMENT, first)).answer is SerialAnswer.EXPLAINED
    assert runs == [first]
    assert judge.judge(LOST).answer is SerialAnswer.UNEXPLAINED
    assert sorted(runs) == sorted((first, first, second))


def test_chance_is_looked_for_before_anything_is_unexplained() -> None:
    numbers = iter(range(100))

    def by_chance(order: Order) -> ProgramOutcome:
        found = serially(INCREMENT, order)
        return ProgramOutcome(found.transactions, {"t": Rows(("k",), ((next(numbers),),))})

    judged = SerialJudge(by_chance, NO_MASKS).judge(LOST)
    assert judged.answer is SerialAnswer.UNKNOWN


def test_more_transactions_than_orders_can_be_counted_for_are_not_judged() -> None:
    many = ProgramOutcome({f"t{number}": CallOutcome(Ending.COMMITTED) for number in range(7)})
    assert judge_of(INCREMENT).judge(many).answer is SerialAnswer.UNKNOWN


def random_ending(chance: random.Random) -> Ending:
    return chance.choice((Ending.COMMITTED, Ending.COMMITTED, Ending.ABORTED, Ending.UNKNOWN))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1 << 30))
def test_aborted_and_unanswered_transactions_against_every_subset_and_order(seed: int) -> None:
    """Of those without an answer some had an effect, which nobody told the judge."""
    chance = random.Random(seed)
    program = random_program(chance)
    endings = {label: random_ending(chance) for label in program}
    answered = [label for label, ending in endings.items() if ending is Ending.COMMITTED]
    unanswered = [label for label, ending in endings.items() if ending is Ending.UNKNOWN]
    effective = {label: program[label] for label in program if label in answered or chance.random() < 0.5}
    effective = {label: steps for label, steps in effective.items() if endings[label] is not Ending.ABORTED}
    ran = run(effective, random_schedule(effective, chance))
    outcome = ProgramOutcome(
        {
            label: ran.transactions[label] if label in answered else CallOutcome(ending, (), "lost")
            for label, ending in endings.items()
        },
        ran.tables,
    )
    seen = canonical(outcome.of(answered), NO_MASKS)
    by_hand = {
        order
        for size in range(len(unanswered) + 1)
        for more in combinations(unanswered, size)
        for order in permutations((*answered, *more))
        if canonical(serially(program, order).of(answered), NO_MASKS) == seen
    }
    judged = judge_of(program).judge(outcome)
    if by_hand:
        assert judged.answer is SerialAnswer.EXPLAINED
        assert judged.order in by_hand
    else:
        assert judged.answer is (SerialAnswer.UNKNOWN if unanswered else SerialAnswer.UNEXPLAINED)


def test_an_abort_of_a_serial_run_counts_only_if_it_comes_again() -> None:
    """A time-out on a busy machine is no reason why an order would not commit."""
    aborts = [1]

    def slow(order: Order) -> ProgramOutcome:
        outcome = serially(INCREMENT, order)
        if aborts[0]:
            aborts[0] -= 1
            ended = {**outcome.transactions, order[-1]: CallOutcome(Ending.ABORTED, (), "57014")}
            return ProgramOutcome(ended, outcome.tables)
        return outcome

    fine = serially(INCREMENT, ("t1", "t2"))
    assert SerialJudge(slow, NO_MASKS).judge(fine).answer is SerialAnswer.EXPLAINED


def test_a_judgement_is_given_once_for_equal_outcomes() -> None:
    judge = judge_of(INCREMENT)
    assert judge.judge(LOST) is judge.judge(run(INCREMENT, ["t2", "t1", "t2", "t1"]))


def stamped(order: Order, value: int) -> ProgramOutcome:
    rows = Rows(("k", "at"), ((1, value),), origins=("t.k", "t.at"))
    statement = StatementOutcome(0, rows)
    return ProgramOutcome(
        {label: CallOutcome(Ending.COMMITTED, (statement,)) for label in order}, {"t": rows}
    )


def test_a_clock_that_goes_on_between_two_judges_is_told_with_the_column() -> None:
    time = [1]
    first, second = (SerialJudge(lambda order: stamped(order, time[0]), NO_MASKS) for _ in range(2))
    first.judge(stamped(("a", "b"), 1))
    assert first.doubt_now(("a", "b")) == ""
    time[0] = 2
    second.judge(stamped(("a", "b"), 2))
    for reason in (second.doubt("ab", first), first.doubt_now(("a", "b"))):
        assert reason.startswith("at in step 1 of a differs from one run to the next")
        assert reason.endswith("say ignore: [t.at]")


def test_rows_that_are_stored_in_another_order_must_make_no_difference() -> None:
    turned = Variation(lambda order: stamped(order, 2), unordered)
    judge = SerialJudge(lambda order: stamped(order, 1), NO_MASKS, [turned])
    assert judge.judge(stamped(("a", "b"), 1)).answer is SerialAnswer.EXPLAINED
    assert judge.doubt("ab", judge).endswith("give step 1 of a an ORDER BY")


def test_numbers_of_sequences_must_make_no_difference() -> None:
    moved = Variation(lambda order: stamped(order, 2), numbered)
    judge = SerialJudge(lambda order: stamped(order, 1), NO_MASKS, [moved])
    judge.judge(stamped(("a", "b"), 1))
    assert judge.doubt("ab", judge) == (
        "at in step 1 of a depends on the numbers that sequences give out, which a rollback does not take "
        "back and no order of transactions settles; if that is meant, say ignore: [t.at]"
    )
    masked = SerialJudge(lambda order: stamped(order, 1), Masks(frozenset({"t.at"})), [moved])
    masked.judge(stamped(("a", "b"), 1))
    assert masked.doubt("ab", masked) == ""
