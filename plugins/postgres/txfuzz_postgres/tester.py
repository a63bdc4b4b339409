"""Running a spec by PostgreSQL's isolationtester, where the server's files have it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from txfuzz.plugin_api import Script

from .scripts import SPEC, expected_reads, reads_in
from .url import Target

SECONDS = 60


def try_spec(
    bin: Path, target: Target, schema: str, script: Script, spec: str
) -> tuple[Mapping[str, str], str]:
    """What it printed, as the file that PostgreSQL's own tests compare with, and whether every read
    saw what it saw in the replay. bin: the directory of the server's programs."""
    tester = find_tester(bin)
    if tester is None:
        return {}, f"{SPEC} was not tried: there is no isolationtester beside this server."
    code, output = run_spec(tester, f"{target.conninfo('txfuzz')} options='-c search_path={schema}'", spec)
    expected = expected_reads(script)
    if code != 0:
        return {}, f"isolationtester refuses {SPEC}: {' '.join(output.split())[-300:]}"
    found = reads_in(output)[: len(expected)]
    if found != expected:
        return {}, f"isolationtester ran {SPEC} and saw something else: {found} instead of {expected}."
    return {"repro.out": output}, f"isolationtester ran {SPEC}: every read saw what it saw in the replay."


def find_tester(bin: Path) -> Path | None:
    """It is installed with the files for building extensions, if at all."""
    found = sorted((bin.parent / "lib").glob("**/src/test/isolation/isolationtester"))
    return found[0] if found else None


def run_spec(tester: Path, conninfo: str, spec: str) -> tuple[int, str]:
    """Its exit code, and what it printed, complaints included."""
    try:
        ran = subprocess.run(
            [str(tester), conninfo], input=spec, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return ran.returncode, ran.stdout + ran.stderr
