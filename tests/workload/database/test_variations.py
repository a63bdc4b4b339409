"""What a workload lets vary of its database: settled by its adapter, changed by a target, obeyed in a run."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from txfuzz import Adjustment, FeedbackResult, UsageError, Verdict, Workload, WorkloadError
from txfuzz.analysis.analyze import analyze_history
from txfuzz.campaign.setup.resolve import Assembled, assemble
from txfuzz.execution.run import execute
from txfuzz.feedback.adjustments import apply, current
from txfuzz.feedback.mutators import mutated
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz.workload.yaml.writer import workload_text
from txfuzz_heuristics.mutators.database import Layout, Plans
from txfuzz_heuristics.mutators.modes import RowsInAdvance
from txfuzz_heuristics.mutators.statements import Forms

TEXT = """\
version: 1
database: {adapter: memory, isolation: serializable, defects: [stale-read], every: 1%s}
workload:
  transactions:
    - name: read_append
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: k}}
        - {f: append, key: {ref: k}}
keys: {writes: 8}
scheduling: {clients: 4, transactions: 200}
mutate: %s
"""


def assembled(mutate: str, options: str = "") -> Assembled:
    return assemble(parse_workload(TEXT % (options, mutate), "w.yaml", None), load_plugins())


def changed(began: Workload, target: str, after: object) -> Workload:
    return apply(began, [Adjustment(target, current(began, target), after, "because it may", "test")])


def shown(setup: Assembled, workload: Workload, place: Path) -> tuple[str, ...]:
    with setup.adapter.open(None) as database:
        execute(setup.workload, database, place / "first.edn", isolation="serializable")
        execute(workload, database, place / "second.edn", isolation="serializable", fresh=False)
    assert analyze_history(place / "first.edn").all_types == ()
    return analyze_history(place / "second.edn").anomaly_types


def test_all_that_the_adapter_declares_may_vary_unless_the_workload_says_what() -> None:
    began = assembled("[plans, layout, forms, rows]").workload
    assert current(began, "layout") == {"layout": "ordered"}
    assert current(began, "plans") == {"plan": "default"}
    assert began.mutate.forms == {"r": ("range",), "append": ("replace",), "w": ("replace",)}
    assert began.mutate.rows == ("fresh", "inserted", "deleted")
    own = assembled("[{layout: {layout: [hashed]}}]").workload
    assert own.mutate.layout == {"layout": ("ordered", "hashed")}, "and what it has now"
    assert current(own, "plans") == {}
    with pytest.raises(UsageError, match="does not let plans change"):
        changed(own, "plans", {})


def test_it_is_the_same_when_it_is_read_again() -> None:
    began = assembled("[plans, {forms: {r: [range]}}, layout, rows]").workload
    other = changed(changed(began, "forms", {"read_append": ["range", None]}), "layout", {"layout": "hashed"})
    assert parse_workload(workload_text(other), "again", None) == other
    assert assemble(other, load_plugins()).workload == other


@pytest.mark.parametrize(
    ("mutate", "said"),
    [
        ("[{layout: {index: [a]}}]", "cannot vary by 'index' here: known: layout"),
        ("[{plans: {plan: [seq]}}]", "plan cannot vary to 'seq': known: default, scan"),
        ("[{plans: {}}]", "at least one option"),
        ("[{plans: {plan: []}}]", "at least one value"),
        ("[{plans: {plan: [[1]]}}]", "a value: text, a number, or true or false"),
        ("[{forms: {}}]", "at least one operation"),
        ("[{rows: [absent]}]", "how rows come about"),
    ],
)
def test_what_cannot_vary_is_refused(mutate: str, said: str) -> None:
    with pytest.raises((UsageError, WorkloadError)) as told:
        assembled(mutate)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("only", "target", "after"),
    [
        ("hashed", "layout", {"layout": "hashed"}),
        ("scan", "plans", {"plan": "scan"}),
        ("range", "forms", {"read_append": ["range", None]}),
    ],
)
def test_a_run_is_as_its_workload_says(only: str, target: str, after: object, tmp_path: Path) -> None:
    """The defect strikes only where the change has come into force."""
    setup = assembled("all", f", only: {only}")
    assert shown(setup, changed(setup.workload, target, after), tmp_path)


@pytest.mark.parametrize("rows", ["inserted", "deleted"])
def test_rows_that_were_there_do_no_harm(rows: str, tmp_path: Path) -> None:
    setup = assembled("all", ", only: hashed")
    assert shown(setup, changed(setup.workload, "keys.rows", rows), tmp_path) == ()


def test_the_mutators_change_what_may_vary() -> None:
    began = assembled("[plans, layout, forms, rows]").workload
    feedback = FeedbackResult(0, Verdict.VALID, original=began)
    for mutator in (Plans(), Layout(), Forms(), RowsInAdvance()):
        made = mutated(mutator, feedback, began, Random(1))
        assert made is not None, mutator.name
        assert made.workload != began


def test_statements_on_several_keys_keep_them_in_one_table() -> None:
    text = """\
version: 1
database: {adapter: postgres}
workload:
  transactions:
    - name: both
      steps:
        - sql: UPDATE {table} SET val = val || :v WHERE key IN (:a, :b)
          args: {a: 1, b: 2, v: {new: value}}
          elle: [{f: append, key: a, value: v}, {f: append, key: b, value: v}]
        - {f: r, key: 1}
mutate: [layout]
"""
    registry = load_plugins()
    both = assemble(parse_workload(text, "w.yaml", None), registry).workload
    assert set(current(both, "layout")) == {"layout"}
    one = (
        text.replace("IN (:a, :b)", "= :a")
        .replace(", b: 2", "")
        .replace(", {f: append, key: b, value: v}", "")
    )
    assert set(current(assemble(parse_workload(one, "w.yaml", None), registry).workload, "layout")) == {
        "layout",
        "tables",
    }
