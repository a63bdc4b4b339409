"""Code that uses sqlite3, by itself and under SQLAlchemy, unchanged; and the fixture for pytest."""

from __future__ import annotations

import json
import sqlite3
from functools import partial
from pathlib import Path
from random import Random
from textwrap import dedent

import pytest

import txfuzz
from txfuzz.check.code.file import open_code
from txfuzz.check.program import programs
from txfuzz.check.run import ProgramResult, ProgramRunner
from txfuzz_sqlite.adapter import SqliteAdapter

pytest_plugins = "pytester"
SEATS = """
    import os, txfuzz

    @txfuzz.setup
    def schema(connection):
        connection.execute("CREATE TABLE seats (seat int PRIMARY KEY, booked_by text)")
        connection.execute("INSERT INTO seats VALUES (1, NULL)")
"""
PLAIN = f"""{SEATS}
    @txfuzz.transaction(who=["ann", "bob"])
    def book(connection, who):
        BEGIN
        [(holder,)] = connection.execute("SELECT booked_by FROM seats WHERE seat = 1")
        if holder is None:
            connection.execute("UPDATE seats SET booked_by = ? WHERE seat = 1", (who,))
"""
SQLALCHEMY = f"""{SEATS}
    from sqlalchemy import create_engine, text
    engine = create_engine(os.environ["DATABASE_URL"])

    @txfuzz.transaction(who=["ann", "bob"])
    def book(who):
        with engine.begin() as connection:
            if connection.scalar(text("SELECT booked_by FROM seats WHERE seat = 1")) is None:
                connection.execute(text("UPDATE seats SET booked_by = :who WHERE seat = 1"), {{"who": who}})
"""


def checked(path: Path, code: str) -> ProgramResult:
    file = path / "app.py"
    file.write_text(dedent(code))
    with SqliteAdapter().open(None) as database:
        subject, tables = open_code(file, database)
        with tables, ProgramRunner(tables, serial_level="serializable") as ready:
            [(_, (program, *_))] = programs(subject.transactions, (), Random(1))
            return ready.check(program, "serializable")


@pytest.mark.parametrize("code", [PLAIN.replace("BEGIN", "pass"), SQLALCHEMY], ids=["sqlite3", "SQLAlchemy"])
def test_without_begin_a_read_is_no_part_of_the_transaction(tmp_path: Path, code: str) -> None:
    """As sqlite3 has it by default, https://docs.python.org/3/library/sqlite3.html#transaction-control."""
    result = checked(tmp_path, code)
    assert result.complete
    assert len(result.failing) == result.schedules - 2


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN IMMEDIATE"])
def test_with_begin_one_of_them_waits_or_is_refused(tmp_path: Path, begin: str) -> None:
    result = checked(tmp_path, PLAIN.replace("BEGIN", f"connection.execute({begin!r})"))
    assert not result.failing
    assert result.explained == result.schedules
    assert bool(result.aborted) == (begin == "BEGIN")
    assert bool(result.waited) == (begin == "BEGIN IMMEDIATE")


def test_sqlite3_is_what_it_was(tmp_path: Path) -> None:
    before = sqlite3.connect
    checked(tmp_path, SQLALCHEMY)
    assert sqlite3.connect is before
    assert sqlite3.dbapi2.connect is before


def seats(connection: sqlite3.Connection) -> None:
    connection.executescript(
        "DROP TABLE IF EXISTS seats; CREATE TABLE seats (seat int PRIMARY KEY, booked_by text);"
        "INSERT INTO seats VALUES (1, NULL)"
    )


def book(connection: sqlite3.Connection, who: str) -> bool:
    [(holder,)] = connection.execute("SELECT booked_by FROM seats").fetchall()
    if holder is None:
        connection.execute("UPDATE seats SET booked_by = ?", (who,))
    return bool(holder is None)


def test_concurrently_leaves_the_users_file_in_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "data.db"
    both = partial(book, who="ann"), partial(book, who="bob")
    with pytest.raises(txfuzz.ConcurrencyFailure, match=r"book \(ann\)"):
        txfuzz.concurrently(*both, setup=seats, url=f"sqlite:///{file}")
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert [name for (name,) in connection.execute("SELECT name FROM sqlite_master")][:1] == ["seats"]
    connection.close()


APP = """
    import sqlite3, pytest

    def seats():
        with sqlite3.connect("data.db") as connection:
            connection.executescript(
                "DROP TABLE IF EXISTS seats; CREATE TABLE seats (booked_by text);"
                "INSERT INTO seats VALUES (NULL)"
            )
        connection.close()

    def book(who):
        connection = sqlite3.connect("data.db", isolation_level=None)
        connection.execute("BEGIN_KIND")
        [(holder,)] = connection.execute("SELECT booked_by FROM seats").fetchall()
        connection.execute("COMMIT_EARLY")
        if holder is None:
            connection.execute("UPDATE seats SET booked_by = ?", (who,))
        if connection.in_transaction:
            connection.execute("COMMIT")
        connection.close()
        return holder

    def test_booking(txfuzz_check):
        txfuzz_check(lambda: book("ann"), lambda: book("bob"), setup=seats)
"""
BROKEN = dedent(APP).replace("BEGIN_KIND", "SELECT 1").replace("COMMIT_EARLY", "SELECT 1")
MENDED = dedent(APP).replace("BEGIN_KIND", "BEGIN IMMEDIATE").replace("COMMIT_EARLY", "SELECT 1")


REFUSED = """
    def test_nothing(txfuzz_check):
        txfuzz_check(lambda: 1, lambda: 2, setup=lambda: None)
"""


def test_the_fixture_tells_the_story_and_keeps_what_has_failed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_app=BROKEN)
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    output = "\n".join(result.outlines)
    assert "first × second: schedule" in output
    assert "UPDATE seats SET booked_by = 'ann'" in output
    assert "Traceback" not in output
    assert "concurrently.py:" not in output
    [kept] = pytester.path.glob(".txfuzz/schedules/test_booking-*.json")
    told = json.loads(kept.read_text())
    assert told["test"] == "test_app.py::test_booking"
    again = pytester.runpytest("-p", "no:cacheprovider", "--txfuzz-budget", "1")
    again.assert_outcomes(failed=1)
    assert "first × second: the first schedule goes wrong" in "\n".join(again.outlines)
    pytester.makepyfile(test_app=MENDED)
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=1)
    assert not kept.exists()


def test_a_budget_is_kept_and_what_is_refused_is_one_sentence(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_app=BROKEN, test_refused=REFUSED)
    result = pytester.runpytest("-p", "no:cacheprovider", "--txfuzz-budget=1")
    result.assert_outcomes(passed=1, failed=1)
    output = "\n".join(result.outlines)
    assert "where the database is cannot be seen" in output
    assert "another exception" not in output
    assert "Traceback" not in output


def test_each_set_of_values_of_executemany_is_shown(tmp_path: Path) -> None:
    code = PLAIN.replace('.execute("UPDATE', '.executemany("UPDATE').replace(
        "(who,))", "[(who,), (None,), (who,)])"
    )
    result = checked(tmp_path, code.replace("BEGIN", "pass"))
    points = [step.chosen.what for step in result.failing[0].trace.steps] if result.failing else []
    run = [str(point) for point in points if "UPDATE" in str(point)]
    assert any(
        "= 'ann' WHERE seat = 1; UPDATE seats SET booked_by = NULL WHERE seat = 1; UPDATE" in each
        for each in run
    )
