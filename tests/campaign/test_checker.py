"""The checker is known by what it declares, whoever brings it."""

from __future__ import annotations

from pathlib import Path

from txfuzz import Verdict, run_campaign

PLUGIN = """
from dataclasses import dataclass
from txfuzz import hookimpl
from txfuzz.analysis.elle import ElleAnalyzer

@dataclass(frozen=True)
class Mine(ElleAnalyzer):
    name = "mine"

@hookimpl
def txfuzz_register_analyzers():
    return [Mine]
"""
WORKLOAD = """
version: 1
database: {adapter: memory, isolation: read uncommitted}
expect: serializable
analyzers: [mine]
workload:
  transactions:
    - name: both
      steps:
        - {f: r, key: {choice: {range: [1, 4]}}}
        - {f: append, key: {choice: {range: [1, 4]}}}
scheduling: {clients: 4, transactions: 300, barrier_every: 5}
"""


def test_a_plugin_may_bring_the_checker(tmp_path: Path) -> None:
    plugin, workload = tmp_path / "mine.py", tmp_path / "w.yaml"
    plugin.write_text(PLUGIN)
    workload.write_text(WORKLOAD)
    campaign = run_campaign(
        workload=workload, iterations=1, output=tmp_path / "run", plugin_files=(plugin,), max_near_cycles=1
    )
    [iteration] = campaign.iterations
    result = iteration.result
    assert campaign.facts.analyzers == ("mine",)
    assert result.verdict is not Verdict.UNKNOWN
    assert not result.parts, "its part is the result itself"
    assert result.edge_counts
    assert len(result.near_cycles) == 1, "the flags about the checker are for this one"
    assert result.near_cycles_counted > 1


def test_an_analyzer_may_only_run_where_it_is_named(tmp_path: Path) -> None:
    parts = []
    for name, chosen in (("all", ""), ("named", "analyzers: [elle, coverage]")):
        workload = tmp_path / f"{name}.yaml"
        workload.write_text(WORKLOAD.replace("analyzers: [mine]", chosen))
        campaign = run_campaign(workload=workload, iterations=1, output=tmp_path / name, lean=True)
        assert ("coverage" in campaign.facts.analyzers) is bool(chosen)
        parts.append(campaign.iterations[0].result.parts)
    assert "coverage" not in parts[0]
    assert parts[1]["coverage"]["dependencies"] > 0
