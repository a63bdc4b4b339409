"""Histories of other runners: told in terms of the workload, or refused; no database is blamed for them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from own_workloads import REGISTRY, WORDS, shipped_on
from project_fixtures import Ran
from txfuzz import run_campaign
from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.attribution.attribute import attribute
from txfuzz.campaign.setup.preconditions import doubt, impossible, remarks
from txfuzz.campaign.setup.resolve import assemble
from txfuzz.execution.run import execute
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.model import FINAL_READ, History
from txfuzz.history.reader import read_history
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import parse_workload

Cli = Callable[..., Ran]
Mop = tuple[str, int, Any]

CASES = Path(__file__).parents[2] / "tests" / "cases"
FOREIGN = (CASES / "foreign_runner.yaml").read_text()
RUNNER = f"{shlex.quote(sys.executable)} {shlex.quote(str(CASES / 'foreign_runner.py'))}"

HEAD = "version: 1\nname: w\nworkload:\n  transactions:\n"


def workload(*transactions: str, mix: str = "") -> Workload:
    """transactions: `name: steps`, of which the steps are in flow style."""
    lines = [
        f"    - {{name: {name}, steps: {steps}}}\n"
        for name, steps in (each.split(": ", 1) for each in transactions)
    ]
    return parse_workload(HEAD + "".join(lines) + mix, "w.yaml", WORDS)


def one_after_another(*asked: Sequence[Mop], outcome: str = "ok", overlap: bool = True) -> History:
    """overlap: all of them are open at once."""
    builder = HistoryBuilder("h.edn")
    for process, mops in enumerate(asked):
        builder.add("invoke", process, [(f, key, None if f == "r" else value) for f, key, value in mops])
        if not overlap:
            builder.add(outcome, process, list(mops))
    for process, mops in enumerate(asked) if overlap else ():
        builder.add(outcome, process, list(mops))
    return builder.finish()


def told(history: History, asked: Workload) -> list[tuple[str | None, list[int]]]:
    """Per transaction its name and its steps."""
    found = attribute(history, asked)
    assert doubt(found, asked) is None
    named = found.history
    return [
        (
            named.templates[at] if at >= 0 else None,
            named.mop_step[named.mops[row] : named.mops[row + 1]].tolist(),
        )
        for row, at in enumerate(named.template.tolist())
    ]


# -- what a transaction is ----------------------------------------------------------------

PAIR = "pair: [{f: r, key: {choice: {range: [1, 9]}, as: a}}, {f: append, key: {ref: a}}]"
CROSS = (
    "cross: [{f: r, key: {choice: {range: [1, 9]}, as: a}}, "
    "{f: append, key: {choice: {range: [1, 9]}, distinct_from: [a]}}]"
)


def test_keys_that_are_equal_or_differ_tell_transactions_apart() -> None:
    history = one_after_another([("r", 1, []), ("append", 1, 1)], [("r", 2, []), ("append", 3, 1)])
    assert told(history, workload(PAIR, CROSS)) == [("pair", [0, 1]), ("cross", [0, 1])]
    assert told(history, workload(CROSS, PAIR)) == [("pair", [0, 1]), ("cross", [0, 1])]


def test_the_keys_of_choices_tell_transactions_apart() -> None:
    low = "low: [{f: append, key: {choice: {range: [1, 4]}}}]"
    high = "high: [{f: append, key: {choice: {from: [7, 9]}}}]"
    history = one_after_another([("append", 9, 1)], [("append", 2, 1)])
    assert told(history, workload(low, high)) == [("high", [0]), ("low", [0])]


def test_the_likelier_one_is_taken_and_that_is_said(snapshot: SnapshotAssertion) -> None:
    wide = "wide: [{f: append, key: {choice: {range: [1, 100]}}}]"
    narrow = "narrow: [{f: append, key: {choice: {range: [1, 2]}}}]"
    history = one_after_another([("append", 1, 1)], [("append", 50, 1)])
    asked = workload(wide, narrow)
    assert told(history, asked) == [("narrow", [0]), ("wide", [0])]
    found = attribute(history, asked)
    assert found.ambiguous == {("wide", "narrow"): 1}
    assert [*remarks(found)] == snapshot
    rare = workload(wide, narrow, mix="  mix: [{txn: wide, weight: 999}, {txn: narrow, weight: 1}]\n")
    assert told(history, rare) == [("wide", [0]), ("wide", [0])]


@pytest.mark.parametrize("outcome", ["fail", "info"])
def test_what_did_not_commit_may_have_ended_after_any_step(outcome: str) -> None:
    [(name, steps)] = told(one_after_another([("r", 1, None)], outcome=outcome), workload(PAIR))
    assert (name, steps) == ("pair", [0])
    assert impossible(attribute(one_after_another([("r", 1, [])]), workload(PAIR)), workload(PAIR))


def test_raw_sql_may_have_done_nothing() -> None:
    raw = (
        "raw: [{f: r, key: {choice: {range: [1, 9]}, as: a}}, "
        "{sql: 'INSERT INTO {table} VALUES (:k, :v)', args: {k: {ref: a}, v: {new: value}}, "
        "elle: {f: append, key: k, value: v}}, "
        "{f: r, key: {choice: {range: [20, 29]}}}]"
    )
    asked = workload(raw)
    history = one_after_another(
        [("r", 1, []), ("append", 1, 1), ("r", 20, [])], [("r", 2, []), ("r", 21, [])], [("r", 3, [])]
    )
    assert told(history, asked) == [("raw", [0, 1, 2]), ("raw", [0, 2]), ("raw", [0])]
    other = one_after_another([("r", 1, []), ("append", 2, 1), ("r", 20, [])])
    assert impossible(attribute(other, asked), asked), "the INSERT is on the key that was read"


def test_steps_without_a_micro_operation_leave_gaps() -> None:
    asked = workload(
        "gap: [{f: r, key: 1}, {sql: 'SAVEPOINT s'}, {f: append, key: {choice: {range: [1, 3]}}}]"
    )
    assert told(one_after_another([("r", 1, []), ("append", 3, 1)]), asked) == [("gap", [0, 2])]


# -- what a workload cannot have made -----------------------------------------------------


def test_one_that_fits_no_transaction_is_named(snapshot: SnapshotAssertion) -> None:
    asked = workload(PAIR)
    history = one_after_another([("r", 1, []), ("append", 1, 1)], [("r", 1, []), ("append", 2, 1)])
    found = attribute(history, asked)
    assert impossible(found, asked) == snapshot
    assert found.history is history


def test_other_keys_are_in_doubt_but_no_other_history(snapshot: SnapshotAssertion) -> None:
    asked = workload(PAIR)
    history = one_after_another([("r", 70, []), ("append", 70, 1)], [("r", 1, []), ("append", 1, 1)])
    found = attribute(history, asked)
    assert impossible(found, asked) is None
    assert doubt(found, asked) == snapshot
    named = replace(history, logical=[None if key is None else key % 69 for key in history.logical])
    assert doubt(attribute(named, asked), asked) is None, "generations that say whose they are"


def test_what_a_runner_does_before_and_after_is_its_own_business() -> None:
    asked = workload(PAIR)
    set_up: list[Mop] = [("append", 1, 100), ("append", 2, 100)]
    pairs: list[list[Mop]] = [[("r", 1, [100]), ("append", 1, 1)], [("r", 2, [100]), ("append", 2, 1)]]
    last: list[Mop] = [("r", 1, [100, 1]), ("r", 2, [100, 1])]
    history = one_after_another(set_up, *pairs, last, overlap=False)
    assert [name for name, _ in told(history, asked)] == [None, "pair", "pair", None]
    assert any(
        "2 transactions before or after all others" in each for each in remarks(attribute(history, asked))
    )
    between = one_after_another(pairs[0], last, pairs[1], overlap=False)
    assert impossible(attribute(between, asked), asked)


def test_one_that_names_its_transactions_must_be_right(tmp_path: Path) -> None:
    line = '{:type :%s, :process 0, :f :txn, :txn "%s", :value [[:append 1 %s]]}\n'
    other = "other: [{f: append, key: {choice: {range: [1, 9]}}}]"
    for name, fits in (("other", True), ("pair", False), ("another", False)):
        path = tmp_path / f"{name}.edn"
        path.write_text(line % ("invoke", name, 1) + line % ("ok", name, 1))
        asked = workload(PAIR, other)
        assert (doubt(attribute(read_history(path), asked), asked) is None) == fits


# -- our own histories, without what we write into them -------------------------------------


@pytest.mark.parametrize("name", ["example", "write_skew", "long_fork", "read_only_anomaly", "registers"])
def test_our_own_transactions_are_told_again(name: str, tmp_path: Path) -> None:
    asked = shipped_on(name, "memory", "snapshot", {})
    asked = replace(asked, scheduling=replace(asked.scheduling, transactions=300))
    assembled = assemble(asked, REGISTRY)
    path = tmp_path / "own.edn"
    with assembled.adapter.open(None) as database:
        execute(assembled.workload, database, path, isolation=assembled.isolation)
    own = read_history(path)
    assert attribute(own, asked).history.template.tolist() == own.template.tolist()
    bare = tmp_path / "bare.edn"
    bare.write_text(re.sub(r':txn "[^"]*", :steps \[[^]]*\], ', "", path.read_text()))
    found = attribute(read_history(bare), asked)
    assert doubt(found, asked) is None
    again, checked = found.history, 0
    alike = {each for names in found.ambiguous for each in names}
    for row, at in enumerate(own.template.tolist()):
        if own.templates[at] == FINAL_READ:
            continue
        if own.templates[at] not in alike:
            assert again.templates[again.template[row]] == own.templates[at]
            span = slice(own.mops[row], own.mops[row + 1])
            assert again.mop_step[span].tolist() == own.mop_step[span].tolist()
            checked += 1
    if not alike:
        assert checked == 300
        near = [
            [(each.score, each.missing) for each in analyze_history(each).near_cycles]
            for each in (own, again)
        ]
        assert near[0] == near[1]


# -- the whole loop -----------------------------------------------------------------------


def test_another_runner_gets_near_cycles_replays_and_a_barrier(tmp_path: Path, txfuzz: Cli) -> None:
    ran = txfuzz(
        "run", "--config", CASES / "foreign_runner.yaml", "--iterations", 2, "--runner-cmd", RUNNER,
        "--output-dir", "o", "--max-graph-nodes", 0,
    )  # fmt: skip
    assert ran.code == 1, ran.err
    first = Path("o/iter_00")
    analysis = json.loads((first / "analysis.json").read_text())
    assert analysis["near_cycles"]
    assert {each["template"] for near in analysis["near_cycles"] for each in near["transactions"]} == {
        "hot_writer", "read_skew_probe",
    }  # fmt: skip
    replay = yaml.safe_load((first / "replay.yaml").read_text())
    assert replay["replay"]["schedule"]
    second = yaml.safe_load(Path("o/iter_01/workload.yaml").read_text())
    assert second["scheduling"]["barrier_every"] > 0
    assert "transactions recognised by what they did (no `:txn`): hot_writer " in ran.err
    assert "transactions recognised by what they did" in (first / "notes.md").read_text()


def test_its_replay_is_handed_to_it_and_counts(tmp_path: Path, txfuzz: Cli) -> None:
    ran = txfuzz(
        "run", "--config", CASES / "foreign_runner.yaml", "--iterations", 1, "--runner-cmd", RUNNER,
        "--run-replay", "--output-dir", "o", "--max-graph-nodes", 0,
    )  # fmt: skip
    assert ran.code == 1, ran.err
    place = Path("o/iter_00")
    names = {
        each["name"]
        for each in yaml.safe_load((place / "replay.yaml").read_text())["workload"]["transactions"]
    }
    result = json.loads((place / "replay_result.json").read_text())
    assert result["attempts"] == result["closed"] == result["appeared"] == 1
    assert set(result["origins"]) == names
    shown = json.loads((place / "replay_analysis.json").read_text())
    assert shown["verdict"] == "invalid"
    assert {view["template"] for each in shown["anomalies"] for view in each["transactions"]} <= {
        "hot_writer", "read_skew_probe",
    }  # fmt: skip
    assert "G2-item (by its replay)" in ran.err


ONE_KEY = """version: 1
name: one-key
database: {adapter: memory, isolation: serializable}
workload:
  transactions:
    - name: touch
      steps: [{f: append, key: {choice: {range: [1, 300]}, as: k}}, {f: r, key: {ref: k}}]
"""


def test_no_promise_is_broken_by_a_history_of_something_else(tmp_path: Path, txfuzz: Cli) -> None:
    """A history of transactions on two keys each, and a workload of one key a transaction."""
    Path("w.yaml").write_text(ONE_KEY)
    shutil.copy(CASES / "read-skew-without-processes.edn", "h.edn")
    refused = txfuzz("adapt", "--history", "h.edn", "--prev-workload", "w.yaml")
    assert refused.code == 2
    assert refused.err.startswith(
        "txfuzz: h.edn: cannot be a history of the workload 'one-key': transaction "
    )
    assert not Path("runs").exists()
    Path("o/iter_00").mkdir(parents=True)
    shutil.copy("h.edn", "o/iter_00/history.edn")
    for more in ((), ("--runner-cmd", 'cp h.edn "$HISTORY_OUT"', "--iterations", 1)):
        where = f"o{len(more)}" if more else "o"
        ran = txfuzz("run", "--config", "w.yaml", "--skip-run", "--output-dir", where, *more)
        assert ran.code == 1
        record = json.loads(Path(where, "campaign.json").read_text())
        assert (record["isolation"], record["answers_for"]) == (None, None)
        said = ran.out + Path(where, "iter_00/notes.md").read_text()
        assert "promise" not in ran.out
        assert "broke" not in said
        assert "Found G-single-item, which contradicts strict-serializable." in said
        assert ran.err.count("cannot be a history of the workload") == 1
        report = txfuzz("report", where, "--format", "markdown")
        assert "broke" not in report.out


def test_a_history_without_invocations_says_what_is_lost(tmp_path: Path, txfuzz: Cli) -> None:
    Path("w.yaml").write_text(ONE_KEY)
    lines = [
        f"{{:type :ok, :process {at}, :f :txn, :value [[:append 1 {at}] [:r 1 {[*range(at + 1)]}]]}}"
        for at in range(3)
    ]
    Path("h.edn").write_text("\n".join(lines).replace(",", ""))
    ran = txfuzz("adapt", "--history", "h.edn", "--prev-workload", "w.yaml")
    assert ran.code == 0, ran.err
    assert "the history has no invocations" in ran.err


def test_a_thousand_transactions_are_drawn_in_part(tmp_path: Path) -> None:
    from txfuzz.report.pictures import dependency_graph

    result = run_campaign(
        workload=CASES / "foreign_runner.yaml", iterations=1, runner_cmd=RUNNER, output=tmp_path / "o",
        max_graph_nodes=0,
    )  # fmt: skip
    history = read_history(result.directory / "iter_00/history.edn")
    from txfuzz.analysis.dependencies.build import dependencies
    from txfuzz.report.pictures.png import excerpt_rows

    found = dependencies(history)
    rows = dependency_graph.drawn_rows(history, found)
    part = excerpt_rows(found, result.iterations[0].result, rows, 40)
    assert len(part) == len(set(part.tolist())) == 40
    nearest = result.iterations[0].result.near_cycles[0].transactions
    assert {view.row for view in nearest} <= set(part.tolist())
    assert excerpt_rows(found, replace(result.iterations[0].result, near_cycles=()), rows, 7).shape == (7,)
    figure = dependency_graph.dependency_figure(history, result.iterations[0].result, found, part)
    texts = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert f"40 of {len(rows)} transactions and the dependencies between them" in texts


def test_adapting_draws_both_graphs_and_archives_beside(tmp_path: Path, txfuzz: Cli) -> None:
    shutil.copy(CASES / "foreign_runner.yaml", "w.yaml")
    assert (
        txfuzz(
            "run", "--config", "w.yaml", "--iterations", 1, "--runner-cmd", RUNNER, "--output-dir", "o"
        ).code
        == 0
    )
    adapt = (
        "adapt",
        "--history",
        "o/iter_00/history.edn",
        "--prev-workload",
        "w.yaml",
        "--output-root",
        "archive",
    )
    for more in ((), ("--execute", "--runner-cmd", RUNNER)):
        assert txfuzz(*adapt, *more).code in (0, 1)
    places = sorted(path.parent.parent for path in Path("archive").rglob("notes.md"))
    counts = Counter(places)
    assert counts.pop(Path("archive")) == 1
    [(beside, count)] = counts.items()
    assert (beside.parent, count) == (Path("archive"), 2)
    for place in (Path("archive/iter_00"), beside / "iter_00", beside / "iter_01"):
        for name in ("dependency_graph.png", "minimal_dependency_graph.png", "replay.yaml"):
            assert (place / name).exists(), (place, name)
