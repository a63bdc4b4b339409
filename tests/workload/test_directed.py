"""Directed schedules in a workload file: read, written, and refused where they do not fit."""

from __future__ import annotations

import pytest

from txfuzz.errors import WorkloadError
from txfuzz.workload.directed import misfit
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz.workload.yaml.writer import workload_text

HEAD = """\
version: 1
workload:
  transactions:
    - name: book
      steps:
        - {f: r, key: {choice: {from: [1, 2, 3]}, as: a}}
        - {f: r, key: {choice: {from: [1, 2, 3]}, as: b, distinct_from: [a]}}
        - {f: append, key: {ref: a}}
scheduling: {clients: 2, transactions: 10, directed: 2}
directed:
  - transactions:
      - {alias: t1, txn: book, keys: [1, 2]}
      - {alias: t2, txn: book, keys: [2, 1]}
"""
TAIL = """\
    schedule:
      - {alias: t1, action: step, steps: 2}
      - {alias: t2, action: step, steps: 3}
      - {alias: t2, action: commit}
    missing: {kind: rw, from: t1, to: t2}
    focus_key: 2
    anomaly: G2-item
"""


def read(text: str = HEAD + TAIL) -> Workload:
    return parse_workload(text, "w.yaml", None)


def test_it_is_written_as_it_was_read() -> None:
    workload = read()
    [schedule] = workload.directed
    assert [each.keys for each in schedule.transactions] == [(1, 2), (2, 1)]
    assert (schedule.missing.source, schedule.focus_key, schedule.anomaly) == ("t1", 2, "G2-item")
    assert workload.scheduling.directed == 2
    assert read(workload_text(workload)) == workload


def test_the_order_completes_what_the_schedule_leaves_open() -> None:
    [schedule] = read().directed
    order = schedule.order({"t1": 3, "t2": 3})
    assert order == ((0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (1, 3), (0, 2), (0, 3))


def test_it_is_named_by_its_missing_dependency() -> None:
    [schedule] = read().directed
    assert schedule.text == "rw edge book → book on key 2"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("keys: [1, 2]", "keys: [1, 4]", "'book' cannot choose key 4"),
        ("keys: [1, 2]", "keys: [1]", "'book' chooses 2 keys, but 't1' has 1"),
        ("keys: [1, 2]", "keys: [1, 1]", "do not differ"),
        ("txn: book, keys: [1, 2]", "txn: bok, keys: [1, 2]", "unknown transaction 'bok'"),
        ("steps: 3", "steps: 4", "found step 4 of 't2', expected at most 3"),
        ("action: commit", "action: rollback", "found a rollback in a directed schedule"),
        ("from: t1", "from: t3", "unknown alias 't3'"),
        ("alias: t2, txn", "alias: t1, txn", "duplicate alias 't1'"),
        ("directed: 2}", "directed: 65}", "the number of sessions for directed schedules"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(before: str, after: str, said: str) -> None:
    text = (HEAD + TAIL).replace(before, after, 1)
    with pytest.raises(WorkloadError, match=r"w\.yaml:\d+:\d+: ") as refused:
        read(text)
    assert said in str(refused.value)


def test_one_transaction_alone_is_no_schedule() -> None:
    text = (HEAD + TAIL).replace("      - {alias: t2, txn: book, keys: [2, 1]}\n", "")
    with pytest.raises(WorkloadError, match="a directed schedule of one"):
        read(text)


def test_a_misfit_is_told_for_other_transactions() -> None:
    [schedule] = read().directed
    assert misfit(schedule, {}) == "there is no transaction 'book'"


def test_faults_may_wait_for_a_moment() -> None:
    text = HEAD + TAIL + "faults: [{name: cut-commit, every: 50ms, when: commit}]\n"
    workload = read(text)
    assert workload.faults[0].when == "commit"
    assert read(workload_text(workload)) == workload
    with pytest.raises(WorkloadError, match="a moment of directed schedules"):
        read(text.replace("when: commit", "when: lunch"))
