"""What would have no effect is said, not ignored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran, Site
from txfuzz import CampaignSettings, analyze_history
from txfuzz.analysis.checker.anomaly_types import known_types, misspelt
from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.errors import UsageError
from txfuzz.report.baseline import AcceptedAnomaly, BaselineEntry, baseline_warnings

Cli = Callable[..., Ran]
WORKLOAD = """\
version: 1
database: {adapter: dictionary, isolation: locked}
workload: {transactions: [{name: a, steps: [{f: append, key: {choice: {from: [1, 2]}}}]}]}
scheduling: {clients: 2, transactions: 10}
"""
REPLAY = "replay: {enabled: %s, transactions: [{alias: x, txn: a}, {alias: y, txn: a}]}\n"


@pytest.fixture
def workload(site: Site, tmp_path: Path) -> Path:
    site.add_third()
    path = tmp_path / "w.yaml"
    path.write_text(WORKLOAD)
    return path


@pytest.mark.parametrize("more", ["", REPLAY % "false"])
def test_attempts_of_no_replay(workload: Path, tmp_path: Path, txfuzz: Cli, more: str) -> None:
    workload.write_text(WORKLOAD + more)
    ran = txfuzz("execute", "--config", workload, "--out", "h.edn", "--attempts", 3)
    assert ran.code == 2
    assert ran.err == (
        f"txfuzz: {workload}: has no enabled `replay` stanza, so there is nothing to attempt 3 times\n"
    )
    assert not (tmp_path / "h.edn").exists()
    assert txfuzz("execute", "--config", workload, "--out", "h.edn", "--attempts", 1).code == 0
    workload.write_text(WORKLOAD + REPLAY % "true")
    assert "in 3 attempts" in txfuzz("execute", "--config", workload, "--out", "h.edn", "--attempts", 3).out


@pytest.mark.parametrize("flag", [("--iterations", 3), ("--iterations", 1), ("--run-replay",)])
def test_adapt_runs_nothing_unless_it_is_told_to(
    workload: Path, tmp_path: Path, txfuzz: Cli, flag: tuple[object, ...]
) -> None:
    assert txfuzz("execute", "--config", workload, "--out", "h.edn").code == 0
    ran = txfuzz("adapt", "--history", "h.edn", "--prev-workload", workload, *flag)
    assert ran.code == 2
    assert ran.err == f"txfuzz: {flag[0]} needs --execute\n"
    assert not (tmp_path / "runs").exists()


LISTS = Path(__file__).parents[2] / "tests" / "cases" / "linearizable-keys-on-lists.edn"
REGISTERS = Path(__file__).parents[2] / "tests" / "histories" / "agreement" / "handmade" / "rw-wfr.edn"


@pytest.mark.parametrize("name", ["wfr-keys", "sequential-keys", "linearizable-keys"])
def test_assumptions_about_registers_that_are_made_of_lists(
    txfuzz: Cli, tmp_path: Path, site: Site, name: str
) -> None:
    because = (
        f"{name} is an assumption about the versions of registers, and cannot be applied to list-append, "
        "where reads show their order"
    )
    ran = txfuzz("analyze", f"--{name}", "--skip-graph", LISTS)
    assert (ran.code, ran.out, ran.err) == (2, "", f"txfuzz: {LISTS}: {because}\n")
    both = txfuzz("analyze", f"--{name}", "--json", LISTS, REGISTERS)
    first, second = map(json.loads, both.out.splitlines())
    assert both.code == (2 if name == "sequential-keys" else 1), "the other history's, if it is invalid"
    assert (first["verdict"], first["reason"]) == ("unknown", f"{LISTS}: {because}")
    assert second["kind"] == "rw-register"
    judge = ElleAnalyzer(**{name.replace("-", "_"): True})
    with pytest.raises(UsageError, match=because):
        analyze_history(LISTS, analyzers=[judge])

    site.add_third()
    path = tmp_path / "w.yaml"
    path.write_text(f"analyzers: [{{name: elle, {name.replace('-', '_')}: true}}]\n{WORKLOAD}")
    ran = txfuzz("run", "--config", path, "--iterations", 1)
    assert (ran.code, ran.err) == (2, f"txfuzz: workload 'w': {because}\n")
    path.write_text(path.read_text().replace("f: append", "f: w"))
    assert txfuzz("run", "--config", path, "--iterations", 1).code in (0, 1, 3)


@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--max-seconds"),
        ("run", "--plugin-seconds"),
        ("shrink", "d", "--budget"),
        ("analyze", "h.edn", "--budget"),
    ],
)
def test_seconds_that_are_none(txfuzz: Cli, arguments: tuple[str, ...], value: str) -> None:
    ran = txfuzz(*arguments, value)
    assert ran.code == 2
    assert f"Invalid value for '{arguments[-1]}'" in ran.err


@pytest.mark.parametrize("name", ["max_seconds", "plugin_seconds"])
def test_settings_with_seconds_that_are_none(name: str) -> None:
    for value in (float("nan"), float("inf"), -1.0):
        with pytest.raises(UsageError, match=f"{name} must be a number of seconds, found"):
            CampaignSettings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("lost-updaet", "lost-update"),
        ("lost_update", "lost-update"),
        ("g2-item", "G2-item"),
        ("G-single", "G-single-item"),
        ("G0-realtme", "G0-realtime"),
        ("bank-total", None),
        ("G2-cycle-exists", None),
        *((name, None) for name in known_types()),
    ],
)
def test_names_of_anomalies(name: str, meant: str | None) -> None:
    assert misspelt(name) == meant


def test_a_misspelt_type_in_a_baseline() -> None:
    accepted = (AcceptedAnomaly("G2-itme"), AcceptedAnomaly("G2-item"), AcceptedAnomaly("bank-total"))
    assert baseline_warnings([BaselineEntry("a", "b", "serializable", accepted)]) == (
        "the baseline accepts 'G2-itme', which is not a type of the checker: did you mean 'G2-item'?",
    )
