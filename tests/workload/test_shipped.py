"""The workloads that come with txfuzz, and how they are found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from txfuzz.common.kind import Kind
from txfuzz.errors import UsageError
from txfuzz.workload import shipped
from txfuzz.workload.model import Workload
from txfuzz.workload.shipped import shipped_workloads, workload_path
from txfuzz.workload.yaml.reader import read_workload
from txfuzz.workload.yaml.writer import workload_text
from workload_words import Words, parse

# Each at the isolation level where it shows what it hunts, or shows that there is nothing.
LEVELS = {
    "bank": "read committed",
    "counter": "read committed",
    "crash": "serializable",
    "crash_async": "serializable",
    "failover": "serializable",
    "failover_remote_apply": "serializable",
    "stale_reads": "serializable",
    "stale_reads_remote_apply": "serializable",
    "standby_long_fork": "repeatable read",
    "standby_read_only_anomaly": "serializable",
    "do_nothing": "read committed",
    "example": "repeatable read",
    "flaky_connections": "serializable",
    "hot_keys": "serializable",
    "locking_reads": "read committed",
    "long_fork": "read committed",
    "long_fork_probe": "read committed",
    "lost_update": "read committed",
    "merge": "read committed",
    "on_conflict": "serializable",
    "read_modify_write": "read committed",
    "read_modify_write_locked": "read committed",
    "read_only_anomaly": "repeatable read",
    "read_skew": "read committed",
    "registers": "serializable",
    "savepoint": "read committed",
    "savepoint_locked": "read committed",
    "set_add": "repeatable read",
    "unique_id": "repeatable read",
    "write_skew": "repeatable read",
}
# What each is checked against, where that is neither serializable nor, with faults, strict-serializable
EXPECTS = {"stale_reads": "strict-serializable", "standby_long_fork": "snapshot-isolation"}


def load(name: str) -> Workload:
    return read_workload(workload_path(name), Words())


def test_all_are_there() -> None:
    assert [name for name, _ in shipped_workloads()] == sorted(LEVELS)


@pytest.mark.parametrize("name", sorted(LEVELS))
def test_each_is_readable_and_says_what_it_is(name: str) -> None:
    workload = load(name)
    assert workload.name == name
    assert workload.about
    assert workload.database.isolation == LEVELS[name]
    usual = "strict-serializable" if workload.faults else "serializable"
    assert workload.expect == EXPECTS.get(name, usual)
    assert parse(workload_text(workload)) == workload
    header = [line for line in workload_path(name).read_text().splitlines() if line.startswith("#")]
    for word in ("Hunts:", "At:", "Expect:", "How:"):
        assert any(line.startswith(f"# {word}") for line in header), word


def test_the_example_is_broad() -> None:
    example = load("example")
    assert example.logical_keys() == range(1, 1001)
    assert len(example.transactions) >= 4
    assert (example.scheduling.clients, example.scheduling.transactions) == (8, 2000)


def test_the_long_fork_has_nothing_shorter_to_find() -> None:
    """No transaction both reads and writes, and none writes twice."""
    for transaction in load("long_fork").transactions:
        assert (transaction.reads, transaction.writes) in {(0, 1), (2, 0)}


def test_locking_reads_lock_every_read_of_rows_that_are_there() -> None:
    workload = load("locking_reads")
    assert workload.keys.rows == "inserted"
    reads = [step for txn in workload.transactions for step in txn.steps if step.reads]
    assert reads
    assert {step.lock for step in reads} == {"update"}


def test_registers_and_upserts_are_what_they_say() -> None:
    assert load("registers").kind is Kind.RW_REGISTER
    assert load("on_conflict").database.options["append"] == "on-conflict"
    assert load("hot_keys").database.options["append"] == "update-else-insert"


def test_a_path_is_a_path_and_a_name_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert workload_path("write_skew") == dict(shipped_workloads())["write_skew"]
    mine = tmp_path / "mine.yaml"
    shutil.copy(workload_path("write_skew"), mine)
    (tmp_path / "other.yml").write_text("version: 1\n")
    assert workload_path("mine.yaml") == Path("mine.yaml")
    assert workload_path(mine) == mine
    assert workload_path("mine", tmp_path) == mine
    assert workload_path("mine.yaml", tmp_path) == mine
    assert workload_path("other", tmp_path) == tmp_path / "other.yml"


def said(name: str | Path, directory: Path | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        workload_path(name, directory)
    return str(caught.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    assert said("write_skwe") == "no workload 'write_skwe': did you mean 'write_skew'?"
    assert said("zzz") == f"no workload 'zzz': known: {', '.join(sorted(LEVELS))}"
    assert said("zzz", tmp_path) == f"no workload 'zzz' in {tmp_path}: none is known"
    assert said("write_skew", tmp_path) == f"no workload 'write_skew' in {tmp_path}: none is known"
    assert said("gone.yaml") == "gone.yaml: no such workload file"
    assert said("gone/gone") == "gone/gone: no such workload file"
    assert said(tmp_path) == f"{tmp_path}: this is a directory, not a workload file"
    assert said("x", tmp_path / "gone") == f"{tmp_path / 'gone'}: no such workload directory"
    assert said("x" * 5000).startswith("no workload 'xxx")


def test_an_installation_has_them_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "txfuzz"
    (package / "workloads").mkdir(parents=True)
    (package / "workloads" / "only.yaml").write_text("version: 1\n")
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    assert shipped_workloads() == [("only", package / "workloads" / "only.yaml")]
    assert workload_path("only") == package / "workloads" / "only.yaml"
