"""docs/how-to/matrix.md is true: its matrix gives its rows, and its words are those of the program."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from pages import DOCS, maker, text
from txfuzz.compare.matrix.cell import MatrixCell, Outcome
from txfuzz.compare.matrix.reader import DATABASE_FIELDS, FIELDS
from txfuzz.compare.matrix.table import LEGEND

PAGE = DOCS / "how-to" / "matrix.md"
MADE = maker("matrix")


@pytest.mark.slow
def test_the_rows_come_out_again(tmp_path: Path) -> None:
    report = MADE.measured(tmp_path, ["sqlite", "shared cache", "duckdb"])
    rows = list(MADE.table_lines(report.table))
    page = text(PAGE).splitlines()
    assert rows[0] in page
    assert len(rows) == 6
    for row in rows[2:]:
        assert row in page


def test_every_mark_and_field_is_described() -> None:
    page = text(PAGE)
    for mark, _ in LEGEND:
        assert f"\n| {mark} | " in page
    for word in (*FIELDS, *DATABASE_FIELDS, *(each.name for each in fields(MatrixCell))):
        assert f"`{word}`" in page, word
    for outcome in Outcome:
        assert f"`{outcome.value}`" in page


def test_the_versions_of_the_page_are_those_of_the_table() -> None:
    versions = set(re.findall(r"^\| PostgreSQL ([\d.]+) ", text(PAGE), re.MULTILINE))
    assert {version.partition(".")[0] for version in versions} >= {"15", "16", "18"}
