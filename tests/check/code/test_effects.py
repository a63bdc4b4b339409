"""What code has changed for good, and which statements end a transaction."""

from __future__ import annotations

import pytest

from txfuzz.check.code.effects import Effects, ends_transaction, is_switch_point
from txfuzz.database.drivers import COMMIT, ROLLBACK


@pytest.mark.parametrize(
    ("sql", "ends"),
    [
        ("COMMIT", COMMIT),
        (" commit work; ", COMMIT),
        ("END TRANSACTION", COMMIT),
        ("-- well\nROLLBACK", ROLLBACK),
        ("ROLLBACK TO SAVEPOINT s", ""),
        ("SELECT 'COMMIT'", ""),
        ("COMMIT AND CHAIN", COMMIT),
        ("COMMIT; SELECT 1", ""),
    ],
)
def test_what_ends_a_transaction(sql: str, ends: str) -> None:
    assert ends_transaction(sql) == ends


@pytest.mark.parametrize(
    ("sql", "point"),
    [
        ("BEGIN", False),
        ("BEGIN IMMEDIATE", True),
        ("start transaction", False),
        ("START TRANSACTION WITH CONSISTENT SNAPSHOT", True),
        ("/* x */ SET search_path = a", False),
        ("SAVEPOINT s", False),
        ("ROLLBACK TO SAVEPOINT s", True),
        ("SELECT 1", True),
        ("SETTLE", True),
        ("", False),
        ("BEGIN;", False),
        ("BEGIN; UPDATE seats SET a = 1; COMMIT", True),
        ("SET @seat = (SELECT min(seat) FROM seats)", True),
    ],
)
def test_only_statements_that_others_can_tell_are_switch_points(sql: str, point: bool) -> None:
    assert is_switch_point(sql) is point


def test_only_what_is_committed_counts() -> None:
    one, other, effects = object(), object(), Effects()
    effects.ran(one, 'UPDATE "seats" SET a = 1', 2)
    effects.ran(other, "INSERT INTO log VALUES (1)", 1)
    effects.ran(one, "update only seats set a = 1", 0)
    effects.rolled_back(other)
    effects.committed(other)
    assert (effects.kept, effects.commits) == ({}, 0)
    effects.committed(one)
    assert (effects.kept, effects.commits) == ({"UPDATE seats": 2}, 1)


def test_what_a_savepoint_takes_back_does_not_count() -> None:
    connection, effects = object(), Effects()
    for sql in ("INSERT INTO a VALUES (1)", "SAVEPOINT s", "INSERT INTO b VALUES (1)", "SAVEPOINT t"):
        effects.ran(connection, sql, 1)
    effects.ran(connection, "ROLLBACK TO SAVEPOINT s", None)
    effects.ran(connection, "DELETE FROM public.c", 3)
    effects.committed(connection)
    assert effects.kept == {"INSERT INTO a": 1, "DELETE FROM c": 3}


@pytest.mark.parametrize(
    ("ends", "kept"),
    [
        (("RELEASE", "RELEASE"), {"INSERT INTO a": 2}),
        (("ROLLBACK TO SAVEPOINT", "RELEASE"), {"INSERT INTO a": 1}),
        (("RELEASE", "ROLLBACK TO SAVEPOINT"), {}),
    ],
)
def test_savepoints_without_a_name_are_nested(ends: tuple[str, str], kept: dict[str, int]) -> None:
    """As drivers make them that have a method for it."""
    connection, effects = object(), Effects()
    for sql in ("SAVEPOINT", "INSERT INTO a VALUES (1)", "SAVEPOINT", "INSERT INTO a VALUES (2)", *ends):
        effects.ran(connection, sql, 1)
    effects.committed(connection)
    assert effects.kept == kept
