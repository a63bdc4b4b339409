"""What changed between two matrices."""

from __future__ import annotations

from txfuzz.compare.matrix.cell import MatrixCell, Outcome
from txfuzz.compare.matrix.difference import changes, difference_text


def cell(version: str, outcome: Outcome, question: str = "p4", found: tuple[str, ...] = ()) -> MatrixCell:
    return MatrixCell(
        "db", version, "serializable", question, outcome, f"DB {version}", "serializable", found
    )


def test_the_same_is_no_change() -> None:
    one = cell("1.0", Outcome.ALLOWED, found=("G2", "G1a"))
    assert changes([one], [cell("1.0", Outcome.ALLOWED, found=("G1a", "G2"))]) == ()
    assert difference_text(()) == "Nothing changed.\n"


def test_an_outcome_or_a_finding_that_differs() -> None:
    (change,) = changes([cell("1.0", Outcome.NONE)], [cell("1.0", Outcome.BROKEN, found=("G2",))])
    assert "✓ → ✗" in change.text
    assert changes(
        [cell("1.0", Outcome.ALLOWED, found=("G2",))], [cell("1.0", Outcome.ALLOWED, found=("G0",))]
    )


def test_a_minor_version_is_compared_with_the_one_before() -> None:
    before = [cell("15.1", Outcome.NONE), cell("16.1", Outcome.NONE)]
    (change,) = changes(before, [cell("15.1", Outcome.NONE), cell("16.2", Outcome.ALLOWED, found=("G2",))])
    assert change.before is before[1]
    assert "(on DB 16.1)" in change.text


def test_where_several_could_be_meant_none_is() -> None:
    before = [cell("16.1", Outcome.NONE), cell("16.2", Outcome.NONE)]
    found = changes(before, [cell("16.3", Outcome.NONE)])
    assert [(each.before is None, each.after is None) for each in found] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert "new" in found[0].text
    assert "no longer asked" in found[1].text
