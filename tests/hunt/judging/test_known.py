"""A finding is known by what takes part in it, and by nothing less."""

from __future__ import annotations

from dataclasses import replace

from tests.hunt.attempts import COMMIT, attempt
from tests.hunt.samples import COUNT, DELETE, FORMS, INSERT, MAYBE, PRESENT, SELECT, SHARED, UPDATE, program
from txfuzz.hunt.form import Change, Effect, Form
from txfuzz.hunt.judging.known import KnownHole, known_hole, without
from txfuzz.hunt.judging.wrong import SERIAL, Promise, Wrong

PROGRAM = program((PRESENT, PRESENT), ((SELECT, 0), (UPDATE, 0)), ((SELECT, 0), (UPDATE, 0)))
LOST = attempt(("T1", [0]), ("T2", [0]), ("T1", 1), ("T1", COMMIT), ("T2", 1), ("T2", COMMIT))
SNAPSHOTS = Promise(False, frozenset({Wrong.LOST_UPDATE}), "snapshot-isolation")
MAYBE_HOLE = KnownHole(
    "unseen", "…", "x", frozenset({"insert-or-nothing"}), "…", unchanged=True,
    against=frozenset({Change.DELETE}), plain=True,
)  # fmt: skip
BOTH = (PRESENT, PRESENT)
UNSEEN = program(BOTH, ((MAYBE, 0), (DELETE, 1)), ((DELETE, 0), (SELECT, 1)))
SHOWN = attempt(("T1", 0), ("T2", 1), ("T1", 1), ("T2", [0]), ("T1", COMMIT), ("T2", COMMIT))


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


def test_a_known_hole_is_one_that_its_forms_take_part_in() -> None:
    assert known_hole([MAYBE_HOLE], UNSEEN, SHOWN, Wrong.NO_ORDER, SERIAL, ()) is MAYBE_HOLE
    inserted = attempt(("T1", 1), ("T2", 1), ("T1", 1), ("T2", [0]), ("T1", COMMIT), ("T2", COMMIT))
    assert known_hole([MAYBE_HOLE], UNSEEN, inserted, Wrong.NO_ORDER, SERIAL, ()) is None
    changed = program(BOTH, ((MAYBE, 0), (DELETE, 1)), ((UPDATE, 0), (SELECT, 1)))
    assert known_hole([MAYBE_HOLE], changed, SHOWN, Wrong.NO_ORDER, SERIAL, ()) is None
    elsewhere = program(BOTH, ((MAYBE, 0), (UPDATE, 1)), ((COUNT, 0), (DELETE, 1)))
    assert known_hole([MAYBE_HOLE], elsewhere, SHOWN, Wrong.NO_ORDER, SERIAL, ()) is None


def test_what_no_plain_layout_shows_is_another_hole() -> None:
    shared = replace(UNSEEN, layout=SHARED)
    asked = ([MAYBE_HOLE], shared, SHOWN, Wrong.NO_ORDER, SERIAL, ())
    assert known_hole(*asked) is MAYBE_HOLE
    assert known_hole(*asked, plain_was_tried=True) is None


def test_a_hole_of_some_layouts_is_known_on_those() -> None:
    hole = KnownHole(
        "h", "…", "x", frozenset(), "…", against=frozenset({Change.DELETE}), layouts=frozenset({SHARED.name})
    )
    asked = (SHOWN, Wrong.NO_ORDER, SERIAL, ())
    assert known_hole([hole], replace(UNSEEN, layout=SHARED), *asked) is hole
    assert known_hole([hole], UNSEEN, *asked) is None
    kept = program(BOTH, ((MAYBE, 0), (UPDATE, 1)), ((UPDATE, 0), (SELECT, 1)))  # nobody deletes
    assert known_hole([hole], replace(kept, layout=SHARED), *asked) is None


def test_versions_before_and_after_a_hole() -> None:
    hole = replace(MAYBE_HOLE, since=(9, 5), until=(19,))
    asked = (UNSEEN, SHOWN, Wrong.NO_ORDER, SERIAL)
    assert known_hole([hole], *asked, (18, 6)) is hole
    assert known_hole([hole], *asked, ()) is hole
    assert known_hole([hole], *asked, (9, 4)) is None
    assert known_hole([hole], *asked, (19, 0)) is None


def test_a_program_without_the_forms_of_a_hole_does_the_same() -> None:
    unless = Form("insert-where-not-exists", "…", ("INSERT …",), Effect(Change.INSERT))
    found = without(UNSEEN, MAYBE_HOLE.forms, (*FORMS, unless))
    assert found == program(BOTH, ((unless, 0), (DELETE, 1)), ((DELETE, 0), (SELECT, 1)))
    assert without(UNSEEN, MAYBE_HOLE.forms, FORMS) is None  # INSERT alone refuses a second row
    assert without(program(BOTH, ((INSERT, 0),), ((DELETE, 0),)), MAYBE_HOLE.forms, FORMS) is not None
