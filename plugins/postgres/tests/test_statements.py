"""Our SQL, raw SQL with placeholders, and values from the wire."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txfuzz.common.kind import Kind
from txfuzz.database.sql.tables import Tables
from txfuzz.errors import UsageError
from txfuzz_postgres.protocol.values import list_from_binary, list_from_text, register_from_text
from txfuzz_postgres.statements import (
    PROMISES,
    begin_sql,
    compile_raw,
    level,
    lock_clause,
    read_sql,
    write_sql,
)


def test_placeholders_become_numbers_and_the_same_name_the_same_number() -> None:
    raw = compile_raw("UPDATE {table} SET val = val || :v WHERE key = :k AND :v <> :k")
    assert raw.sql == "UPDATE {table} SET val = val || $1 WHERE key = $2 AND $1 <> $2"
    assert raw.names == ("v", "k")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT val::bigint[] FROM t",
        "SELECT ':name and 12:30 isn''t :one'",
        r"SELECT E'it\'s :not one'",
        'SELECT ":column" FROM t',
        "SELECT $tag$ :no $tag$, $$ :nor this $$",
        "SELECT 1 -- :comment\n",
        "SELECT /* :comment */ val[1:2] FROM t",
        "INSERT INTO t VALUES (1, '{}')",
    ],
)
def test_what_only_looks_like_a_placeholder_is_left_alone(sql: str) -> None:
    assert compile_raw(sql).sql == sql
    assert compile_raw(sql).names == ()


def test_a_cast_may_follow_a_placeholder() -> None:
    assert compile_raw("SELECT val FROM {table} WHERE key = :k::bigint").sql.endswith("key = $1::bigint")


@pytest.mark.parametrize(
    "sql",
    [
        "COMMIT",
        " commit and chain",
        "END;",
        "-- hidden\nROLLBACK",
        "/* a /* nested */ comment */ ABORT",
        "BEGIN",
        "START TRANSACTION",
        "PREPARE TRANSACTION 'x'",
        "ROLLBACK AND CHAIN",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    ],
)
def test_a_step_may_not_control_the_transaction(sql: str) -> None:
    with pytest.raises(UsageError, match="may not begin or end"):
        compile_raw(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "ROLLBACK TO a",
        "rollback work to savepoint a",
        "SAVEPOINT a",
        "RELEASE a",
        "SET LOCAL x = 1",
        "-- only",
    ],
)
def test_savepoints_and_settings_are_allowed(sql: str) -> None:
    assert compile_raw(sql).names == ()


def test_tables_are_qualified_and_quoted() -> None:
    tables = Tables(Kind.LIST_APPEND, 'my "odd" schema', 3)
    assert tables.qualified(0) == '"my ""odd"" schema".txfuzz_list_append'
    assert tables.qualified(2) == '"my ""odd"" schema".txfuzz_list_append_2'


def test_the_forms_of_a_write() -> None:
    assert len(write_sql(Kind.LIST_APPEND, "t", "on-conflict")) == 1
    update, insert = write_sql(Kind.RW_REGISTER, "t", "update-else-insert")
    assert update.startswith("UPDATE t ")
    assert insert.startswith("INSERT INTO t ")
    assert "CONFLICT" not in update + insert
    assert read_sql("t", "no key update").endswith(" FOR NO KEY UPDATE")


@pytest.mark.parametrize(
    "word", ["SERIALIZABLE", "serializable", "Repeatable-Read", "read_committed", " read  uncommitted "]
)
def test_levels_are_understood_however_they_are_spelt(word: str) -> None:
    assert level(word) in PROMISES
    assert begin_sql(level(word)).startswith("BEGIN ISOLATION LEVEL ")


def test_unknown_words_get_a_hint() -> None:
    with pytest.raises(UsageError, match="did you mean 'serializable'"):
        level("serialisable")
    with pytest.raises(UsageError, match="did you mean 'update'"):
        lock_clause("updat")


INT8 = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(INT8, max_size=80))
def test_lists_come_back_from_both_formats(values: list[int]) -> None:
    header = struct.pack(">iii", 1 if values else 0, 0, 20)
    binary = header + (struct.pack(">ii", len(values), 1) if values else b"")
    binary += b"".join(struct.pack(">iq", 8, value) for value in values)
    text = "{" + ",".join(map(str, values)) + "}"
    assert list_from_binary(binary) == list_from_text(text.encode()) == tuple(values)


def test_absent_rows_and_nulls() -> None:
    assert list_from_binary(None) == list_from_text(None) == ()
    assert register_from_text(None) is None
    assert register_from_text(b"-5") == -5


@pytest.mark.parametrize("value", [b"7", b"{1,NULL}", b"{{1},{2}}", b"{a}"])
def test_what_is_no_list_of_integers_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="array of integers"):
        list_from_text(value)
    with pytest.raises(ValueError, match="must select an integer"):
        register_from_text(b"{1}")


def test_a_list_with_nulls_in_binary_is_refused() -> None:
    with pytest.raises(ValueError, match="NULL"):
        list_from_binary(struct.pack(">iiiii", 1, 1, 20, 1, 1) + struct.pack(">i", -1))
