"""The `replay` stanza: read, written, and every mistake in it named with its place (the ¦)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from txfuzz.replay.schedule.focus_key import focus_key_warnings, with_focus_key
from txfuzz.replay.schedule.pinned_keys import choices_of
from txfuzz.replay.schedule.replay_workload import order_of, pause_warnings, pauses, roles_of
from txfuzz.workload.replay import ACTIONS, Action, Missing, Participant
from txfuzz.workload.yaml.replay import FIELDS
from txfuzz.workload.yaml.writer import workload_text
from workload_words import complaint, parse

HEAD = """\
version: 1
workload:
  transactions:
    - name: look
      steps: [{f: r, key: 1}, {f: append, key: 2}]
    - name: write
      steps: [{f: append, key: 1}]
"""
BOTH = "replay:\n  transactions: [{alias: t1, txn: look}, {alias: t2, txn: write}]\n"


def test_read_and_written() -> None:
    text = (
        HEAD
        + BOTH
        + """\
  enabled: false
  schedule:
    - {alias: t1, action: step}
    - {action: sleep, ms: 1.5}
    - {alias: t2, action: step, steps: 0}
    - {alias: t2, action: rollback}
    - {alias: t1, action: step, steps: 1}
    - {alias: t1, action: commit}
  focus_key: 2
  pause_after: {t1: [1, 2], t2: 1}
  missing: {kind: rw, from: t1, to: t2}
  anomaly: G2-item
"""
    )
    workload = parse(text)
    replay = workload.replay
    assert replay is not None
    assert replay.transactions == (Participant("t1", "look"), Participant("t2", "write"))
    assert replay.schedule[1:4] == (
        Action("sleep", None, ms=1.5),
        Action("step", "t2", 0),
        Action("rollback", "t2"),
    )
    assert (replay.enabled, replay.focus_key, replay.pause_after) == (False, 2, {"t1": (1, 2), "t2": (1,)})
    assert (replay.missing, replay.anomaly) == (Missing("rw", "t1", "t2"), "G2-item")
    assert parse(workload_text(workload)) == workload


def test_without_a_schedule_the_pauses_are_one() -> None:
    replay = parse(HEAD + BOTH + "  pause_after: {t1: 1}\n").replay
    assert replay is not None
    assert [(each.alias, each.action, each.steps) for each in replay.actions()] == [
        ("t1", "step", 1),
        ("t1", "step", 0),
        ("t1", "commit", 1),
        ("t2", "step", 0),
        ("t2", "commit", 1),
    ]
    twice = parse(HEAD + BOTH + "  pause_after: {t1: [0, 1, 2], t2: [1]}\n").replay
    assert twice is not None
    assert [(each.alias, each.steps) for each in twice.actions() if each.action == "step"] == [
        ("t2", 1), ("t1", 1), ("t1", 1), ("t1", 0), ("t2", 0),
    ]  # fmt: skip


def test_pauses_beside_a_schedule_are_a_record_of_it(snapshot: SnapshotAssertion) -> None:
    text = (Path(__file__).parents[2] / "tests" / "cases" / "replay-stanza.yaml").read_text(encoding="utf-8")
    workload = parse(text)
    assert workload.replay is not None
    assert workload.replay.pause_after == {"start": (2,), "via": (1, 3), "end": (2,)}
    assert pause_warnings(workload) == ()
    assert parse(workload_text(workload)) == workload
    roles = roles_of(workload)
    order = order_of(workload)
    assert [alias for alias, _ in order] == [
        *["start"] * 2, *["via"] * 3, *["end"] * 2, *["start"] * 2, "via", "end", "start",
    ]  # fmt: skip
    assert pauses(order, roles) == {"start": (2, 4), "via": (3,), "end": (2,)}
    (warning,) = pause_warnings(parse(text.replace("via: [1, 3]", "via: [1, 2]")))
    assert warning == snapshot


OPEN = """\
version: 1
workload:
  transactions:
    - name: same
      steps: [{f: r, key: {choice: {from: [1, 2, 3]}, as: k}}, {f: append, key: {ref: k}}]
    - name: two
      steps:
        - {f: r, key: {choice: {from: [1, 2, 3]}, as: a}}
        - {f: append, key: {choice: {from: [2, 3]}, distinct_from: [a]}}
    - name: pinched
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: a}}
        - {f: append, key: {choice: {from: [2]}, distinct_from: [a]}}
    - name: elsewhere
      steps: [{f: r, key: {choice: {from: [7, 8]}}}, {f: r, key: 9}]
    - name: fixed
      steps: [{f: r, key: 9}]
replay:
  focus_key: 2
"""


def test_the_focus_key_narrows_what_is_left_open(snapshot: SnapshotAssertion) -> None:
    names = ("same", "two", "pinched", "elsewhere", "fixed")
    workload = parse(OPEN + f"  transactions: [{', '.join(f'{{alias: {n}, txn: {n}}}' for n in names)}]\n")
    narrowed = with_focus_key(workload)
    assert {
        each.name: [tuple(choice.keys) for choice in choices_of(each)] for each in narrowed.transactions
    } == {
        "same": [(2,)],
        "two": [(2,), (2, 3)],
        "pinched": [(1, 2), (2,)],
        "elsewhere": [(7, 8), (9,)],
        "fixed": [(9,)],
    }
    assert with_focus_key(narrowed) == narrowed
    (warning,) = focus_key_warnings(workload)
    assert warning == snapshot
    left_alone = replace(workload, replay=None)
    assert with_focus_key(left_alone) == left_alone


MISTAKES = {
    "a list": "replay: ¦[]\n",
    "empty": "replay: ¦{}\n",
    "no transactions": "replay: {transactions: ¦[]}\n",
    "misspelled transaction": "replay: {transactions: [{alias: a, txn: ¦lok}]}\n",
    "alias twice": "replay: {transactions: [{alias: a, txn: look}, {alias: ¦a, txn: write}]}\n",
    "unknown alias": BOTH + "  schedule: [{alias: ¦zz, action: step}]\n",
    "step without alias": BOTH + "  schedule: [¦{action: step}]\n",
    "misspelled action": BOTH + "  schedule: [{alias: t1, action: ¦stop}]\n",
    "steps in a commit": BOTH + "  schedule: [{alias: t1, action: commit, ¦steps: 2}]\n",
    "more steps than there are": BOTH + "  schedule: [{alias: t2, action: ¦step, steps: 2}]\n",
    "step after commit": BOTH + "  schedule: [{alias: t2, action: commit}, {alias: t2, action: ¦step}]\n",
    "sleep without ms": BOTH + "  schedule: [¦{action: sleep}]\n",
    "negative sleep": BOTH + "  schedule: [{action: sleep, ms: ¦-1}]\n",
    "focus key that nobody touches": BOTH + "  focus_key: ¦9\n",
    "pause of an unknown alias": BOTH + "  pause_after: {¦zz: 1}\n",
    "pause after the end": BOTH + "  pause_after: {t1: ¦3}\n",
    "pauses out of order": BOTH + "  pause_after: {t1: [2, ¦1]}\n",
    "pause is a word": BOTH + "  pause_after: {t1: [1, ¦x]}\n",
    "unknown kind of dependency": BOTH + "  missing: {kind: ¦xy, from: t1, to: t2}\n",
    "missing edge to an unknown alias": BOTH + "  missing: {kind: rw, from: t1, to: ¦x}\n",
    "misspelled anomaly": BOTH + "  anomaly: ¦lost-updaet\n",
    "anomaly without -item": BOTH + "  anomaly: ¦G-single\n",
    "anomaly is empty": BOTH + "  anomaly: ¦''\n",
    "misspelled schedule": BOTH + "  ¦shedule: []\n",
}


@pytest.mark.parametrize("stanza", MISTAKES.values(), ids=MISTAKES)
def test_mistakes(stanza: str, snapshot: SnapshotAssertion) -> None:
    assert complaint(HEAD + stanza) == snapshot


def test_the_page_is_true() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "replay.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(version: 1\n.*?)```", page, re.DOTALL)
    workload = parse(example)
    assert workload.replay is not None
    assert parse(workload_text(workload)) == workload
    stanza = page.partition("## The stanza")[2].partition("## Steps that wait")[0]
    rows = re.findall(r"^\| (`.*?) \|", stanza, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert named == [*FIELDS, *ACTIONS]
