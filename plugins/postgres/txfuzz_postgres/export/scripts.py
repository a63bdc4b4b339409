"""A reproducer for psql, and its statements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from txfuzz.plugin_api import (
    BoundStep,
    Kind,
    Script,
    ScriptLine,
    Tables,
    typed_script,
)

from ..layouts import plan_settings
from ..options import PostgresOptions
from ..schemas import PostgresTables
from ..statements import ON_CONFLICT, compile_raw, level, read_form_sql, read_sql, write_sql

NAME = "repro.sql"
MAKER = PostgresTables()


def psql_script(script: Script, options: PostgresOptions) -> str:
    """For one psql window per session."""
    return typed_script(
        script,
        "psql",
        setup=[text.rstrip(";") for text in setup(script, options)],
        begin=[*sets(options), begin(script)],
        statement=lambda line: statement(script, line, options.append),
        after=[*last_reads(script), f"DROP TABLE {table(script)}"],
        cell=lambda line: cell(script, line),
    )


def setup(script: Script, options: PostgresOptions) -> Iterator[str]:
    for sql in MAKER.create_statements(table(script), script.kind, options.layout):
        yield f"{sql};"
    if script.rows:
        yield f"INSERT INTO {table(script)} VALUES {MAKER.empty_rows(script.rows, script.kind)};"


def sets(options: PostgresOptions) -> list[str]:
    """The settings that force its plan; none for the server's own choice."""
    return [f"SET {name} = off" for name in plan_settings(options.plan)]


def begin(script: Script) -> str:
    return f"BEGIN ISOLATION LEVEL {level(script.isolation).upper()}"


def table(script: Script) -> str:
    return Tables(script.kind).name(0)


def last_reads(script: Script) -> list[str]:
    return [f"SELECT val FROM {table(script)} WHERE key = {key}" for key in script.keys]


def statement(script: Script, line: ScriptLine, append: str) -> str:
    """The SQL of one line, with literal values."""
    step = line.step
    if step is None:
        return line.action.upper()
    if step.step.sql is not None:
        raw = compile_raw(step.step.sql)
        return filled(raw.on(table(script)), [step.args[name] for name in raw.names or ()]).rstrip("; \n")
    if step.f == "r":
        form, lock = step.step.form, step.step.lock
        sql = read_form_sql(table(script), form, lock) if form else read_sql(table(script), lock)
        return filled(sql, [key_of(step)])
    values = [key_of(step), step.value or 0]
    form = step.step.form or append
    if len(write_sql(script.kind, table(script), form)) > 2:
        form = ON_CONFLICT  # one statement that does the same unless somebody deletes the row in between
    written = [filled(sql, values) for sql in write_sql(script.kind, table(script), form)]
    if len(written) == 1 or step.key in script.rows:
        return written[0]
    # One statement that nearly does what the session does: UPDATE and, if there was no row, INSERT.
    changed = ("ARRAY[%d]" if script.kind is Kind.LIST_APPEND else "%d") % values[1]
    return (
        f"WITH changed AS ({written[0]} RETURNING 1) INSERT INTO {table(script)} "
        f"SELECT {values[0]}, {changed} WHERE NOT EXISTS (SELECT FROM changed)"
    )


def filled(sql: str, values: Sequence[int]) -> str:
    """Parameters are integers, so inlining them is safe."""
    return re.sub(r"\$(\d+)", lambda found: str(values[int(found[1]) - 1]), sql)


def key_of(step: BoundStep) -> int:
    assert step.key is not None
    return step.key


def cell(script: Script, line: ScriptLine) -> str:
    """What a read shows; empty for NULL or no row."""
    saw = line.saw
    if saw == () and line.step is not None and line.step.key not in script.rows:
        return ""
    if isinstance(saw, tuple):
        return "{" + ",".join(map(str, saw)) + "}"
    return "" if saw is None else str(saw)
