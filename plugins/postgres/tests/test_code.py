"""Code that uses psycopg, SQLAlchemy or Django, unchanged, on the embedded server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import text

import txfuzz
from checked_code import LEVELS, READ_COMMITTED, REPEATABLE_READ, SEATS, SERIALIZABLE, checked, opened
from txfuzz.check.code.call import CodeTransaction
from txfuzz.check.program import Program
from txfuzz.check.story import explanation, story
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter().open(None) as opened:
        assert isinstance(opened, PostgresDatabase)
        yield opened


@pytest.fixture
def url(database: PostgresDatabase) -> Iterator[str]:
    with database.scenario(()) as tables:
        yield tables.url()


PSYCOPG = f"""{SEATS}
    import psycopg

    @txfuzz.transaction(who=["ann", "bob"])
    def book(who, seat=1):
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            [(holder,)] = connection.execute("SELECT booked_by FROM seats WHERE seat = %s", [seat]).fetchall()
            if holder is None:
                connection.execute("UPDATE seats SET booked_by = %s WHERE seat = %s", [who, seat])
"""
SQLALCHEMY = f"""{SEATS}
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    engine = create_engine(os.environ["DATABASE_URL"])

    class Base(DeclarativeBase):
        pass

    class Seat(Base):
        __tablename__ = "seats"
        seat: Mapped[int] = mapped_column(primary_key=True)
        booked_by: Mapped[str | None]

    @txfuzz.transaction(who=["ann", "bob"])
    def book(who):
        with Session(engine) as session, session.begin():
            seat = session.get(Seat, 1)
            if seat.booked_by is None:
                seat.booked_by = who
"""
DJANGO = f"""{SEATS}
    from urllib.parse import parse_qs, urlsplit
    from django.conf import settings

    def of(url):
        parts = urlsplit(url)
        options = {{name: value for name, [value] in parse_qs(parts.query).items()}}
        return {{
            "ENGINE": "django.db.backends.postgresql", "NAME": parts.path[1:], "USER": parts.username,
            "OPTIONS": options,
        }}

    settings.configure(DATABASES={{"default": of(os.environ["DATABASE_URL"])}})
    import django
    django.setup()
    from django.db import models, transaction

    class Seat(models.Model):
        seat = models.IntegerField(primary_key=True)
        booked_by = models.TextField(null=True)

        class Meta:
            app_label = "app"
            db_table = "seats"

    @txfuzz.transaction(who=["ann", "bob"])
    def book(who):
        with transaction.atomic():
            seat = Seat.objects.get(seat=1)
            if seat.booked_by is None:
                seat.booked_by = who
                seat.save()
"""


@pytest.mark.parametrize("code", [PSYCOPG, SQLALCHEMY, DJANGO], ids=["psycopg", "SQLAlchemy", "Django"])
def test_a_double_booking_is_found_at_once_and_every_level_is_conclusive(
    database: PostgresDatabase, tmp_path: Path, code: str
) -> None:
    begun = time.monotonic()
    with opened(database, tmp_path, code) as (ready, program):
        assert ready.check(program, READ_COMMITTED, most=3).failing
        assert time.monotonic() - begun < 5.0, "half a second on a quiet machine, imports aside"
        found = {level: ready.check(program, level) for level in LEVELS}
    broken = found[READ_COMMITTED]
    assert broken.complete
    assert (broken.schedules, len(broken.failing), broken.explained) == (14, 12, 2)
    for level in (REPEATABLE_READ, SERIALIZABLE):
        assert not found[level].failing
        assert found[level].aborted == {"40001": 12}
        assert (found[level].explained, found[level].waited) == (14, 6)


def test_the_story_has_the_values_and_says_what_was_changed(
    database: PostgresDatabase, tmp_path: Path
) -> None:
    attempt = checked(database, tmp_path, PSYCOPG, [READ_COMMITTED], most=3)[READ_COMMITTED].failing[0]
    assert explanation(attempt) == (
        "book (who=bob, seat=1) returned None, and changed 1 row (UPDATE seats), and so did "
        "book (who=ann, seat=1); whichever went first, the other would have returned None, and changed "
        "nothing.",
    )
    assert [(line.did, line.came) for line in story(attempt)][1:4] == [
        ("SELECT booked_by FROM seats WHERE seat = 1", "booked_by NULL"),
        ("UPDATE seats SET booked_by = 'bob' WHERE seat = 1", "1 row changed"),
        ("COMMIT", "committed"),
    ]


def test_a_statement_can_be_sent_in_place_of_another(database: PostgresDatabase, tmp_path: Path) -> None:
    def locking(sql: str) -> str:
        return f"{sql} FOR UPDATE" if sql.startswith("SELECT") else sql

    with opened(database, tmp_path, PSYCOPG) as (ready, program):
        [(book, ann), (_, bob)] = program.calls
        assert isinstance(book, CodeTransaction)
        mended = replace(book, rewrite=locking)
        result = ready.check(Program(program.name, ((mended, ann), (mended, bob))), READ_COMMITTED)
        assert not result.failing
        assert result.waited


def test_a_pool_gets_its_connections_back_at_their_own_level(url: str) -> None:
    engine = sqlalchemy.create_engine(url)

    def book(who: str) -> bool:
        with engine.begin() as connection:
            free = connection.scalar(text("SELECT booked_by FROM seats FOR UPDATE")) is None
            if free:
                connection.execute(text("UPDATE seats SET booked_by = :who"), {"who": who})
            return free

    both = partial(book, "ann"), partial(book, "bob")
    result = txfuzz.concurrently(*both, setup=seats, engine=engine, isolation=SERIALIZABLE)
    assert result.complete
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == READ_COMMITTED
    engine.dispose()


def test_nothing_of_it_stays(database: PostgresDatabase, tmp_path: Path) -> None:
    before = psycopg.Cursor.execute, psycopg.Connection.commit, os.environ.get("DATABASE_URL")
    checked(database, tmp_path, PSYCOPG, [READ_COMMITTED], most=1)
    assert (psycopg.Cursor.execute, psycopg.Connection.commit, os.environ.get("DATABASE_URL")) == before


RETRIES = f"""{SEATS}
    import psycopg

    @txfuzz.transaction
    def count(connection):
        while True:
            try:
                with connection.transaction():
                    [(now,)] = connection.execute("SELECT count(*) FROM seats").fetchall()
                    connection.execute("INSERT INTO seats VALUES (%s, 'x')", [now + 1])
                    return now
            except (psycopg.errors.SerializationFailure, psycopg.errors.UniqueViolation):
                pass
"""


def test_retries_of_the_code_itself_are_no_evidence(database: PostgresDatabase, tmp_path: Path) -> None:
    for level, result in checked(database, tmp_path, RETRIES, most=30).items():
        assert not result.failing, level
        assert result.explained == result.schedules
        assert result.waited > 0


UPDATES = RETRIES.replace("INSERT INTO seats VALUES (%s, 'x')", "UPDATE seats SET seat = seat + %s")


def test_retries_of_the_code_itself_are_counted(database: PostgresDatabase, tmp_path: Path) -> None:
    result = checked(database, tmp_path, UPDATES, [REPEATABLE_READ], most=3)[REPEATABLE_READ]
    assert result.aborted == {"40001": 1}


CLOCKS = f"""{SEATS}
    import datetime, uuid

    @txfuzz.setup
    def more(connection):
        connection.execute("CREATE TABLE bookings (id uuid PRIMARY KEY, at timestamptz, who text)")

    @txfuzz.transaction
    def book(connection):
        [(holder,)] = connection.execute("SELECT booked_by FROM seats FOR UPDATE").fetchall()
        if holder is not None:
            raise LookupError
        connection.execute("UPDATE seats SET booked_by = 'x'")
        row = uuid.uuid4(), datetime.datetime.now(datetime.UTC)
        connection.execute("INSERT INTO bookings VALUES (%s, %s, 'x')", row)
        return {{"id": row[0], "at": row[1], "who": "x"}}
"""


def test_clocks_and_chance_in_code_are_left_out_and_told(database: PostgresDatabase, tmp_path: Path) -> None:
    with opened(database, tmp_path, CLOCKS) as (ready, program):
        result = ready.check(program, READ_COMMITTED)
        assert not result.failing
        assert result.explained == result.schedules > 5
        assert ready.left_out == (
            "bookings.at",
            "bookings.id",
            "at of what book returned",
            "id of what book returned",
        )


PIECES = f"""{SEATS}
    @txfuzz.transaction
    def pieces(connection):
        connection.execute("UPDATE seats SET booked_by = 'reserved' WHERE seat = 1")
        connection.commit()
        connection.execute("UPDATE seats SET booked_by = coalesce(booked_by, '') || '!' WHERE seat = 1")
        raise LookupError("no money")
"""


def test_what_was_committed_before_an_exception_counts(database: PostgresDatabase, tmp_path: Path) -> None:
    found = checked(database, tmp_path, PIECES, [READ_COMMITTED, SERIALIZABLE])
    result = found[READ_COMMITTED]
    assert not result.failing
    assert result.aborted == {}
    assert result.explained == result.schedules > 2
    # Half of it is there, and no retry can take it back
    told = explanation(found[SERIALIZABLE].failing[0])
    assert any("but it raised SerializationFailure" in each for each in told)
    assert told[-1].startswith("pieces is not one transaction: here it began 2 of them")


GENERATED = """
    import txfuzz

    @txfuzz.setup
    def schema(connection):
        connection.execute("CREATE TABLE t (id serial PRIMARY KEY, name text UNIQUE)")

    @txfuzz.transaction
    def get_or_create(session, name="x"):
        from sqlalchemy import text
        from sqlalchemy.exc import IntegrityError
        found = session.scalar(text("SELECT id FROM t WHERE name = :name"), {"name": name})
        if found is not None:
            return found
        try:
            with session.begin_nested():
                insert = text("INSERT INTO t (name) VALUES (:name) RETURNING id")
                return session.scalar(insert, {"name": name})
        except IntegrityError:
            return session.scalar(text("SELECT id FROM t WHERE name = :name"), {"name": name})
"""


def test_get_or_create_with_a_savepoint_is_right_and_says_so(
    database: PostgresDatabase, tmp_path: Path
) -> None:
    result = checked(database, tmp_path, GENERATED, [READ_COMMITTED])[READ_COMMITTED]
    assert not result.failing
    assert result.explained == result.schedules > 10


# -- txfuzz.concurrently ----------------------------------------------------------------------


def seats(connection: Any) -> None:
    connection.execute("DROP TABLE IF EXISTS seats")
    connection.execute("CREATE TABLE seats (seat int PRIMARY KEY, booked_by text)")
    connection.execute("INSERT INTO seats VALUES (1, NULL)")


def book(connection: Any, who: str) -> bool:
    [(holder,)] = connection.execute("SELECT booked_by FROM seats").fetchall()
    if holder is None:
        connection.execute("UPDATE seats SET booked_by = %s", [who])
    return holder is None


ANN, BOB = partial(book, who="ann"), partial(book, who="bob")


def test_concurrently_finds_it_and_follows_the_same_schedule_again(url: str) -> None:
    with pytest.raises(txfuzz.ConcurrencyFailure, match="book × book: schedule 3 goes wrong") as found:
        txfuzz.concurrently(ANN, BOB, setup=seats, url=url)
    assert found.value.schedule == (0, 1, 1, 1, 0, 0)
    assert "UPDATE seats SET booked_by = 'ann'" in str(found.value)
    assert "fix: FOR UPDATE in the reads of book (tried: 0 of 6 schedules fail; waits 4)" in str(found.value)
    assert "\n       SELECT booked_by FROM seats FOR UPDATE\n" in str(found.value)
    with pytest.raises(txfuzz.ConcurrencyFailure, match="the first schedule goes wrong") as again:
        txfuzz.concurrently(ANN, BOB, setup=seats, url=url, schedule=found.value.schedule)
    assert "fix:" not in str(again.value)
    result = txfuzz.concurrently(ANN, BOB, setup=seats, url=url, isolation=SERIALIZABLE)
    assert (result.schedules, result.complete, result.aborted) == (14, True, {"40001": 12})


def test_an_invariant_and_a_state_of_ones_own(url: str) -> None:
    def nobody_is_lost(connection: Any) -> list[tuple[Any, ...]]:
        return list(connection.execute("SELECT * FROM seats WHERE booked_by <> 'ann'").fetchall())

    with pytest.raises(txfuzz.ConcurrencyFailure, match="nobody is lost"):
        txfuzz.concurrently(ANN, BOB, setup=seats, url=url, invariant=nobody_is_lost, serial=False)
    quiet = partial(txfuzz.concurrently, ANN, BOB, setup=seats, url=url, state=lambda: 1, writes=False)
    with pytest.raises(txfuzz.ConcurrencyFailure, match="returned True, and so did"):
        quiet()


def test_the_database_is_found_by_the_first_connection_and_open_setups_are_refused(url: str) -> None:
    def setup() -> None:
        with psycopg.connect(url) as connection:
            seats(connection)

    with pytest.raises(txfuzz.ConcurrencyFailure):
        txfuzz.concurrently(ANN, BOB, setup=setup)
    with psycopg.connect(url) as connection:
        with pytest.raises(txfuzz.UsageError, match="setup leaves a transaction open"):
            txfuzz.concurrently(ANN, BOB, setup=lambda: seats(connection))
        connection.rollback()
    with pytest.raises(txfuzz.UsageError, match="where the database is cannot be seen"):
        txfuzz.concurrently(ANN, BOB, setup=lambda: None)


def test_each_set_of_values_of_executemany_is_shown(database: PostgresDatabase, tmp_path: Path) -> None:
    send = 'connection.execute("UPDATE seats SET booked_by = %s WHERE seat = %s", [who, seat])'
    code = PSYCOPG.replace(
        send,
        send.replace(".execute(", ".cursor().executemany(").replace("[who, seat]", "[[who, seat], [who, 2]]"),
    )
    assert "executemany" in code
    result = checked(database, tmp_path, code)[READ_COMMITTED]
    told = [line.did for line in story(result.failing[0])]
    update = "UPDATE seats SET booked_by = 'ann' WHERE seat = "
    assert f"{update}1; {update}2" in told


def test_what_no_lock_mends_gets_no_such_advice(url: str) -> None:
    def blind(connection: Any, who: str) -> bool:
        connection.execute("SELECT booked_by FROM seats")
        connection.commit()
        return book(connection, who)

    with pytest.raises(txfuzz.ConcurrencyFailure) as found:
        txfuzz.concurrently(
            partial(blind, who="ann"), partial(blind, who="bob"), setup=seats, url=url,
            invariant=lambda connection: connection.execute("SELECT 1").fetchall(),
        )  # fmt: skip
    assert "fix:" not in str(found.value)


def test_arguments_that_a_function_does_not_take_are_one_sentence(url: str) -> None:
    wrong = partial(book, whom="ann")
    with pytest.raises(txfuzz.UsageError, match=r"book\(\) cannot be called .*'whom'.*who") as found:
        txfuzz.concurrently(wrong, BOB, setup=seats, url=url)
    assert "\n" not in str(found.value)
