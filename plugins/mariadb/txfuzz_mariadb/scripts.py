"""A reproducer for the `mariadb` client."""

from __future__ import annotations

import re
from collections.abc import Mapping

from txfuzz.plugin_api import Kind, Script, ScriptLine, Tables, typed_script

from .options import MariadbOptions
from .products import REPEATABLE_READ
from .schemas import MariadbTables
from .statements import INSERT_ELSE_UPDATE, ON_DUPLICATE_KEY, compile_raw, level, read_sql, write_sql

NAME = "repro.sql"


def write_script(script: Script, options: MariadbOptions) -> str:
    """For one window per session. The options are the adapter's."""
    table = Tables(script.kind).name(0)
    maker = MariadbTables()
    setup = [*maker.create_statements(table, script.kind, options.layout)]
    if script.rows:
        setup.append(f"INSERT INTO {table} VALUES {maker.empty_rows(script.rows, script.kind)}")
    begin = [f"SET SESSION TRANSACTION ISOLATION LEVEL {level(script.isolation).upper()}"]
    if level(script.isolation) == REPEATABLE_READ:
        on = "ON" if options.innodb_snapshot_isolation else "OFF"
        begin.append(f"SET SESSION innodb_snapshot_isolation = {on}")
    return typed_script(
        script,
        "mariadb",
        setup=setup,
        begin=[*begin, "START TRANSACTION"],
        statement=lambda line: statement(script, line, options),
        after=[
            *(f"SELECT val FROM {table} WHERE `key` = {key}" for key in script.keys),
            f"DROP TABLE {table}",
        ],
        cell=lambda line: cell(script, line),
    )


def statement(script: Script, line: ScriptLine, options: MariadbOptions) -> str:
    """The SQL of one line, with literal values."""
    step = line.step
    if step is None:
        return line.action.upper()
    table = Tables(script.kind).name(0)
    if step.step.sql is not None:
        return filled(compile_raw(step.step.sql).on(table), step.args).rstrip("; \n")
    key = step.key or 0
    if step.f == "r":
        return filled(read_sql(table, step.step.lock, step.step.form, plan=options.plan), {"key": key})
    # One statement for a row that may be missing, where the session may have sent UPDATE and INSERT.
    form = (step.step.form or options.append) if key in script.rows else ON_DUPLICATE_KEY
    if form == INSERT_ELSE_UPDATE:
        form = ON_DUPLICATE_KEY
    return filled(write_sql(script.kind, table, form)[0], {"key": key, "value": step.value or 0})


def filled(sql: str, values: Mapping[str, int]) -> str:
    """Parameters are integers, so inlining them is safe."""
    return re.sub(r"%\((\w+)\)s", lambda found: str(values[found[1]]), sql).replace("%%", "%")


def cell(script: Script, line: ScriptLine) -> str:
    """What a read shows; empty if there is no row."""
    saw = line.saw
    if isinstance(saw, tuple):
        return "".join(f"{value}," for value in saw)
    if saw is None:
        there = line.step is not None and line.step.key in script.rows and script.kind is Kind.RW_REGISTER
        return "NULL" if there else ""
    return str(saw)
