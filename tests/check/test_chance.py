"""Clocks and chance in code: left out where they alone make two runs differ, and never amounts."""

from __future__ import annotations

import datetime
import random
import uuid
from itertools import count
from typing import Any

from txfuzz.check.serial.canonical import Masks
from txfuzz.check.serial.chance import without_chance
from txfuzz.check.serial.difference import differences
from txfuzz.check.serial.judge import Order, SerialAnswer, SerialJudge
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome
from txfuzz.check.serial.value import CodeValue
from txfuzz.database.scenario import Rows

DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def outcome(returned: Any = None, *rows: tuple[Any, ...]) -> ProgramOutcome:
    call = CallOutcome(Ending.COMMITTED, value=CodeValue(returned))
    return ProgramOutcome({"buy": call}, {"orders": Rows(("number", "made"), rows)})


def test_times_and_identifiers_are_left_out_wherever_they_stand() -> None:
    def made() -> ProgramOutcome:
        when = DAY + datetime.timedelta(seconds=random.random())
        returned = {"id": str(uuid.uuid4()), "lines": [{"at": when, "amount": 3}], "ok": True}
        return outcome(returned, (1, when))

    found = without_chance(made(), made(), Masks())
    assert found is not None
    assert found.ignored == {"orders.made"}
    assert found.values == {("buy", ("id",)), ("buy", ("lines", None, "at"))}
    assert without_chance(made(), made(), found) is None, "there is nothing more"


def test_numbers_are_what_is_to_be_checked() -> None:
    assert without_chance(outcome(1), outcome(2), Masks()) is None
    assert without_chance(outcome(None, (1, DAY)), outcome(None, (2, DAY)), Masks()) is None


def test_rows_of_another_number_are_no_chance() -> None:
    assert without_chance(outcome(None, (1, DAY)), outcome(None), Masks()) is None


def test_statements_of_a_scenario_are_left_to_its_author() -> None:
    one, other = (ProgramOutcome({}, {"t": Rows(("x",), ((each,),))}) for each in ("a", "b"))
    assert without_chance(one, other, Masks()) is None


def test_a_judge_learns_and_tells() -> None:
    """What one order shows holds for all of them; a difference elsewhere still counts."""
    time, told = count(), list[Masks]()

    def run(order: Order) -> ProgramOutcome:
        calls = {
            label: CallOutcome(
                Ending.COMMITTED,
                value=CodeValue({"at": DAY + datetime.timedelta(seconds=next(time)), "place": place}),
            )
            for place, label in enumerate(order)
        }
        return ProgramOutcome(calls, {})

    judge = SerialJudge(run, Masks(), on_chance=told.append)
    assert judge.judge(run(("a", "b"))).answer is SerialAnswer.EXPLAINED
    assert told[-1].values == {("a", ("at",)), ("b", ("at",))}
    lost = run(("a", "b"))
    lost.transactions["b"].value.returned["place"] = 0  # type: ignore[union-attr, index, call-overload]
    assert judge.judge(lost).answer is SerialAnswer.UNEXPLAINED


def test_what_is_left_out_is_not_shown() -> None:
    masks = Masks(frozenset({"orders.made"}))
    one, other = outcome(None, (1, DAY)), outcome(None, (2, DAY))
    [found] = differences(one, other, ("buy",), masks)
    assert (found.seen, found.expected) == (Rows(("number",), ((1,),)), Rows(("number",), ((2,),)))
