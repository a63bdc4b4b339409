"""A matrix as a table: marks, what they hide, and a page that escapes what others wrote."""

from __future__ import annotations

from pathlib import Path

from txfuzz.compare.matrix.cell import MatrixCell, Outcome, worst
from txfuzz.compare.matrix.page import matrix_page
from txfuzz.compare.matrix.plan import Asks, MatrixPlan, Question
from txfuzz.compare.matrix.rows import MatrixRow
from txfuzz.compare.matrix.table import TableCell, remark_of, table_of
from txfuzz.compare.matrix.text import matrix_markdown

PLAN = MatrixPlan(
    "t",
    (),
    (
        Question("one", Asks.SCENARIO, "P"),
        Question("two", Asks.SCENARIO, "P"),
        Question("three", Asks.HUNT),
    ),
)
LEVELS = {"serializable": "serializable", "snapshot": None}
ROW = MatrixRow("db", "memory", "1.0", {}, None, LEVELS)


def cell(question: str, outcome: Outcome, **fields: object) -> MatrixCell:
    return MatrixCell("db", "1.0", "serializable", question, outcome, "DB 1.0", "serializable", **fields)  # type: ignore[arg-type]


def test_questions_of_one_column_share_a_mark() -> None:
    cells = [cell("one", Outcome.NONE), cell("two", Outcome.BROKEN, found=("G2",), broken=("G2",))]
    table = table_of(PLAN, [ROW], {each.key: each for each in cells})
    assert table.columns == ("P", "three")
    (row,) = table.rows
    assert [(each.mark, each.some) for each in row.cells] == [("✗", "1 of 2"), ("", "")]
    assert table.remarks == ("DB 1.0 has no snapshot.",)
    text = matrix_markdown(table)
    assert "| DB 1.0 | serializable | serializable | ✗ 1 of 2 |  |" in text
    assert "Of 2 cells, 1 broke the promise of its level." in text


def test_what_is_not_whole_is_not_called_so() -> None:
    part = cell("one", Outcome.NONE, whole=False)
    assert TableCell((part, cell("two", Outcome.NONE))).mark == "(✓)"
    assert TableCell((cell("one", Outcome.NONE),), missing=1).mark == ""
    assert TableCell((cell("one", Outcome.NONE), cell("two", Outcome.UNKNOWN))).mark == "?"
    assert TableCell((cell("one", Outcome.NOT_OFFERED), cell("two", Outcome.NONE))).mark == "✓"
    assert worst([Outcome.UNKNOWN, Outcome.ALLOWED]) is Outcome.ALLOWED


def test_remarks_say_how_much_was_run() -> None:
    assert remark_of(cell("one", Outcome.NONE, schedules=1)) == "nothing found in 1 schedule"
    allowed = remark_of(cell("one", Outcome.ALLOWED, found=("G2",), transactions=2000))
    assert allowed == "G2 in 2,000 transactions, which serializable does not forbid"
    broken = remark_of(cell("one", Outcome.BROKEN, found=("G1a", "G2"), broken=("G2",)))
    assert broken == "G1a, G2, though serializable forbids G2"
    assert remark_of(cell("one", Outcome.UNKNOWN, why="it stopped")) == "unknown: it stopped"


def test_what_cannot_be_said_is_not_called_allowed() -> None:
    unsaid = cell("one", Outcome.ALLOWED, found=("neither saw the other",), unsaid=True)
    assert remark_of(unsaid) == (
        "neither saw the other; whether serializable forbids it cannot be said, since the question names no "
        "anomaly"
    )
    table = table_of(
        PLAN, [ROW], {unsaid.key: unsaid, cell("two", Outcome.NONE).key: cell("two", Outcome.NONE)}
    )
    text = matrix_markdown(table)
    assert "| (—) 1 of 2 |" in text
    assert "(—) found; whether the level promises to prevent it cannot be said" in text
    assert "does not promise" not in text
    assert "cells of which that cannot be said" in matrix_page(table, 0)
    allowed = cell("two", Outcome.ALLOWED, found=("G2",))
    assert TableCell((unsaid, allowed)).mark == "—"


def test_the_page_escapes_names(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    cells = [cell("one", Outcome.UNKNOWN, why=evil)]
    page = matrix_page(table_of(PLAN, [ROW], {each.key: each for each in cells}), 2, [evil])
    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "2 not reached yet" in page
