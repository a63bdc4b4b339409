"""Our distributions and a third-party one, installed into a fresh environment and used by name."""

from __future__ import annotations

import json

import pytest

from environments import Environment

pytestmark = [pytest.mark.install, pytest.mark.timeout(900)]  # what it installs may have to be fetched

WORKLOAD = """version: 1
name: third
database: {adapter: dictionary}
expect: strict-serializable
workload:
  transactions:
    - {template: third-pair, with: {keys: [1, 2, 3]}}
scheduling: {clients: 3, transactions: 200}
analyzers: [elle, {name: longest-list, allowed: 900}]
heuristics: [{name: more-clients}]
"""


@pytest.fixture(scope="module")
def environment(installed: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """With a third-party plugin."""
    environment = installed.child(tmp_path_factory.mktemp("third"))
    environment.install("--no-deps", "--no-build-isolation", environment.source / "tests/third")
    return environment


def test_a_campaign_uses_somebody_elses_plugin_by_name(environment: Environment) -> None:
    (environment.directory / "third.yaml").write_text(WORKLOAD)
    ran = environment.txfuzz("run", "--config", "third.yaml", "--iterations", "2", "--output-dir", "out")
    assert ran.returncode == 0, ran.stderr
    out = environment.directory / "out"
    record = json.loads((out / "campaign.json").read_text())
    assert record["adapter"] == "dictionary"
    assert record["analyzers"] == ["elle", "longest-list"]
    assert record["heuristics"] == ["more-clients"]
    assert {"name": "third", "distribution": "txfuzz-third", "version": "3.1"} in record["plugins"]
    analysis = json.loads((out / "iter_00/analysis.json").read_text())
    assert analysis["parts"]["longest-list"]["longest"] > 1
    (decision,) = json.loads((out / "iter_00/decisions.json").read_text())
    assert (decision["heuristic"], decision["before"], decision["after"]) == ("more-clients", 3, 4)
    assert 'txn "third-pair"' in (out / "iter_00/history.edn").read_text()


def test_what_is_installed_is_listed(environment: Environment) -> None:
    listed = environment.txfuzz("plugins")
    assert listed.returncode == 0
    for words in ("txfuzz-third 3.1", "third-pair", "longest-list", "more-clients", "dictionary", "hot-keys"):
        assert words in listed.stdout
    assert "elements that a list may have" in environment.txfuzz("plugins", "show", "longest-list").stdout
    assert "hello from the third plugin" in environment.txfuzz("third-hello").stdout
    assert "third-hello" in environment.txfuzz("--help").stdout


def test_without_a_named_adapter_the_choice_is_the_users(environment: Environment) -> None:
    (environment.directory / "any.yaml").write_text(WORKLOAD.replace("database: {adapter: dictionary}\n", ""))
    ran = environment.txfuzz("run", "--config", "any.yaml")
    assert ran.returncode == 2
    assert "dictionary, postgres or sqlite" in ran.stderr


@pytest.mark.server
def test_shipped_workloads_are_found_from_any_directory(environment: Environment) -> None:
    listed = environment.txfuzz("workloads").stdout
    assert len(listed.splitlines()) >= 10
    ran = environment.txfuzz("run", "--workload", "write_skew", "--iterations", "1")
    assert ran.returncode == 1, ran.stderr
    assert "G2-item" in ran.stdout
