"""Code that uses psycopg, SQLAlchemy or Django, unchanged, on the embedded server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import text

import txfuzz
from txfuzz.check.code.call import CodeTransaction
from txfuzz.check.code.file import open_code
from txfuzz.check.code.session import CodeSession
from txfuzz.check.program import Program, programs
from txfuzz.check.run import ProgramResult, ProgramRunner
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.check.story import explanation, story
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase

pytestmark = pytest.mark.server
LEVELS = READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE = "read committed", "repeatable read", "serializable"


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter().open(None) as opened:
        assert isinstance(opened, PostgresDatabase)
        yield opened


@contextmanager
def opened(
    database: PostgresDatabase, path: Path, code: str, seconds: float = 5.0
) -> Iterator[tuple[ProgramRunner, Program]]:
    """With the first pair: of the first transaction with itself."""
    file = path / "app.py"
    file.write_text(dedent(code))
    subject, tables = open_code(file, database)
    with (
        tables,
        ProgramRunner(tables, subject.invariants, serial_level=SERIALIZABLE, seconds=seconds) as ready,
    ):
        [(_, (program, *_)), *_] = programs(subject.transactions, (), Random(1))
        yield ready, program


def checked(
    database: PostgresDatabase,
    path: Path,
    code: str,
    levels: Sequence[str] = LEVELS,
    *,
    most: int | None = None,
    seconds: float = 5.0,
) -> dict[str, ProgramResult]:
    with opened(database, path, code, seconds) as (ready, program):
        return {level: ready.check(program, level, most=most) for level in levels}


SEATS = """
    import os, txfuzz

    @txfuzz.setup
    def schema(connection):
        connection.execute("CREATE TABLE seats (seat int PRIMARY KEY, booked_by text)")
        connection.execute("INSERT INTO seats VALUES (1, NULL)")
"""
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
        "book (bob, 1) returned None, and changed 1 row (UPDATE seats), and so did book (ann, 1); "
        "whichever went first, the other would have returned None, and changed nothing.",
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


LOCKS = f"""{SEATS}
    import threading
    locks = [threading.Lock(), threading.Lock()]

    @txfuzz.transaction(first=[0, 1])
    def book(connection, first):
        with locks[first]:
            connection.execute("SELECT 1")
            with locks[1 - first]:
                pass
"""


def test_code_that_hangs_is_ended_and_the_lines_are_named(database: PostgresDatabase, tmp_path: Path) -> None:
    with opened(database, tmp_path, LOCKS, seconds=0.5) as (ready, program):
        attempt = ready.follow(program, READ_COMMITTED, program.labels)
        assert attempt.judgement.answer is SerialAnswer.UNKNOWN
        reason = attempt.judgement.reason
        assert "book (0) was at" in reason
        assert reason.count("app.py:16 (in book)") == 2


POOL = f"""{SEATS}
    import threading
    from sqlalchemy import create_engine, text

    engine = create_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=3)

    @txfuzz.transaction
    def book():
        with engine.begin() as connection:
            if connection.scalar(text("SELECT booked_by FROM seats")) is None:
                connection.execute(text("UPDATE seats SET booked_by = 'x'"))
"""


def test_who_waits_outside_of_the_database_lets_the_others_go_on(
    database: PostgresDatabase, tmp_path: Path
) -> None:
    result = checked(database, tmp_path, POOL, [READ_COMMITTED])[READ_COMMITTED]
    assert (result.explained, result.unknown, result.aborted) == (result.schedules, 0, {})


ENDLESS = f"""{SEATS}
    @txfuzz.transaction
    def book(connection):
        connection.execute("UPDATE seats SET booked_by = NULL")
        while True:
            pass
"""


def test_code_that_ends_never_is_broken_off_and_holds_nothing(
    database: PostgresDatabase, tmp_path: Path
) -> None:
    with opened(database, tmp_path, ENDLESS) as (ready, program):
        session = ready._attempts._tables.session()
        assert isinstance(session, CodeSession)
        session._seconds = 0.3
        with pytest.raises(txfuzz.UsageError, match=r"app.py:1\d \(in book\): it did not end within 0.3 s"):
            program.bound(READ_COMMITTED)[0].body(session, frozenset())
        session.close()
        session._thread.join(5.0)
        assert not session._thread.is_alive()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1", "app.py has no function with @txfuzz.transaction"),
        ("def f(:", "app.py:1: SyntaxError: "),
        ("import txfuzz\nraise SystemExit(3)", "app.py:2: SystemExit: 3"),
        ("import txfuzz\n1 / 0", "app.py:2: ZeroDivisionError: division by zero"),
        ("import txfuzz\n@txfuzz.transaction\ndef f(who): ...", r"app.py:2: f\(\): the parameter 'who' has"),
        (
            "import txfuzz\n@txfuzz.setup\ndef f(connection):\n    connection.execute('SELEC')",
            "no function with|app.py:4: SyntaxError: ",
        ),
        (
            "import txfuzz\n@txfuzz.transaction\ndef f(connection):\n    connection.execute('SELECT x')",
            'app.py:4: UndefinedColumn: column "x" does not exist',
        ),
        (
            "import txfuzz\n@txfuzz.transaction\ndef f(connection):\n    connection.exec('SELECT 1')",
            "app.py:4: AttributeError: 'Connection' object has no attribute 'exec'",
        ),
        ("import txfuzz\n@txfuzz.transaction\ndef f(): ...", r"app.py:2: f\(\) has sent no statement"),
    ],
)
def test_mistakes_are_told_with_their_line(
    database: PostgresDatabase, tmp_path: Path, code: str, message: str
) -> None:
    with pytest.raises(txfuzz.UsageError, match=message):
        checked(database, tmp_path, code, [READ_COMMITTED])


# -- txfuzz.concurrently ----------------------------------------------------------------------


@pytest.fixture
def url(database: PostgresDatabase) -> Iterator[str]:
    with database.scenario(()) as tables:
        yield tables.url()


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
    with pytest.raises(txfuzz.ConcurrencyFailure, match="the first schedule goes wrong"):
        txfuzz.concurrently(ANN, BOB, setup=seats, url=url, schedule=found.value.schedule)
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
