"""The template plugin: its templates as workloads, adapters that can run them, and analyzers on real runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from project_fixtures import Ran
from txfuzz import AnalysisResult, Template, Verdict, analyze_history
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.errors import UsageError
from txfuzz.execution.run import execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.testing import MemoryAdapter
from txfuzz.workload.model import FaultSpec, KeyLife, Scheduling, Workload
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload
from txfuzz_templates.analyzers.bank import BankTotal
from txfuzz_templates.analyzers.counter import CounterBounds
from txfuzz_templates.analyzers.sets import SetElements
from txfuzz_templates.templates import ALL
from workload_words import complaint, parse

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "workload-format.md").read_text(encoding="utf-8")
README = (Path(__file__).parents[3] / "plugins" / "templates" / "README.md").read_text(encoding="utf-8")


def using(entry: str, adapter: str = "postgres") -> str:
    return f"version: 1\ndatabase: {{adapter: {adapter}}}\nworkload:\n  transactions:\n    - {entry}\n"


# -- templates as data -----------------------------------------------------------------------


def test_steps_are_repeated_for_each_item_of_a_list() -> None:
    (audit,) = parse(using("{template: bank-audit, with: {accounts: [4, 7]}}")).transactions
    (plain,) = parse(using("{name: bank-audit, steps: [{f: r, key: 4}, {f: r, key: 7}]}")).transactions
    assert audit == plain


def test_steps_before_and_after_and_several_at_once() -> None:
    template = Template(
        "both",
        "",
        (
            {"f": "r", "key": 1},
            {
                "each": "k",
                "of": {"param": "keys"},
                "steps": [{"f": "r", "key": {"param": "k"}}, {"f": {"param": "f"}, "key": {"param": "k"}}],
            },
            {"f": "r", "key": 9},
        ),
        {"keys": None, "f": "append"},
    )
    filled = template.filled({"keys": [2, 3]})
    assert [(step["f"], step["key"]) for step in filled] == [
        ("r", 1), ("r", 2), ("append", 2), ("r", 3), ("append", 3), ("r", 9),
    ]  # fmt: skip
    assert template.filled({"keys": []}) == [{"f": "r", "key": 1}, {"f": "r", "key": 9}]
    with pytest.raises(
        UsageError, match="template 'both' repeats steps for each item of the parameter 'keys', e"
    ):
        template.filled({"keys": 5})


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "{template: ¦bank-transfer, with: {accounts: [1]}}",
            "a choice of 1 key that cannot differ from 'from'",
        ),
        ("{template: ¦bank-audit, with: {accounts: []}}", "found a transaction without steps"),
        ("{template: counter-read, with: {counters: ¦[]}}", "found an empty choice"),
        ("{template: bank-audit, with: ¦{account: [1]}}", "did you mean 'accounts'?"),
        (
            "{template: bank-audit, with: ¦{accounts: 3}}",
            "repeats steps for each item of the parameter 'accounts', expected a list, found 3",
        ),
        ("{template: ¦set-add, with: {rows: [1, 2, 3]}}", "that cannot differ from 'a', 'b' and 'c'"),
        ("{template: savepoint-rollback-locked, with: {lock: ¦updat}}", "did you mean 'update'?"),
        ("{template: merge-append, with: {keys: ¦[0]}}", "found the number 0, expected a key"),
    ],
)
def test_parameters_that_cannot_work_are_refused(entry: str, said: str) -> None:
    assert said in complaint(using(entry))


def test_an_adapter_without_the_dialect_is_told_so() -> None:
    marked = using("{template: ¦merge-append}", "plain")
    sentence = complaint(marked)
    assert f"w.yaml:5:18: {sentence}" in PAGE
    for template in ALL:
        if template.dialect:
            told = complaint(using(f"{{template: ¦{template.name}}}", "plain"))
            assert f"found the template {template.name!r}, which is written for postgresql" in told


def test_what_needs_raw_sql_of_a_product_says_so() -> None:
    """Only an INSERT of a key and a value is portable."""
    for template in ALL:
        raw = [step["sql"] for step in template.steps if "sql" in step]
        assert (template.dialect == "postgresql") == bool(raw and template.name != "unique-id-claim")


def test_the_tables_of_the_readme_are_those_of_the_plugin() -> None:
    for template in ALL:
        defaults = ", ".join(f"`{name}: {value}`" for name, value in template.parameters.items())
        assert f"| `{template.name}` | {defaults} |" in README
        for workload in (line for line in README.splitlines() if line.startswith(f"| `{template.name}`")):
            assert workload_path(workload.rsplit("`", 2)[1]).exists()
    for analyzer in (BankTotal, CounterBounds, SetElements):
        assert f"| `{analyzer.name}` |" in README


def test_undone_steps_carry_no_micro_operation() -> None:
    """What comes between a savepoint and the rollback to it does not happen."""
    for template in ALL:
        inside = False
        for step in template.steps:
            sql = step.get("sql", "")
            inside = sql.startswith("SAVEPOINT") or (inside and not sql.startswith("ROLLBACK TO"))
            assert not (inside and ("f" in step or "elle" in step))


def test_they_are_listed(txfuzz: Callable[..., Ran]) -> None:
    listed = txfuzz("templates").out
    for template in ALL:
        assert template.name in listed
    shown = txfuzz("templates", "merge-append").out
    assert "# its steps (in the SQL of postgresql):" in shown
    assert "{template: merge-append, with: {keys: [1, 2, 3, 4]}}" in shown
    options = txfuzz("plugins", "show", "set-elements").out
    for word in ("adds", "against", "shown", "expect | always"):
        assert word in options


def test_the_checker_goes_before_them() -> None:
    workload = parse("version: 1\nworkload: {transactions: [{template: bank-audit}]}\n")
    spec = replace(workload.database, adapter="memory")
    assembled = assemble(replace(workload, database=spec), load_plugins(strict=True))
    names = [analyzer.name for analyzer in assembled.analyzers]
    assert names[0] == "elle"
    assert {"bank-total", "counter-bounds", "set-elements"} <= set(names)


# -- analyzers on a database with known defects -----------------------------------------------


def mixed(*entries: str) -> Workload:
    lines = "".join(f"    - {entry}\n" for entry in entries)
    workload = parse(f"version: 1\nname: mixed\nworkload:\n  transactions:\n{lines}")
    return replace(workload, scheduling=Scheduling(8, 600), keys=KeyLife(24))


BANK = mixed("{template: bank-transfer}", "{template: bank-audit}")
COUNTER = mixed("{template: counter-increment}", "{template: counter-read}")
JUDGES = (BankTotal(), CounterBounds(), SetElements(adds=("counter-increment",)))


def on_memory(
    tmp_path: Path, workload: Workload, isolation: str, expect: str, *, defects: Sequence[str] = ()
) -> AnalysisResult:
    adapter = MemoryAdapter(defects=tuple(defects), probability=0.3)
    with adapter.open(None) as database:
        summary = execute(workload, database, tmp_path / "history.edn", isolation=isolation)
    assert summary.failure is None
    assert summary.ok > 50
    return analyze_history(tmp_path / "history.edn", expect, analyzers=JUDGES)


@pytest.mark.parametrize("isolation", ["read uncommitted", "read committed", "snapshot", "serializable"])
@pytest.mark.parametrize("workload", [BANK, COUNTER], ids=["bank", "counter"])
def test_a_database_without_defects_keeps_its_promise(
    workload: Workload, isolation: str, tmp_path: Path
) -> None:
    promised = MemoryAdapter().capabilities().isolation[isolation]
    result = on_memory(tmp_path, workload, isolation, promised)
    assert result.verdict is Verdict.VALID, result.reason


@pytest.mark.parametrize(
    ("workload", "isolation", "defect", "found"),
    [
        (BANK, "read committed", None, "bank-total"),
        (BANK, "snapshot", "non-monotonic-snapshot", "bank-total"),
        (BANK, "serializable", "stale-read", "bank-total"),
        (BANK, "snapshot", "dirty-read", "bank-total"),
        (COUNTER, "serializable", "lost-committed-write", "counter-below"),
        (COUNTER, "serializable", "lost-committed-write", "set-lost"),
        (COUNTER, "snapshot", "lost-update", "set-lost"),
        (COUNTER, "serializable", "stale-read", "counter-below"),
        (COUNTER, "serializable", "stale-read", "set-stale"),
    ],
)
def test_what_a_database_does_wrong_is_found(
    workload: Workload, isolation: str, defect: str | None, found: str, tmp_path: Path
) -> None:
    for _ in range(3):  # which interleavings come about is chance
        result = on_memory(
            tmp_path, workload, isolation, "strict-serializable", defects=[defect] if defect else []
        )
        if found in result.anomaly_types:
            break
    assert found in result.anomaly_types
    shown = next(each for each in result.anomalies if each.type == found)
    assert "T1" in shown.explanation
    assert shown.definition


# -- and on a real one, with faults ------------------------------------------------------------

FAULTS = (
    FaultSpec("terminate-backends", {"share": 0.5}, every=0.15),
    FaultSpec("cut-commit", {"connections": 2}, every=0.02),
)


@pytest.mark.server
def test_a_scan_of_keys_in_several_tables_is_refused(tmp_path: Path) -> None:
    """It would find rows of one table only, and record the others as absent."""
    registry = load_plugins(strict=True)
    workload = read_workload(workload_path("set_add"), InstalledVocabulary(registry))
    spread = replace(workload.database, options={**workload.database.options, "tables": 3})
    assembled = assemble(replace(workload, database=spread), registry)
    with assembled.adapter.open(None) as database:
        summary = execute(
            assembled.workload, database, tmp_path / "history.edn", isolation=assembled.isolation
        )
    assert "the keys of one statement are in several tables" in str(summary.failure)


@pytest.mark.server
@pytest.mark.parametrize("name", ["bank", "counter", "set_add", "read_modify_write", "savepoint"])
def test_unknown_outcomes_raise_no_false_alarm(name: str, tmp_path: Path) -> None:
    registry = load_plugins(strict=True)
    workload = read_workload(workload_path(name), InstalledVocabulary(registry))
    workload = replace(workload, scheduling=Scheduling(8, None, 1.0), faults=FAULTS, heuristics=())
    assembled = assemble(workload, registry, isolation="serializable")
    summary: ExecutionSummary
    with assembled.adapter.open(None) as database:
        summary = execute(
            assembled.workload,
            database,
            tmp_path / "history.edn",
            isolation=assembled.isolation,
            faults=assembled.faults,
        )
    assert summary.failure is None
    assert summary.info > 0
    judges: list[Any] = [each for each in assembled.analyzers if each.name != "elle"]
    result = analyze_history(read_history(tmp_path / "history.edn"), "strict-serializable", analyzers=judges)
    assert result.verdict is Verdict.VALID, result.reason


def test_an_installed_analyzer_judges_any_history_where_it_is_named(
    txfuzz: Callable[..., Ran], tmp_path: Path
) -> None:
    workload = read_workload(workload_path("counter"), InstalledVocabulary(load_plugins()))
    few = replace(workload, scheduling=Scheduling(clients=2, transactions=20))
    with MemoryAdapter().open(None) as database:
        execute(few, database, tmp_path / "h.edn", isolation="serializable")
    alone = txfuzz("analyze", "h.edn", "--json")
    assert set(json.loads(alone.out)["parts"]) == set()
    beside = txfuzz("analyze", "h.edn", "--json", "--analyzer", "counter-bounds", "--analyzer", "elle")
    assert set(json.loads(beside.out)["parts"]) == {"counter-bounds"}
    wrong = txfuzz("analyze", "h.edn", "--analyzer", "counter-bound")
    assert (wrong.code, "did you mean 'counter-bounds'" in wrong.err) == (2, True)
