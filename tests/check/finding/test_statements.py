"""Values in statements, as SQL."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from txfuzz.check.finding.statements import literal, with_values
from txfuzz.database.scenario import Cell


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (7, "7"),
        (Decimal("1.50"), "1.50"),
        ("o'brien", "'o''brien'"),
        (b"\x01\xff", "X'01ff'"),
        (datetime.datetime(2024, 5, 6, 7, 8), "'2024-05-06 07:08:00'"),
        ({"a": [1]}, "'{\"a\": [1]}'"),
    ],
)
def test_a_value_is_a_literal(cell: Cell, text: str) -> None:
    assert literal(cell) == text


def test_placeholders_are_written_out_and_nothing_else() -> None:
    sql = "SELECT ':who', x::int, '100%' FROM t WHERE a = :who AND b = :late"
    assert with_values(sql, {"who": "a:late"}) == (
        "SELECT ':who', x::int, '100%' FROM t WHERE a = 'a:late' AND b = :late"
    )
