"""A reproducer as a spec for PostgreSQL's isolationtester, and running it if the server has that program.

https://github.com/postgres/postgres/blob/master/src/test/isolation/README
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from txfuzz.plugin_api import WRITE_FUNCTION, Kind, Script, ScriptFile, ScriptLine

from ..options import PostgresOptions
from ..protocol.url import Target
from .scripts import begin, cell, last_reads, sets, setup, statement, table

SECONDS = 60
SPEC = "repro.spec"


def isolation_spec(script: Script, options: PostgresOptions) -> str | None:
    """A spec whose one permutation is the replay; None if a statement has braces, which specs cannot have.

    options: the adapter's.
    """
    if any(set("{}") & set(statement(script, line, options.append)) for line in script.lines):
        return None
    sessions = list(dict.fromkeys(line.session for line in script.lines))
    lines = [f"# {script.title}", "", "setup", "{"]
    lines += [f"  {text}" for text in setup(script, options)]
    lines += ["}", "", "teardown", "{", f"  DROP TABLE {table(script)};", "}"]
    names = dict(_names(script.lines))
    for session in sessions:
        first = "; ".join([*sets(options), begin(script)])
        lines += ["", f"session {quoted(session)}", f"setup {{ {first}; }}"]
        for at, line in enumerate(script.lines):
            if line.session == session:
                shown = f"  # {told}" if (told := _shows(script, line)) else ""
                lines.append(f"step {names[at]} {{ {statement(script, line, options.append)}; }}{shown}")
        if any(line.code for line in script.lines if line.session == session):
            lines.append("teardown { ROLLBACK; }")
    lines += ["", "session after"]
    reads = [f"after_{at}" for at in range(len(script.keys))]
    lines += [f"step {name} {{ {text}; }}" for name, text in zip(reads, last_reads(script), strict=True)]
    lines += ["", f"permutation {' '.join([*names.values(), *reads])}"]
    if script.why:
        lines += ["", "# Why this is wrong:", *(f"# {sentence}" for sentence in script.why)]
    return "\n".join(lines) + "\n"


def _shows(script: Script, line: ScriptLine) -> str:
    if line.code:
        return f"fails: {line.code}"
    reads = line.step is not None and line.step.f == "r"
    return f"shows {cell(script, line) or 'nothing'}" if reads else ""


def expected_reads(script: Script) -> list[str]:
    """What the replay's reads returned, in order, as isolationtester prints it."""
    return [
        cell(script, line)
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


def quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', "") + '"'


def _names(lines: Sequence[ScriptLine]) -> Iterator[tuple[int, str]]:
    """The name of each step: session, action, and a number if that is not unique."""
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


def try_spec(
    bin: Path, target: Target, schema: str, script: Script, spec: str
) -> tuple[Mapping[str, ScriptFile], str]:
    """Its output, as the file that PostgreSQL's own tests compare with, and whether every read
    returned what it returned in the replay. bin: the directory of the server's programs."""
    tester = find_tester(bin)
    if tester is None:
        return {}, f"{SPEC} was not tried: this server has no isolationtester."
    code, output = run_spec(tester, f"{target.conninfo('txfuzz')} options='-c search_path={schema}'", spec)
    expected = expected_reads(script)
    if code != 0:
        return {}, f"isolationtester rejected {SPEC}: {' '.join(output.split())[-300:]}"
    found = reads_in(output)[: len(expected)]
    if found != expected:
        return {}, f"isolationtester ran {SPEC}, but the reads returned {found} instead of {expected}."
    return {
        "repro.out": ScriptFile(output, "what isolationtester printed")
    }, f"isolationtester ran {SPEC}: every read returned what it returned in the replay."


def find_tester(bin: Path) -> Path | None:
    """It is installed with the files for building extensions, if at all."""
    found = sorted((bin.parent / "lib").glob("**/src/test/isolation/isolationtester"))
    return found[0] if found else None


def run_spec(tester: Path, conninfo: str, spec: str) -> tuple[int, str]:
    """Its exit code and output, stderr included."""
    try:
        ran = subprocess.run(
            [str(tester), conninfo], input=spec, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return ran.returncode, ran.stdout + ran.stderr
