"""What changed between two matrices."""

from __future__ import annotations

from dataclasses import replace

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


def test_cells_of_a_row_that_are_gone_or_new_are_told_together() -> None:
    cells = [cell("1.0", Outcome.NONE, name) for name in ("a", "b", "c", "d", "e", "f")]
    broken = cell("1.0", Outcome.BROKEN, "g", ("G2",))
    lines = difference_text(changes([*cells, broken], [])).splitlines()
    assert lines[0] == "7 of the cells changed:"
    assert lines[2].startswith("- DB 1.0, serializable, g: no longer asked, was G2")
    assert lines[3] == "- DB 1.0, serializable: no longer asked: a, b, c, d and 2 more."
    assert len(lines) == 4
    assert "DB 1.0, serializable: new: a, b, c, d and 2 more." in difference_text(changes([], cells))


def test_what_breaks_anew() -> None:
    def broken(*names: str) -> MatrixCell:
        return replace(cell("1.0", Outcome.BROKEN, found=names), broken=names)

    def breaks(before: list[MatrixCell], after: list[MatrixCell]) -> bool:
        return any(each.breaks for each in changes(before, after))

    assert breaks([], [broken("G2")])
    assert breaks([cell("1.0", Outcome.NONE)], [broken("G2")])
    assert breaks([broken("G2")], [broken("G2", "G1a")])
    assert not breaks([broken("G2")], [broken("G2")])
    assert not breaks([broken("G2", "G1a")], [broken("G2")])
