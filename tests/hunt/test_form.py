"""Forms say what they do to rows in any state, and refuse placeholders that mean nothing."""

from __future__ import annotations

import pytest

from tests.hunt.samples import ABSENT, IF_THERE, INSERT, MAYBE, PRESENT, SELECT
from txfuzz.errors import UsageError
from txfuzz.hunt.form import Change, Form, filled


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
