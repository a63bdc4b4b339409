"""Code that uses PyMySQL, by itself and under SQLAlchemy, unchanged, on the embedded server."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

import pytest

import txfuzz
from txfuzz.check.code.file import open_code
from txfuzz.check.program import programs
from txfuzz.check.run import ProgramRunner
from txfuzz_mariadb.adapter import MariadbAdapter
from txfuzz_mariadb.database import MariadbDatabase

pytestmark = pytest.mark.server
LEVELS = REPEATABLE_READ, SERIALIZABLE = "repeatable read", "serializable"
SEATS = """
    import os, txfuzz

    @txfuzz.setup
    def schema(connection):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE seats (seat int PRIMARY KEY, booked_by varchar(9))")
            cursor.execute("INSERT INTO seats VALUES (1, NULL)")
"""
PYMYSQL = f"""{SEATS}
    @txfuzz.transaction(who=["ann", "bob"])
    def book(connection, who):
        with connection.cursor() as cursor:
            cursor.execute("SELECT booked_by FROM seats WHERE seat = 1")
            if cursor.fetchone()[0] is None:
                cursor.execute("UPDATE seats SET booked_by = %s WHERE seat = 1", [who])
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


@pytest.fixture(scope="module")
def database() -> Iterator[MariadbDatabase]:
    with MariadbAdapter().open(None) as opened:
        assert isinstance(opened, MariadbDatabase)
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("code", [PYMYSQL, SQLALCHEMY], ids=["PyMySQL", "SQLAlchemy"])
def test_a_double_booking_is_found_in_the_first_schedules(
    database: MariadbDatabase, tmp_path: Path, code: str
) -> None:
    file = tmp_path / "app.py"
    file.write_text(dedent(code))
    subject, tables = open_code(file, database)
    with tables, ProgramRunner(tables, serial_level=SERIALIZABLE) as ready:
        [(_, (program, *_))] = programs(subject.transactions, (), Random(1))
        assert ready.check(program, REPEATABLE_READ, most=3).failing
        result = ready.check(program, SERIALIZABLE)
        assert not result.failing
        assert result.explained == result.schedules
        assert result.waited
        assert result.aborted["1213"] > 0


def test_concurrently_looks_at_the_users_own_database(database: MariadbDatabase) -> None:
    def seats(connection: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS seats (seat int PRIMARY KEY, booked_by varchar(9))")
            cursor.execute("DELETE FROM seats")
            cursor.execute("INSERT INTO seats VALUES (1, NULL)")

    def book(connection: Any, who: str, lock: str) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT booked_by FROM seats WHERE seat = 1 {lock}")
            [(holder,)] = cursor.fetchall()
            if holder is None:
                cursor.executemany("UPDATE seats SET booked_by = %s WHERE seat = %s", [[who, 1], [who, 2]])
            return bool(holder is None)

    with database.scenario(()) as tables:
        query = tables.url().partition("?")[2]
        socket = next(each for each in query.split("&") if each.startswith("unix_socket="))
        check = partial(txfuzz.concurrently, setup=seats, url=f"{tables.url().partition('?')[0]}?{socket}")
        with pytest.raises(txfuzz.ConcurrencyFailure, match="returned True, and changed 1 row") as found:
            check(partial(book, who="ann", lock=""), partial(book, who="bob", lock=""))
        update = "UPDATE seats SET booked_by = 'ann' WHERE seat = "
        assert f"{update}1; {update}2" in " ".join(str(found.value).split())
        assert "fix: FOR UPDATE in the reads of book" in str(found.value)
        locked = check(
            partial(book, who="ann", lock="FOR UPDATE"), partial(book, who="bob", lock="FOR UPDATE")
        )
        assert locked.complete
        assert locked.waited
