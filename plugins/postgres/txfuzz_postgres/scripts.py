"""A reproducer in the words of PostgreSQL's own tools: a psql script, and a spec for isolationtester.

https://github.com/postgres/postgres/blob/master/src/test/isolation/README
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from txfuzz.plugin_api import (
    WRITE_FUNCTION,
    BoundStep,
    Kind,
    Script,
    ScriptLine,
    Tables,
    typed_script,
)

from .levels import level
from .statements import compile_raw, read_sql, write_sql

COLUMN = {Kind.LIST_APPEND: "bigint[]", Kind.RW_REGISTER: "bigint"}
EMPTY = {Kind.LIST_APPEND: "ARRAY[]::bigint[]", Kind.RW_REGISTER: "NULL"}


SPEC = "repro.spec"


def write_scripts(script: Script, append: str) -> dict[str, str]:
    """File name → text. append: how a write reaches a row, as the adapter's option says it."""
    found = {"repro.sql": psql_script(script, append)}
    if not any(set("{}") & set(statement(script, line, append)) for line in script.lines):
        found[SPEC] = isolation_spec(script, append)  # whose blocks cannot hold braces
    return found


def psql_script(script: Script, append: str) -> str:
    """Lines for one psql window a session."""
    return typed_script(
        script,
        "psql",
        setup=[text.rstrip(";") for text in setup(script)],
        begin=[begin(script)],
        statement=lambda line: statement(script, line, append),
        after=[*last_reads(script), f"DROP TABLE {table(script)}"],
        cell=lambda line: _cell(script, line),
    )


def isolation_spec(script: Script, append: str) -> str:
    """A spec whose one permutation is the replay."""
    sessions = list(dict.fromkeys(line.session for line in script.lines))
    lines = [f"# {script.title}", "", "setup", "{"]
    lines += [f"  {text}" for text in setup(script)]
    lines += ["}", "", "teardown", "{", f"  DROP TABLE {table(script)};", "}"]
    names = dict(_names(script.lines))
    for session in sessions:
        lines += ["", f"session {quoted(session)}", f"setup {{ {begin(script)}; }}"]
        for at, line in enumerate(script.lines):
            if line.session == session:
                lines.append(f"step {names[at]} {{ {statement(script, line, append)}; }}")
        if any(line.code for line in script.lines if line.session == session):
            lines.append("teardown { ROLLBACK; }")
    lines += ["", "session after"]
    reads = [f"after_{at}" for at in range(len(script.keys))]
    lines += [f"step {name} {{ {text}; }}" for name, text in zip(reads, last_reads(script), strict=True)]
    return "\n".join([*lines, "", f"permutation {' '.join([*names.values(), *reads])}"]) + "\n"


def expected_reads(script: Script) -> list[str]:
    """What the reads of the replay have seen, as isolationtester prints it, in order."""
    return [
        _cell(script, line)
        for line in script.lines
        if line.step is not None and line.step.f == "r" and not line.code
    ]


def reads_in(output: str) -> list[str]:
    """The first cells of all results that isolationtester printed."""
    cells = []
    lines = output.splitlines()
    for at, line in enumerate(lines):
        if re.fullmatch(r"-+(\+-+)*", line) and at + 1 < len(lines):
            following = lines[at + 1]
            cells.append("" if following.startswith("(0 rows)") else following.split("|")[0].strip())
    return cells


def setup(script: Script) -> Iterator[str]:
    yield f"CREATE TABLE {table(script)} (key bigint PRIMARY KEY, val {COLUMN[script.kind]});"
    if script.rows:
        rows = ", ".join(f"({key}, {EMPTY[script.kind]})" for key in script.rows)
        yield f"INSERT INTO {table(script)} VALUES {rows};"


def begin(script: Script) -> str:
    return f"BEGIN ISOLATION LEVEL {level(script.isolation).upper()}"


def table(script: Script) -> str:
    return Tables(script.kind).name(0)


def last_reads(script: Script) -> list[str]:
    return [f"SELECT val FROM {table(script)} WHERE key = {key}" for key in script.keys]


def statement(script: Script, line: ScriptLine, append: str) -> str:
    """The SQL of one line, its values written out."""
    step = line.step
    if step is None:
        return line.action.upper()
    if step.step.sql is not None:
        raw = compile_raw(step.step.sql)
        return filled(raw.on(table(script)), [step.args[name] for name in raw.names]).rstrip("; \n")
    if step.f == "r":
        return filled(read_sql(table(script), step.step.lock), [key_of(step)])
    values = [key_of(step), step.value or 0]
    written = [filled(sql, values) for sql in write_sql(script.kind, table(script), append)]
    if len(written) == 1 or step.key in script.rows:
        return written[0]
    # One statement for both, which is nearly what the session does: UPDATE and, if no row was there, INSERT.
    changed = ("ARRAY[%d]" if script.kind is Kind.LIST_APPEND else "%d") % values[1]
    return (
        f"WITH changed AS ({written[0]} RETURNING 1) INSERT INTO {table(script)} "
        f"SELECT {values[0]}, {changed} WHERE NOT EXISTS (SELECT FROM changed)"
    )


def filled(sql: str, values: Sequence[int]) -> str:
    """Parameters are whole numbers, so writing them out is safe."""
    return re.sub(r"\$(\d+)", lambda found: str(values[int(found[1]) - 1]), sql)


def key_of(step: BoundStep) -> int:
    assert step.key is not None
    return step.key


def quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', "") + '"'


def _cell(script: Script, line: ScriptLine) -> str:
    """What a read shows; nothing for NULL, and where there is no row."""
    saw = line.saw
    if saw == () and line.step is not None and line.step.key not in script.rows:
        return ""
    if isinstance(saw, tuple):
        return "{" + ",".join(map(str, saw)) + "}"
    return "" if saw is None else str(saw)


def _names(lines: Sequence[ScriptLine]) -> Iterator[tuple[int, str]]:
    """The name of each step: session, what it does, and a number where that comes again."""
    counts: dict[str, int] = {}
    for at, line in enumerate(lines):
        does = line.action
        if line.step is not None:
            does = {"r": "read", WRITE_FUNCTION[Kind.LIST_APPEND]: "append", "w": "write"}.get(
                line.step.f or "", "sql"
            )
        name = f"{line.session}_{does}"
        counts[name] = counts.get(name, 0) + 1
        yield at, quoted(name if counts[name] == 1 else f"{name}_{counts[name]}")
