"""The exit code of `txfuzz execute`: replays are judged, histories to be judged elsewhere are not."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran

Cli = Callable[..., Ran]

WORKLOAD = """\
version: 1
name: loose
database: {adapter: memory, isolation: read committed}
expect: serializable
workload:
  transactions:
    - name: add
      steps:
        - {f: r, key: 1}
        - {f: append, key: 1}
scheduling: {clients: 3, transactions: 60, barrier_every: 3}
"""
LOST_UPDATE = """\
replay:
  transactions: [{alias: t1, txn: add}, {alias: t2, txn: add}]
  schedule:
    - {alias: t1, action: step}
    - {alias: t2, action: step}
    - {alias: t1, action: step}
    - {alias: t1, action: commit}
  anomaly: lost-update
"""
ONE_BY_ONE = """\
replay:
  transactions: [{alias: t1, txn: add}, {alias: t2, txn: add}]
  schedule:
    - {alias: t1, action: step, steps: 0}
    - {alias: t1, action: commit}
"""


@pytest.mark.parametrize(
    ("text", "more", "code"),
    [
        (WORKLOAD + LOST_UPDATE, (), 1),
        (WORKLOAD + LOST_UPDATE, ("--isolation", "serializable"), 0),
        (WORKLOAD.replace("expect: serializable", "expect: read-committed") + LOST_UPDATE, (), 0),
        (WORKLOAD + ONE_BY_ONE, (), 0),
        (WORKLOAD + LOST_UPDATE + "  enabled: false\n", (), 0),
        (WORKLOAD, (), 0),
    ],
    ids=["lost", "prevented", "allowed", "one by one", "not enabled", "no replay"],
)
def test_exit_codes(txfuzz: Cli, text: str, more: tuple[str, ...], code: int) -> None:
    Path("w.yaml").write_text(text)
    ran = txfuzz("execute", "--exit-code", "--config", "w.yaml", "--out", "h.edn", *more)
    assert ran.code == code, ran.out
    judged = txfuzz("analyze", "h.edn", "--skip-graph").code
    assert judged == 1 or code == 0


def test_what_contradicts_the_model_counts_whatever_the_replay_was_to_show(txfuzz: Cli) -> None:
    """A schedule that is to show a dirty read and shows a lost update instead has not shown nothing."""
    Path("w.yaml").write_text(WORKLOAD + LOST_UPDATE.replace("lost-update", "G1a"))
    ran = txfuzz("execute", "--exit-code", "--config", "w.yaml", "--out", "h.edn", "--attempts", 2)
    assert ran.code == 1
    assert "lost-update in 2" in ran.out


def test_a_replay_that_was_followed_has_done_what_it_was_asked_for(txfuzz: Cli) -> None:
    Path("w.yaml").write_text(WORKLOAD + LOST_UPDATE)
    ran = txfuzz("execute", "--config", "w.yaml", "--out", "h.edn")
    assert ran.code == 0
    assert "lost-update in 1" in ran.out


def test_it_is_a_runner_that_does_not_fail_when_there_is_something_to_find(txfuzz: Cli) -> None:
    Path("w.yaml").write_text(WORKLOAD)
    command = f"{shlex.quote(sys.executable)} -m txfuzz execute"
    ran = txfuzz(
        "run", "--config", "w.yaml", "--iterations", 1, "--runner-cmd", command, "--output-dir", "out"
    )
    assert ran.code == 1, ran.err
    assert "G-single-item" in ran.out
