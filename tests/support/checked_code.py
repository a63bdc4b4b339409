"""Python code that is checked on the embedded PostgreSQL: written to a file, and run with itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from textwrap import dedent

from txfuzz.check.code.file import open_code
from txfuzz.check.program import Program, programs
from txfuzz.check.run import ProgramResult, ProgramRunner
from txfuzz_postgres.database import PostgresDatabase

LEVELS = READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE = "read committed", "repeatable read", "serializable"


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
