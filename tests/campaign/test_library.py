"""txfuzz from Python: values that show themselves, graphs, and a fixture for other people's tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from report_runs import ABORTED, FORK, NEAR, SKEW, WORKLOAD, Page, history_text, judged, third_plugin
from txfuzz import (
    Adjustment,
    OutputError,
    TxfuzzError,
    UsageError,
    WorkloadError,
    analyze_history,
    apply,
    dependency_graph,
    read_history,
    read_workload,
    run_campaign,
    write_history,
    write_workload,
)
from txfuzz.pytest_plugin import CampaignRunner

PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar

import txfuzz


@dataclass(frozen=True)
class Again:
    name: ClassVar[str] = "again"
    about: ClassVar[str] = "changes nothing"

    def propose(self, feedback, workload, random):
        return []


@txfuzz.hookimpl
def txfuzz_register_heuristics():
    return [Again]
"""
DOCS = Path(__file__).parents[2] / "docs" / "how-to" / "library.md"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("library")
    for name, transactions in (("skew", SKEW), ("fork", FORK), ("near", NEAR), ("aborted", ABORTED)):
        (root / f"{name}.edn").write_text(history_text(transactions))
    with third_plugin(root / "site"):
        judged(root, "run", SKEW, FORK)
        yield root


# -- graphs -------------------------------------------------------------------------------------


def test_the_graph_of_a_history(root: Path) -> None:
    graph = dependency_graph(read_history(root / "skew.edn"))
    names = {data["template"]: node for node, data in graph.nodes(data=True)}
    assert len(graph) == 4
    assert set(names) == {"look", "read"}
    kinds = sorted(data["kind"] for _, _, data in graph.edges(data=True))
    assert kinds == ["rw", "rw", "wr", "wr"]
    [cycle] = nx.simple_cycles(nx.DiGraph(graph))
    assert [graph.nodes[node]["template"] for node in cycle] == ["look", "look"]
    for source, target, kind, data in graph.edges(keys=True, data=True):
        assert kind == data["kind"]
        assert data["logical_key"] == data["physical_key"]
        assert f"transaction {source} " in data["why"]
        assert f"transaction {target} " in data["why"]


def test_the_graph_agrees_with_the_analysis(root: Path) -> None:
    for name in ("skew", "fork", "near"):
        graph = dependency_graph(root / f"{name}.edn")
        result = analyze_history(root / f"{name}.edn")
        counts = dict.fromkeys(result.edge_counts, 0)
        for _, _, data in graph.edges(data=True):
            counts[data["kind"]] += 1
        assert counts == result.edge_counts
        assert nx.is_directed_acyclic_graph(graph) == (not result.anomalies)


def test_failed_transactions_are_no_nodes(root: Path) -> None:
    graph = dependency_graph(root / "aborted.edn")
    assert [data["template"] for _, data in graph.nodes(data=True)] == ["read"]


def test_a_graph_that_would_be_too_large(root: Path) -> None:
    with pytest.raises(UsageError, match="4 dependencies, more than most_edges=3"):
        dependency_graph(root / "skew.edn", most_edges=3)


def test_a_history_that_cannot_be_judged_has_no_graph(tmp_path: Path) -> None:
    path = tmp_path / "twice.edn"
    path.write_text(history_text([(0, "a", 1, 2, "[:append 1 1]"), (1, "b", 3, 4, "[:append 1 1]")]))
    with pytest.raises(UsageError, match="there is no dependency graph"):
        dependency_graph(path)


def test_the_graph_of_a_result(root: Path) -> None:
    result = analyze_history(root / "fork.edn")
    [anomaly] = [each for each in result.anomalies if each.type == "G-nonadjacent-item"]
    graph = anomaly.to_networkx()
    assert set(graph) == {view.index for view in anomaly.transactions}
    assert [data["kind"] for *_, data in graph.edges(data=True)].count("rw") == 2
    whole = dependency_graph(root / "fork.edn")
    for source, target, data in result.to_networkx().edges(data=True):
        if not data.get("missing"):
            assert any(each["kind"] == data["kind"] for each in whole.get_edge_data(source, target).values())


def test_the_missing_edge_of_a_near_cycle(root: Path) -> None:
    near = analyze_history(root / "near.edn").near_cycles[0]
    graph = near.to_networkx()
    missing = [(s, t) for s, t, data in graph.edges(data=True) if data.get("missing")]
    assert len(missing) == 1
    assert not nx.is_directed_acyclic_graph(graph)
    graph.remove_edges_from(missing)
    assert nx.is_directed_acyclic_graph(graph)


# -- values that show themselves -----------------------------------------------------------------


def test_short_in_a_terminal(root: Path) -> None:
    result = analyze_history(root / "skew.edn")
    anomaly = result.anomalies[0]
    first, second = (view.index for view in anomaly.transactions)
    assert repr(anomaly) == f"<Anomaly G2-item: transactions {first} → {second} by rw rw>"
    near = analyze_history(root / "near.edn").near_cycles[0]
    assert re.fullmatch(r"<NearCycle [\d.]+: [rw ]+, missing rw on key \d+; would be \S+>", repr(near))
    for value in (result, anomaly, near, read_history(root / "skew.edn")):
        assert len(repr(value)) < 300


def test_readable_in_a_notebook(root: Path) -> None:
    result = analyze_history(root / "skew.edn")
    campaign = run_campaign(workload=root / "run.yaml", output=root / "run", iterations=2, skip_run=True)
    near = analyze_history(root / "near.edn")
    for value in (result, result.anomalies[0], campaign):
        shown = Page(value._repr_html_())
        assert "G2-item" in shown.text
        assert "because T1 read key" in shown.text
    assert "missing: rw on key" in Page(near._repr_html_()).text
    assert "missing: rw on key" in Page(near.near_cycles[0]._repr_html_()).text
    assert "which contradicts serializable" in Page(campaign._repr_html_()).text


def test_what_a_history_says_stays_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    path = tmp_path / "evil.edn"
    path.write_text(history_text([(p, evil, *rest) for p, _, *rest in SKEW]))
    result = analyze_history(path)
    for value in (result, result.anomalies[0]):
        assert "<script" not in value._repr_html_()
        assert "&lt;script&gt;" in value._repr_html_()


def test_nothing_is_printed(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_campaign(workload=root / "run.yaml", output=root / "run", iterations=2, skip_run=True)
    dependency_graph(root / "skew.edn")
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


# -- the fixture for other people's tests ----------------------------------------------------------


@pytest.fixture
def run(root: Path) -> dict[str, Any]:
    """The keywords of a campaign whose first iteration shows G2-item, its second G-nonadjacent-item."""
    return {"workload": root / "run.yaml", "output": root / "run", "iterations": 2, "skip_run": True}


def test_a_finding_fails_the_test(txfuzz_campaign: CampaignRunner, run: dict[str, Any]) -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        txfuzz_campaign(**run)
    said = " ".join(str(failed.value).split())
    assert said.startswith("Found G2-item, which contradicts serializable")
    assert "T1 < T2, because T1 read key" in said
    assert said.endswith(f"Full report: txfuzz report {run['output']}")
    assert failed.value.pytrace is False


def test_what_is_accepted_is_no_failure(txfuzz_campaign: CampaignRunner, run: dict[str, Any]) -> None:
    result = txfuzz_campaign(**run, accept=["G2-item", "G-nonadjacent-item"])
    assert list(result.found) == ["G2-item", "G-nonadjacent-item"]


def test_another_finding_is_a_failure(txfuzz_campaign: CampaignRunner, run: dict[str, Any]) -> None:
    with pytest.raises(pytest.fail.Exception, match="Found G-nonadjacent-item, which contradicts"):
        txfuzz_campaign(**run, accept=["G2-item"])


def test_artefacts_stay_with_the_test(txfuzz_campaign: CampaignRunner, root: Path, tmp_path: Path) -> None:
    (root / "calm.yaml").write_text(WORKLOAD.format(name="calm", isolation="locked"))
    for number in (1, 2):
        result = txfuzz_campaign(workload=root / "calm.yaml", iterations=1)
        assert result.directory == tmp_path / f"txfuzz-{number}"
        assert (result.directory / "campaign.json").exists()


def test_no_verdict_fails_the_test(txfuzz_campaign: CampaignRunner, root: Path) -> None:
    workload = WORKLOAD.format(name="empty", isolation="locked")
    (root / "empty.yaml").write_text(workload.replace("transactions: 300", "transactions: 1"))
    with pytest.raises(pytest.fail.Exception, match="No verdict: vacuous: "):
        txfuzz_campaign(workload=root / "empty.yaml", iterations=1)


# -- the page of the library ----------------------------------------------------------------------


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", DOCS.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.server
def test_the_blocks_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    names: dict[str, Any] = {}
    shown = [block for block in blocks() if "def test_" not in block]
    assert len(shown) >= 4
    for block in shown:
        exec(compile(block, str(DOCS), "exec"), names)
    assert names["campaign"].found
    assert names["graph"].number_of_edges() > 0
    assert (names["harder"].scheduling.clients, names["harder"].seed) == (16, 7)
    again = read_history("history.json.gz")
    assert (str(again), again.kind) == (str(names["history"]), names["history"].kind)
    first, second = names["campaign"].iterations
    assert apply(first.workload, first.decisions) == replace(second.workload, seed=first.workload.seed)


def test_workloads_are_read_changed_and_written(tmp_path: Path) -> None:
    for name in ("lost_update", "bank", "crash"):
        workload = read_workload(name)
        write_workload(workload, tmp_path / f"{name}.yaml", header="Again.\nAnd again.")
        assert (tmp_path / f"{name}.yaml").read_text().startswith("# Again.\n# And again.\nversion: 1\n")
        assert read_workload(tmp_path / f"{name}.yaml") == workload
    workload = read_workload("lost_update")
    keys = Adjustment("keys", list(workload.logical_keys()), [2, 3], "fewer", "mine")
    assert apply(workload, [keys]).logical_keys() == range(2, 4)
    with pytest.raises(UsageError, match="heuristic 'mine': it says that keys is"):
        apply(apply(workload, [keys]), [keys])


def test_a_workload_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    workload = read_workload("lost_update")
    path = tmp_path / "w.yaml"
    broken = replace(workload, mix=(replace(workload.mix[0], txn="nobody"),))
    with pytest.raises(WorkloadError, match=r"w\.yaml:\d+:\d+: .*nobody"):
        write_workload(broken, path)
    assert not path.exists()
    with pytest.raises(OutputError, match="cannot be written"):
        write_workload(workload, tmp_path / "nowhere" / "w.yaml")
    with pytest.raises(UsageError, match=r"nowhere\.yaml: no such workload file"):
        read_workload("nowhere.yaml")


def test_passwords_are_not_written(tmp_path: Path) -> None:
    workload = read_workload("lost_update")
    spec = replace(workload.database, url="postgres://me:s3cret@db/x")
    write_workload(replace(workload, database=spec), tmp_path / "w.yaml")
    assert "s3cret" not in (tmp_path / "w.yaml").read_text()
    assert "me" in str(read_workload(tmp_path / "w.yaml").database.url)


def test_workloads_of_plugin_files(tmp_path: Path) -> None:
    (tmp_path / "again.py").write_text(PLUGIN)
    text = "version: 1\nworkload: {transactions: [{name: a, steps: [{f: append, key: 1}]}]}\n"
    text += "heuristics: [again]\n"
    (tmp_path / "w.yaml").write_text(text)
    with pytest.raises(TxfuzzError, match="again"):
        read_workload(tmp_path / "w.yaml")
    files = [tmp_path / "again.py"]
    workload = read_workload(tmp_path / "w.yaml", plugin_files=files)
    write_workload(workload, tmp_path / "copy.yaml", plugin_files=files)
    assert read_workload(tmp_path / "copy.yaml", plugin_files=files) == workload


@pytest.mark.parametrize("suffix", [".edn", ".json", ".jsonl", ".json.gz"])
def test_histories_are_written(root: Path, tmp_path: Path, suffix: str) -> None:
    history = read_history(root / "skew.edn")
    write_history(tmp_path / f"h{suffix}", history)
    again = read_history(tmp_path / f"h{suffix}")
    assert analyze_history(again).anomaly_types == analyze_history(history).anomaly_types == ("G2-item",)
    with pytest.raises(OutputError):
        write_history(tmp_path / "nowhere" / f"h{suffix}", history)


def test_the_test_of_the_page_is_one() -> None:
    [block] = [block for block in blocks() if "def test_" in block]
    names: dict[str, Any] = {}
    exec(compile(block, str(DOCS), "exec"), names)
    asked: dict[str, Any] = {}
    [test] = [value for name, value in names.items() if name.startswith("test_")]
    test(lambda **fields: asked.update(fields))
    assert asked["workload"] == "isolation/orders.yaml"
    from txfuzz import CampaignSettings

    assert set(asked) - {"accept"} <= set(CampaignSettings.__dataclass_fields__)
