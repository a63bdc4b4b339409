"""Statements with their values, for people to read."""

from __future__ import annotations

import pytest

from txfuzz.database.drivers import each_in_full

SQL = "UPDATE t SET n = ?"


@pytest.mark.parametrize(
    ("sets", "shown"),
    [
        ([1], "UPDATE t SET n = 1"),
        (((1,), (2,)), "UPDATE t SET n = (1,); UPDATE t SET n = (2,)"),
        (range(10), "UPDATE t SET n = 0; UPDATE t SET n = 1; UPDATE t SET n = 2 /* and 7 more */"),
        (iter([1, 2]), SQL),
        ([], SQL),
        (None, SQL),
        ("12", SQL),
    ],
)
def test_each_set_of_values_is_shown_up_to_a_few(sets: object, shown: str) -> None:
    assert each_in_full(SQL, sets, lambda value: SQL.replace("?", str(value))) == shown


def test_an_iterator_is_left_to_the_driver() -> None:
    values = iter([1, 2])
    each_in_full(SQL, values, str)
    assert list(values) == [1, 2]
