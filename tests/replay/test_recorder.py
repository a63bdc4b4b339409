"""What replays record: the same history from values as from the EDN of the artefact, and logical keys."""

from __future__ import annotations

from compare_histories import differences
from txfuzz.database.api import BoundStep
from txfuzz.execution.raw_transaction import RecordedMop
from txfuzz.history.reader import read_history_bytes
from txfuzz.history.writer import Mop
from txfuzz.replay.stepper.attempt import Attempt, LogEntry, TransactionOutcome
from txfuzz.replay.stepper.logical_keys import with_logical_keys
from txfuzz.replay.stepper.recorder import AttemptRecorder, Recorded, recorded_edn, recorded_history
from txfuzz.transactions.model import Choice, NewValue, Step
from txfuzz.workload.generator import BoundTransaction

# A name that looks like the end of an operation
NAME = 'read "all" :value [[:r 901 nil]]'


def bound(name: str, *mops: Mop) -> BoundTransaction:
    steps = tuple(BoundStep(Step(f), f, key, value) for f, key, value in mops)
    return BoundTransaction(name, steps, tuple(range(len(mops))), tuple(key - 900 for _, key, _ in mops))


def seen(*mops: Mop) -> list[RecordedMop]:
    return [RecordedMop(at, mop[1] - 900, mop) for at, mop in enumerate(mops)]


def recorded(f: str, *values: object) -> tuple[Recorded, ...]:
    """Two attempts, with transactions of every outcome. values: what the reads see."""
    recorder = AttemptRecorder()
    asked: list[Mop] = [("r", 901, None), (f, 902, 7), ("r", 903, None)]
    recorder.begin_attempt(0)
    recorder.invoke(0, bound(NAME, *asked), asked)
    recorder.invoke(1, bound("append", (f, 901, 8)), [(f, 901, 8)])
    recorder.complete("ok", 0, seen(("r", 901, values[0]), asked[1], ("r", 903, values[1])))
    recorder.complete("fail", 1, seen((f, 901, 8)), ("40001", "commit"))
    recorder.begin_attempt(1)
    recorder.invoke(0, bound(NAME, *asked[:1]), asked[:1])
    recorder.invoke(1001, bound("late", (f, 904, 9)), [(f, 904, 9)])
    recorder.complete("ok", 0, seen(("r", 901, values[2]), ("r", 905, values[3])))  # keys known afterwards
    recorder.complete("info", 1001, seen((f, 904, 9)), ("TIMEOUT", "step 0"))
    return recorder.take()


def test_lists_are_the_history_of_their_edn() -> None:
    operations = recorded("append", (3, 4), (), (3, 4, 5), None)
    history = recorded_history(operations)
    assert not differences(history, read_history_bytes(recorded_edn(operations)))
    assert (len(history), history.operations, dict(history.passed_over)) == (4, 10, {"nemesis": 2})
    assert list(history.templates) == [NAME, "append", "late"]


def test_registers_are_the_history_of_their_edn() -> None:
    operations = recorded("w", 3, None, 3, None)
    assert not differences(recorded_history(operations), read_history_bytes(recorded_edn(operations)))


def test_take_gives_each_operation_once() -> None:
    recorder = AttemptRecorder()
    recorder.begin_attempt(0)
    first = recorder.take()
    recorder.begin_attempt(1)
    assert [each.index for each in (*first, *recorder.take())] == [0, 1]


def test_keys_become_the_logical_ones_everywhere() -> None:
    sql = Step("append", Choice((2,)), sql="…", args=(("key", Choice((2,))), ("value", NewValue())))
    attempt = Attempt(
        (LogEntry("t1", "step", 0, ("r", 901, None), 1, saw=(901,)), LogEntry("t1", "commit")),
        {"t1": TransactionOutcome("ok")},
        recorded("append", (901, 902), (), (901,), ()),
        {},
        logical={901: 1, 902: 2, 903: 3, 904: 4},
        steps={"t1": (BoundStep(sql, "append", 902, 903, {"key": 902, "value": 903}),)},
    )
    shown = with_logical_keys(attempt)
    history = recorded_history(shown.operations)
    assert set(history.keys) == {1, 2, 3, 4, 905}  # one that nobody knows keeps its number
    assert NAME in history.templates
    assert history.values(history.trunk(list(history.keys).index(1))) == [901, 902]  # values are no keys
    assert shown.log[0].mop == ("r", 1, None)
    assert shown.log[0].saw == (901,)
    [step] = shown.steps["t1"]
    assert (step.key, step.value, step.args) == (2, 903, {"key": 2, "value": 903})
    assert shown.logical == {1: 1, 2: 2, 3: 3, 4: 4}
