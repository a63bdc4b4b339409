"""Each worked example on the real server: what its header and the table claim is what comes out."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest

from mariadb_server import needs_mariadb
from txfuzz.campaign.check import sets
from txfuzz.campaign.check.check import check_file
from txfuzz.campaign.check.sets import CheckLimits
from txfuzz.campaign.check.subject import open_subject
from txfuzz.check import program
from txfuzz.check.finding.failures import fits_no_order
from txfuzz.check.finding.result import CheckResult
from txfuzz.check.run import ProgramRunner
from txfuzz.common.sentences import listed
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.report.check.data import check_data
from txfuzz_mariadb.server.launcher import launch as launch_mariadb
from txfuzz_postgres.server.launcher import launch
from worked_examples import (
    BROKEN,
    CLAIMS,
    EXAMPLES,
    MARIADB,
    POSTGRES,
    SERIALIZABLE,
    SQLITE,
    UNEXPLAINED,
    Example,
)

FEW = 6  # schedules of each program at each level, those with few switches first: they show what breaks
# One of each kind, as each takes a second there: a lost update, write skew, a phantom, a lock against it
ON_MARIADB = {"seat_booking", "withdraw", "optimistic_locking", "flat_booking"}
FEWER = 4  # on MariaDB, for the same reason
MEETING = 3  # programs of a set, those whose transactions are likeliest to meet
FILES = [(claim, path) for claim in CLAIMS for path in claim.files]


def identified(each: Any) -> str | None:
    return str(each.relative_to(EXAMPLES)) if isinstance(each, Path) else None


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server for all examples."""
    with launch({}) as running:
        where = {name: quote(str(value), safe="") for name, value in running.conninfo.items()}
        yield f"postgresql://{where['user']}@/{where['dbname']}?host={where['host']}&port={where['port']}"


@pytest.fixture(autouse=True)
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "MOST_COMBINATIONS", MEETING)
    monkeypatch.setattr(sets, "SHRINKING", 0.0)  # nobody reads the stories here


def checked(path: Path, adapter: str, url: str | None) -> Mapping[str, Any]:
    found = check_file(path, adapter=adapter, url=url, advice=False, limits=CheckLimits(FEW))
    assert isinstance(found, CheckResult)
    return check_data(found)


def checked_alone(path: Path, url: str) -> Mapping[str, Any]:
    """In a process of its own, as Django is set up once in each; forked, as imports cost more."""
    with ProcessPoolExecutor(1, get_context("fork")) as process:
        return process.submit(checked, path, "postgres", url).result(timeout=120)


def kinds(data: Mapping[str, Any]) -> dict[str, set[str]]:
    """Level → how schedules failed at it. All of them could be judged."""
    found: dict[str, set[str]] = {level: set() for level in data["levels"]}
    for one in data["sets"]:
        for level in one["levels"]:
            assert level["schedules"] > 0
            assert level["unknown"] == 0, level["reasons"]
            words = level["failures"]
            found[level["isolation"]] |= {
                BROKEN if word.endswith(": broken") else UNEXPLAINED for word in words
            }
    return found


def header(path: Path) -> str:
    """What stands above the example, without line breaks and comment signs."""
    text = path.read_text()
    if path.suffix == ".py":
        return " ".join((ast.get_docstring(ast.parse(text)) or "").split())
    lines = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    return " ".join(" ".join(lines).split())


def test_every_file_is_in_the_table() -> None:
    claimed = {path for _, path in FILES}
    found = {path for kind in ("yaml", "py") for path in EXAMPLES.glob(f"*/*.{kind}")}
    assert claimed == {path for path in found if path.parent.name != "hermitage"}


@pytest.mark.parametrize(("claim", "path"), FILES, ids=identified)
def test_the_header_says_what_the_table_says(claim: Example, path: Path) -> None:
    said = header(path)
    safe = listed(level.upper() for level in claim.safe)
    if claim.postgres:
        assert f"Breaks at {listed(level.upper() for level in claim.postgres)}; safe at {safe}" in said
    else:
        assert f"Safe at {safe}" in said
    assert f"`txfuzz check {path.relative_to(EXAMPLES.parent)}` ends with: " in said


@pytest.mark.server
@pytest.mark.parametrize(("claim", "path"), FILES, ids=identified)
@pytest.mark.slow
def test_what_is_claimed_comes_out(claim: Example, path: Path, server: str) -> None:
    if "import django" in path.read_text():
        pytest.importorskip("django")
        pytest.importorskip("dj_database_url")
        data = checked_alone(path, server)
    else:
        data = checked(path, "postgres", server)
    expected = {level: claim.kinds(path) if level in claim.postgres else set() for level in POSTGRES}
    assert kinds(data) == expected
    verdict = data["verdict"].replace(f"({schedules(data):,} schedules)", "(… schedules)")
    assert header(path).endswith(f"ends with: {verdict}")


def schedules(data: Mapping[str, Any]) -> int:
    return sum(level["schedules"] for one in data["sets"] for level in one["levels"])


def first_programs(
    path: Path,
    registry: Registry,
    adapter: str,
    url: str | None,
    levels: tuple[str, ...],
    most: int = FEW,
) -> dict[str, set[str]]:
    """The kinds of failures at each level, of the arguments with which transactions are likeliest to meet."""
    found: dict[str, set[str]] = {level: set() for level in levels}
    with open_subject(path, registry, url, adapter) as subject:
        made = ProgramRunner(
            subject.tables, subject.invariants, ignored=subject.ignored, serial_level=SERIALIZABLE
        )
        with made as runner:
            for _, chosen in program.programs(subject.transactions, (), Random(0)):
                for each, level in product(chosen, levels):
                    result = runner.check(each, level, most=most)
                    assert result.unknown == 0, result.reason
                    for attempt in result.failing:
                        found[level] |= {BROKEN} if attempt.broken else set()
                        found[level] |= {UNEXPLAINED} if fits_no_order(attempt) else set()
    return found


@pytest.mark.server
@pytest.mark.parametrize(
    "claim", [each for each in CLAIMS if each.sqlite], ids=lambda each: f"{each.folder}/{each.form}"
)
def test_sqlite_has_one_level_and_it_is_safe(claim: Example) -> None:
    assert first_programs(claim.file("yaml"), load_plugins(), "sqlite", None, SQLITE) == {SERIALIZABLE: set()}


@needs_mariadb
@pytest.mark.server
@pytest.mark.slow
def test_mariadb_overwrites_at_repeatable_read() -> None:
    claims = [each for each in CLAIMS if each.mariadb is not None and each.folder in ON_MARIADB]
    registry = load_plugins()
    with launch_mariadb() as running:
        url = f"mysql://{running.user}@/?unix_socket={running.socket}"
        for claim in claims:
            found = first_programs(claim.file("yaml"), registry, "mariadb", url, MARIADB, FEWER)
            expected = {level: claim.yaml if level in (claim.mariadb or ()) else set() for level in MARIADB}
            assert found == expected, (claim.folder, claim.form)
