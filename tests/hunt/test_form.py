"""Forms say what they do to rows in any state, and refuse placeholders that mean nothing."""

from __future__ import annotations

import pytest

from tests.hunt.samples import ABSENT, IF_THERE, INSERT, MAYBE, PRESENT, SELECT, UPDATE
from txfuzz.errors import UsageError
from txfuzz.hunt.form import Change, Form, filled
from txfuzz.transactions.model import Mode


def test_changes_depend_on_the_state_of_each_row() -> None:
    assert INSERT.changes((ABSENT,)) == (Change.INSERT,)
    assert INSERT.changes((PRESENT,)) == (Change.REFUSED,)
    assert IF_THERE.changes((PRESENT, PRESENT)) == (Change.UPDATE, Change.NOTHING)
    assert IF_THERE.changes((PRESENT, ABSENT)) == (Change.NOTHING, Change.NOTHING)


def test_forms_that_do_the_same_are_one_deed() -> None:
    assert SELECT.deed == Form("other", "also reads", ("SELECT 1",)).deed
    assert SELECT.deed != MAYBE.deed != INSERT.deed


def test_other_braces_stay() -> None:
    assert filled("SELECT '{1,2}', {key}", {"key": 7}) == "SELECT '{1,2}', 7"


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (("SELECT {tabel}",), "has {tabel}, expected one of"),
        (("SELECT {other_key}",), "has {other_key}"),
        ((), "has no statements"),
    ],
)
def test_what_means_nothing_is_refused(statements: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Form("wrong", "wrong", statements)


def test_a_weight_is_more_than_nothing_and_a_mode_has_no_level() -> None:
    with pytest.raises(UsageError, match="has the weight 0, expected more than 0"):
        Form("never", "never", ("SELECT 1",), weight=0)
    with pytest.raises(UsageError, match="has a level in its mode"):
        Form("odd", "odd", ("SELECT 1",), mode=Mode(isolation="serializable"))


def test_forms_tell_what_they_go_by() -> None:
    assert UPDATE.writes
    assert not SELECT.writes
    assert UPDATE.locks
    assert not SELECT.locks
    assert Form("locked", "locked", ("SELECT v FROM {table} WHERE k = {key} FOR UPDATE",)).locks
    assert INSERT.moves_rows
    assert not UPDATE.moves_rows
    assert SELECT.plainness < IF_THERE.plainness
