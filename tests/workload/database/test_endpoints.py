"""Endpoints in workload files: where transactions go, at which level, and what is promised of them all."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from txfuzz.errors import UsageError, WorkloadError
from txfuzz.workload.database.endpoints import level_words, reachable, uses_of
from txfuzz.workload.generator import TransactionGenerator
from txfuzz.workload.keys import KeySpace
from txfuzz.workload.model import KeyLife
from txfuzz.workload.yaml.writer import workload_text
from txfuzz_postgres.adapter import PostgresAdapter
from workload_words import parse

ENDPOINTS = "{primary: primary, standby: {role: standby, isolation: repeatable read}}"
TEXT = """\
version: 1
database:
  adapter: postgres
  isolation: serializable
  standbys: 1
  replication: %s
  endpoints: %s
workload:
  transactions:
    - name: writer
      steps:
        - {f: append, key: 1}
    - name: reader
      at: %s
      steps:
        - {f: r, key: 1}
"""


def text(replication: str = "asynchronous", endpoints: str = ENDPOINTS, at: str = "standby") -> str:
    return TEXT % (replication, endpoints, at)


def test_they_are_written_as_they_are_read() -> None:
    for at in ("standby", "{primary: 1, standby: 0.5}"):
        workload = parse(text(at=at))
        assert parse(workload_text(workload)) == workload
    assert workload.transaction("writer").mode.at == ()
    assert workload.transaction("reader").mode.at == (("primary", 1), ("standby", 0.5))
    primary, standby = workload.database.endpoints
    assert (primary.read_only, standby.read_only, standby.number) == (False, True, 0)


@pytest.mark.parametrize(
    ("found", "instead", "said"),
    [
        ("at: standby", "at: standbye", "w.yaml:14:11: found the unknown endpoint 'standbye'"),
        (
            "{f: r, key: 1}",
            "{f: append, key: 1}",
            "w.yaml:14:11: found 'reader', which writes, at the endpoint",
        ),
        ("{f: r, key: 1}", "{f: r, key: 1, lock: share}", "w.yaml:14:11: found 'reader', which locks rows"),
        ("at: standby", "at: {standby: 0}", "w.yaml:14:11: found no share above zero"),
        ("at: standby", "at: {standby: -1}", "a share (a non-negative number)"),
        (f"  endpoints: {ENDPOINTS}\n", "", "found `at`, expected `endpoints` under `database:` first"),
        (ENDPOINTS, "{}", "found no endpoint, expected at least one"),
        (ENDPOINTS, "{standby: standby}", "found the endpoint 'standby' first, where nothing can be written"),
        (ENDPOINTS, "{primary: primary, standby: replica}", "adapter 'postgres' has no 'replica'"),
        ("standbys: 1", "standbys: 0", "adapter 'postgres' has 0 of the role 'standby' with these options"),
        ("isolation: repeatable read", "isolation: snapshot", "no isolation level 'snapshot'"),
        ("replication: asynchronous", "replication: lazy", "replication"),
        ("standbys: 1", "standbys: 9", "at most 4 standbys"),
        ("adapter: postgres", "adapter: plain", "plain"),
    ],
)
def test_mistakes(found: str, instead: str, said: str) -> None:
    wrong = text().replace(found, instead, 1)
    assert wrong != text()
    with pytest.raises(WorkloadError) as error:
        parse(wrong)
    assert said in str(error.value)


def test_an_adapter_without_endpoints() -> None:
    with pytest.raises(WorkloadError, match="adapter 'plain' has one place only"):
        parse("version: 1\ndatabase: {adapter: plain, endpoints: {here: here}}\n"
              "workload: {transactions: [{name: t, steps: [{f: r, key: 1}]}]}\n")  # fmt: skip


def test_a_share_is_a_share() -> None:
    workload = parse(text(at="{primary: 1, standby: 3}"))
    keys = KeySpace(KeyLife(), 0, lambda keys: None)
    generator = TransactionGenerator(workload, Random(1), keys)
    went = Counter(generator.next().mode for _ in range(4000))
    by_name = {(mode.endpoint, mode.isolation): count for mode, count in went.items()}
    assert by_name.keys() == {("primary", None), ("standby", "repeatable read")}
    assert 1400 < by_name["standby", "repeatable read"] < 1600


def test_levels_are_told_for_each_endpoint() -> None:
    workload = parse(text())
    assert level_words(workload) == "serializable at primary and repeatable read at standby"
    writer, reader = uses_of(workload, "serializable")
    assert (writer.reads, writer.writes, writer.levels) == (False, True, {"serializable"})
    assert (reader.reads, reader.writes, reader.levels) == (True, False, {"repeatable read"})


def test_what_postgresql_promises() -> None:
    def promised(
        replication: str, reads_at_primary: bool, faults: tuple[str, ...] = (), standbys: int = 1
    ) -> str:
        written = text(replication)
        if reads_at_primary:
            written = written.replace(
                "        - {f: append, key: 1}\n", "        - {f: r, key: 2}\n        - {f: append, key: 1}\n"
            )
        workload = parse(written)
        adapter = PostgresAdapter(standbys=standbys, replication=replication)
        return adapter.promise_across(uses_of(workload, "serializable"), faults).model

    for replication in ("asynchronous", "synchronous", "remote_apply"):
        assert promised(replication, True) == "parallel-snapshot-isolation"
    assert promised("asynchronous", False) == "snapshot-isolation"
    assert promised("synchronous", False) == "snapshot-isolation"
    assert promised("remote_apply", False) == "strong-snapshot-isolation"
    assert promised("asynchronous", False, ("fail-over",)) == "read-uncommitted"
    assert promised("synchronous", False, ("fail-over",)) == "snapshot-isolation"
    # What one standby has shown, another may not have; nor what a session left when it was terminated
    assert promised("remote_apply", False, ("fail-over",), standbys=2) == "read-uncommitted"
    assert promised("synchronous", False, ("fail-over", "terminate")) == "read-uncommitted"
    assert promised("synchronous", False, ("fail-over", "kill")) == "read-uncommitted"
    # A standby that starts again shows a state from before what it had shown
    assert promised("remote_apply", False, ("kill-standby",)) == "snapshot-isolation"
    assert promised("remote_apply", False, ("lag",)) == "strong-snapshot-isolation"


def test_a_url_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    named = "{primary: primary, standby: {url: $MY_STANDBY, isolation: repeatable read}}"
    workload = parse(text(endpoints=named))
    monkeypatch.delenv("MY_STANDBY", raising=False)
    with pytest.raises(UsageError, match="MY_STANDBY, which is not set"):
        reachable(workload.database.endpoints)
    monkeypatch.setenv("MY_STANDBY", "postgresql://me:hidden@there/db")
    assert reachable(workload.database.endpoints)[1].url == "postgresql://me:hidden@there/db"
    given = named.replace("$MY_STANDBY", "'postgresql://me:hidden@there/db'")
    assert "hidden" not in workload_text(parse(text(endpoints=given)))
