"""A schedule is wrong by the promise of its level, and known by what is wrong with it."""

from __future__ import annotations

from dataclasses import replace

from tests.hunt.attempts import COMMIT, attempt
from tests.hunt.samples import PRESENT, SELECT, UPDATE, program
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.hunt.judging.judge import known_hole, proven, wrong
from txfuzz.hunt.judging.known import KnownHole
from txfuzz.hunt.judging.wrong import NO_PROMISE, SERIAL, Promise, Wrong

PROGRAM = program((PRESENT, PRESENT), ((SELECT, 0), (UPDATE, 0)), ((SELECT, 0), (UPDATE, 0)))
LOST = attempt(("T1", [0]), ("T2", [0]), ("T1", 1), ("T1", COMMIT), ("T2", 1), ("T2", COMMIT))
SNAPSHOTS = Promise(False, frozenset({Wrong.LOST_UPDATE}), "snapshot-isolation")


def test_an_anomaly_is_wrong_where_it_is_forbidden() -> None:
    found = proven(PROGRAM, LOST)
    assert [each.kind for each in found] == [Wrong.LOST_UPDATE]
    assert wrong(LOST, SNAPSHOTS, (), found) is Wrong.LOST_UPDATE
    assert wrong(LOST, NO_PROMISE, (), found) is None
    assert wrong(LOST, SERIAL, (), found) is Wrong.NO_ORDER


def test_an_outcome_that_an_order_explains_proves_nothing() -> None:
    for answer in (SerialAnswer.EXPLAINED, SerialAnswer.UNKNOWN):
        assert proven(PROGRAM, replace(LOST, judgement=SerialJudgement(answer))) == ()


def test_a_known_hole_is_told_by_the_anomaly_and_the_promise() -> None:
    hole = KnownHole(
        "h", "…", "x", frozenset(), "…", wrong=frozenset({Wrong.LOST_UPDATE}), model="repeatable-read"
    )
    weak = Promise(False, frozenset({Wrong.LOST_UPDATE}), "repeatable-read")
    assert known_hole([hole], PROGRAM, LOST, Wrong.LOST_UPDATE, weak, ()) is hole
    assert known_hole([hole], PROGRAM, LOST, Wrong.LOST_UPDATE, SNAPSHOTS, ()) is None
    assert known_hole([hole], PROGRAM, LOST, Wrong.DIRTY_READ, weak, ()) is None


def test_what_takes_a_race_explains_no_finding_without_one() -> None:
    raced = KnownHole("window", "…", "memory", frozenset(), "docs", raced=frozenset({"COMMIT of T1"}))
    assert known_hole([raced], PROGRAM, LOST, Wrong.LOST_UPDATE, SNAPSHOTS, ()) is None


def test_a_hole_of_some_layouts_explains_no_finding_on_another() -> None:
    hole = KnownHole("h", "…", "x", frozenset(), "…", layouts=frozenset({"foreign-key"}))
    assert known_hole([hole], PROGRAM, LOST, Wrong.NO_ORDER, SERIAL, ()) is None
    there = replace(PROGRAM, layout=replace(PROGRAM.layout, name="foreign-key"))
    assert known_hole([hole], there, LOST, Wrong.NO_ORDER, SERIAL, ()) is hole
