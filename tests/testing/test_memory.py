"""The database in memory: clean without defects, and each defect is found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.common.kind import Kind
from txfuzz.errors import PluginError, UsageError
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import KINDS, Plugin, Registry, entry_of
from txfuzz.testing import MemoryAdapter
from txfuzz.testing.memory.backend import LEVELS
from txfuzz.testing.memory.defects import DEFECTS, Defects
from txfuzz.testing.sessions import Later, read, refusal, sessions, write
from txfuzz.testing.small_run import fuzzed, pressing
from txfuzz.workload.yaml.reader import parse_workload

WORKLOAD = """version: 1
name: kit
database: {adapter: memory, isolation: snapshot%s}
workload:
  transactions:
    - name: rmw
      steps:
        - {f: r, key: {choice: {from: [1, 2, 3]}, as: k}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 8, transactions: 300}
"""
LISTS, REGISTERS = Kind.LIST_APPEND, Kind.RW_REGISTER
G_SINGLE = {"G-single-item", "G-single-item-realtime"}

# What each level shows, out of what it may; empty if the level promises nothing about it.
SHOWS = {
    "lost-update": {
        "serializable": {"lost-update"},
        "snapshot": {"lost-update"},
        "read committed": {"incompatible-order"},
    },
    "stale-read": {"serializable": G_SINGLE, "snapshot": G_SINGLE},
    "dirty-read": {
        "serializable": {"G1a", "G1b"},
        "snapshot": {"G1a", "G1b"},
        "read committed": {"G1a", "G1b", "G1c"},
    },
    "non-monotonic-snapshot": {"serializable": G_SINGLE, "snapshot": G_SINGLE},
    "lost-committed-write": {
        "serializable": {"incompatible-order"},
        "snapshot": {"incompatible-order"},
        "read committed": {"incompatible-order"},
    },
}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("level", LEVELS)
def test_without_defects_every_level_is_clean(level: str, kind: Kind) -> None:
    with MemoryAdapter().open(None) as database:
        summary, result, vacuous = fuzzed(database, pressing(kind), level, LEVELS[level].promises)
    assert (result.verdict.value, result.anomaly_types, vacuous) == ("valid", (), None)
    assert summary.ok > 100
    assert result.concurrent_edges_per_txn > 0.1


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_found_where_the_level_forbids_it(defect: str, level: str) -> None:
    wanted = SHOWS[defect].get(level, set())
    with MemoryAdapter(defects=(defect,), probability=0.3).open(None) as database:
        promised = LEVELS[level].promises
        _, result, _ = fuzzed(database, pressing(LISTS, transactions=800), level, promised)
        struck = database.struck[defect]
    assert bool(set(result.anomaly_types) & wanted) == bool(wanted)
    if wanted:
        assert struck > 0
    elif defect in ("stale-read", "dirty-read", "non-monotonic-snapshot"):
        assert result.verdict.value == "valid"


@pytest.mark.parametrize("defect", DEFECTS)
def test_defects_of_registers(defect: str) -> None:
    with MemoryAdapter(defects=(defect,), probability=0.3).open(None) as database:
        promised = LEVELS["serializable"].promises
        _, result, _ = fuzzed(database, pressing(REGISTERS, transactions=800), "serializable", promised)
    assert result.verdict.value == "invalid"


def test_defects_strike_as_they_are_told() -> None:
    third = Defects(("stale-read",), 0.0, 3, 0)
    assert [third.strikes("stale-read") for _ in range(7)] == [False, False, True] * 2 + [False]
    assert third.struck["stale-read"] == 2
    assert not any(third.strikes("dirty-read") for _ in range(10))

    def drawn(seed: int) -> list[bool]:
        chance = Defects(("stale-read", "dirty-read"), 0.5, 0, seed)
        return [chance.strikes(name) for _ in range(50) for name in ("stale-read", "dirty-read")]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 20 < sum(drawn(1)) < 80


def test_a_deadlock_ends_for_one_of_two() -> None:
    with MemoryAdapter().open(None) as database, sessions(database, LISTS, 2) as (one, two):
        one.begin("read committed")
        two.begin("read committed")
        one.execute(write(LISTS, 1, 1))
        two.execute(write(LISTS, 2, 2))
        waits = Later(lambda: one.execute(write(LISTS, 2, 1)))
        while not database.waiting([one, two]):
            assert not waits.done(0.001)
        error = refusal(lambda: two.execute(write(LISTS, 1, 2)))
        assert error is not None
        assert (error.outcome.value, error.code) == ("fail", "deadlock")
        waits.result("the one that survived")
        one.commit()


def test_a_crash_keeps_what_was_committed() -> None:
    with MemoryAdapter().open(None) as database:
        with sessions(database, LISTS, 2) as (one, two):
            for key, session in enumerate((one, two), 1):
                session.begin("serializable")
                session.execute(write(LISTS, key, 1))
            one.commit()
            assert database.injector().kill() == 3
            error = refusal(lambda: two.execute(read(1)))
            assert error is not None
            assert error.lost
            with pytest.raises(Exception, match="down"):
                database.session(LISTS)
            database.injector().restart()
        with sessions(database, LISTS, 1) as (session,):
            session.begin("serializable")
            assert [session.execute(read(key)) for key in (1, 2)] == [(1,), ()]


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("defects: [lost-updates]", "unknown defect 'lost-updates': did you mean 'lost-update'?"),
        ("defects: lost-update", "defects must be a list"),
        ("probability: -1", "probability must be at least 0"),
        ("isolation: snapshots", "no isolation level 'snapshots': did you mean 'snapshot'?"),
    ],
)
def test_options_that_it_refuses(
    option: str, sentence: str, txfuzz: Callable[..., Ran], tmp_path: Path
) -> None:
    text = WORKLOAD % f", {option}" if "isolation" not in option else WORKLOAD % ""
    path = tmp_path / "w.yaml"
    path.write_text(text.replace("isolation: snapshot}", option + "}"))
    ran = txfuzz("run", "--config", path)
    assert ran.code == 2
    assert "w.yaml:3:" in ran.err
    assert sentence in ran.err


def test_a_campaign_finds_what_is_planted_and_nothing_else(
    txfuzz: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "good.yaml").write_text(WORKLOAD % "")
    (tmp_path / "bad.yaml").write_text(WORKLOAD % ", defects: [lost-update], every: 5")
    assert txfuzz("run", "--config", "good.yaml", "--iterations", 1, "--output-dir", "good").code == 0
    ran = txfuzz("run", "--config", "bad.yaml", "--iterations", 1, "--output-dir", "bad", "--run-replay")
    assert ran.code == 1
    assert "lost-update" in ran.out
    assert "defects are planted in this database: lost-update" in ran.err


def test_a_url_is_not_used_and_that_is_said() -> None:
    with MemoryAdapter().open("memory://me:hidden@here") as database:
        (said,) = database.warnings()
    assert "ignored" in said
    assert "hidden" not in said + str(database.describe())


def test_it_is_used_only_where_it_is_named() -> None:
    text = WORKLOAD.replace("adapter: memory, ", "") % ""
    every = load_plugins()
    workload = parse_workload(text.replace(", isolation: snapshot", ""), "w", InstalledVocabulary(every))
    plugin = Plugin("txfuzz-x", "x", "1", "x")
    named = entry_of(KINDS["adapter"], MemoryAdapter, plugin)

    class Other(MemoryAdapter):
        name = "other"
        only_by_name = False

    other = entry_of(KINDS["adapter"], Other, plugin)
    rest = {key: found for key, found in every.entries.items() if key[0] != "adapter"}
    both = Registry(entries={**rest, ("adapter", "memory"): (named,), ("adapter", "other"): (other,)})
    assert assemble(workload, both).workload.database.adapter == "other"
    with pytest.raises(
        PluginError, match=r"no database adapter is installed.*pip install txfuzz \(in a clone"
    ):
        assemble(workload, Registry(entries={**rest, ("adapter", "memory"): (named,)}))


def test_defects_are_checked_in_code_too() -> None:
    with pytest.raises(UsageError, match="did you mean 'dirty-read'"):
        MemoryAdapter(defects=("dirty-reads",))


def test_the_kit_costs_nothing_until_it_is_used() -> None:
    """Neither pytest nor anything heavy comes with the adapter, or with the package."""
    code = (
        "import sys, txfuzz.testing; from txfuzz.testing import MemoryAdapter\n"
        "MemoryAdapter().open(None).close()\n"
        "print([each for each in ('pytest', 'numpy', 'scipy', 'yaml', 'pluggy') if each in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
