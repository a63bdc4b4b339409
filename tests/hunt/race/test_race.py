"""Races are dangerous structures, and drawn by number."""

from __future__ import annotations

import pytest

from tests.hunt.samples import ABSENT, FORMS, INSERT, PLAIN, PRESENT, SELECT, UPDATE, program
from txfuzz.errors import UsageError
from txfuzz.hunt.conflicts import Conflicts
from txfuzz.hunt.form import RowState
from txfuzz.hunt.judging.known import KnownHole
from txfuzz.hunt.program import SmallProgram
from txfuzz.hunt.race.hunt import known_race
from txfuzz.hunt.race.race import HeldAt, Race, RaceSource
from txfuzz.hunt.scope import Scope

SOURCE = RaceSource(Scope(FORMS, (PLAIN,)), 1)
RACES = [SOURCE.race(number) for number in range(300)]
WINDOW = program((PRESENT, PRESENT), ((UPDATE, 0),), ((SELECT, 0), (UPDATE, 1)), ((SELECT, 0), (SELECT, 1)))


def test_the_same_number_is_the_same_race() -> None:
    assert RaceSource(Scope(FORMS, (PLAIN,)), 1).race(7) == SOURCE.race(7)
    assert len({repr(race) for race in RACES}) > 150


def test_every_transaction_conflicts_with_another() -> None:
    assert all(Conflicts(race.program).everywhere for race in RACES)


def test_the_pivot_has_not_seen_what_another_writes_and_writes_what_a_third_reads() -> None:
    three = [race for race in RACES if len(race.held) == 3]
    assert 100 < len(three) < 250
    for race in three:
        one, pivot, reader = race.program.transactions
        written = {key for use in one for key in use.keys}
        assert written < {key for use in pivot for key in use.keys}
        assert all(use.form.returns_rows for use in reader)
        assert {key for use in reader for key in use.keys} == {0, 1}


def test_the_commit_window_is_among_them() -> None:
    found = [race for race in RACES if race.held_at == (HeldAt.COMMIT, HeldAt.COMMIT, HeldAt.FIRST)]
    assert len(found) > 30
    assert any(_forms(race.program) == _forms(WINDOW) for race in found)


def _forms(small: SmallProgram) -> list[list[str]]:
    return [[use.form.name for use in uses] for uses in small.transactions]


def test_only_empty_tables_are_made_anew() -> None:
    fresh = [race for race in RACES if race.fresh]
    assert fresh
    assert all(RowState.PRESENT not in race.program.states for race in fresh)


def test_forms_that_only_read_make_no_race() -> None:
    with pytest.raises(UsageError, match="some that read and some that write"):
        RaceSource(Scope((SELECT,), (PLAIN,)), 1)


def test_a_race_in_words() -> None:
    race = Race(program((ABSENT, ABSENT), ((SELECT, 0), (INSERT, 1)), ((SELECT, 1), (INSERT, 0))), (2, 0))
    assert race.points() == ("T1: COMMIT", "T2: BEGIN; SELECT v FROM b WHERE k = 1")
    assert race.kind == "COMMIT BEGIN"
    assert race.signs == {"COMMIT of T1", "BEGIN of T2"}


HOLE = KnownHole(
    "window", "", "any", frozenset(), "", levels=frozenset({"serializable"}), since=(2,), until=(4,),
    raced=frozenset({"COMMIT of T1", "BEGIN of T3"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("held", "level", "version", "known"),
    [
        ((1, 2, 0), "serializable", (3, 1), True),
        ((1, 1, 0), "serializable", (), True),
        ((1, 2, 1), "serializable", (3, 1), False),
        ((0, 2, 0), "serializable", (3, 1), False),
        ((1, 2, 0), "snapshot", (3, 1), False),
        ((1, 2, 0), "serializable", (4,), False),
        ((1, 2, 0), "serializable", (1, 9), False),
    ],
)
def test_known_holes_are_told_by_who_is_held_where(
    held: tuple[int, ...], level: str, version: tuple[int, ...], known: bool
) -> None:
    by_forms = KnownHole("other", "", "any", frozenset({"update"}), "")
    found = known_race([by_forms, HOLE], Race(WINDOW, held).signs, level, version)
    assert found == (HOLE if known else None)
