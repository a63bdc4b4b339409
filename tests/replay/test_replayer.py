"""Replays written by hand, as `txfuzz execute` follows them on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran
from replay_server import replayed, server
from txfuzz.database.api import Database

__all__ = ["server"]
pytestmark = pytest.mark.server

CASES = Path(__file__).parents[2] / "tests" / "cases"
RACE = """\
version: 1
database: {adapter: postgres}
workload:
  transactions:
    - name: raw
      steps:
        - {f: r, key: 7}
        - sql: INSERT INTO {table} (key, val) VALUES (:k, ARRAY[:v])
          args: {k: 1, v: {new: value}}
          elle: {f: append, key: k, value: v}
    - name: plain
      steps: [{f: append, key: 1}]
replay:
  transactions: [{alias: a, txn: raw}, {alias: b, txn: plain}]
"""


def test_a_stanza_with_lists_of_pauses_is_followed(txfuzz: Callable[..., Ran]) -> None:
    ran = txfuzz("execute", "--config", CASES / "replay-stanza.yaml", "--out", "h.edn")
    assert ran.code == 0, ran.err
    assert "pause_after" not in ran.err
    lines = ran.out.splitlines()
    wide = {name: lines[0].index(name) for name in ("start", "via", "end")}
    issued = [
        next(name for name in reversed(wide) if len(line) - len(line.lstrip()) >= wide[name])
        for line in lines[1 : lines.index("")]
        if "…" not in line or "waits" in line
    ]
    assert issued == [*["start"] * 2, *["via"] * 3, *["end"] * 2, *["start"] * 2, "via", "start"]
    assert "start and end both insert the row for key 42" in ran.out
    assert "end had to wait and failed (23505) at step 1" in ran.out


def test_a_pause_that_the_schedule_does_not_make_is_said(tmp_path: Path, txfuzz: Callable[..., Ran]) -> None:
    text = (CASES / "replay-stanza.yaml").read_text(encoding="utf-8")
    (tmp_path / "w.yaml").write_text(text.replace("end: [2]", "end: 3"), encoding="utf-8")
    ran = txfuzz("execute", "--config", "w.yaml", "--out", "h.edn")
    assert ran.code == 0
    assert "w.yaml: pause_after has 'end' pause after step 3" in ran.err


def test_the_focus_key_is_where_they_meet(tmp_path: Path, txfuzz: Callable[..., Ran]) -> None:
    text = """\
version: 1
database: {adapter: postgres, isolation: read committed}
keys: {rows: inserted}
workload:
  transactions:
    - name: read_append
      steps: [{f: r, key: {choice: {range: [1, 1000]}, as: k}}, {f: append, key: {ref: k}}]
    - name: look
      steps: [{f: r, key: {choice: {range: [1, 9]}}}]
replay:
  transactions: [{alias: a, txn: read_append}, {alias: b, txn: read_append}, {alias: c, txn: look}]
  focus_key: 500
  pause_after: {a: [1], b: [1]}
"""
    (tmp_path / "w.yaml").write_text(text, encoding="utf-8")
    ran = txfuzz("execute", "--config", "w.yaml", "--out", "h.edn", "--attempts", 3)
    assert "lost-update in 3" in ran.out
    assert "append 500 1" in ran.out
    assert "w.yaml: focus_key: 'look' cannot choose key 500" in ran.err


def test_a_replay_without_micro_operations_has_no_verdict(tmp_path: Path, txfuzz: Callable[..., Ran]) -> None:
    (tmp_path / "w.yaml").write_text("""\
version: 1
database: {adapter: postgres}
workload:
  transactions: [{name: a, steps: [{sql: SELECT count(*) FROM pg_class}]}]
replay:
  transactions: [{alias: x, txn: a}, {alias: y, txn: a}]
""")
    ran = txfuzz("execute", "--config", "w.yaml", "--out", "h.edn")
    assert ran.code == 3
    assert "No verdict: no statement carries a micro-operation" in ran.out
    assert "anomalies" not in ran.out


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("[{alias: a, action: step, steps: 2}, {alias: b, action: step}]", "b had to wait and failed"),
        ("[{alias: b, action: step}, {alias: a, action: step, steps: 2}, {alias: b, action: commit}]",
         "a had to wait and failed"),
        ("[{alias: a, action: step}, {alias: b, action: step}, {alias: b, action: commit}]",
         "a failed (23505) at step 1"),
        ("[{alias: b, action: step}, {alias: b, action: commit}, {alias: a, action: step, steps: 2}]", ""),
    ],
)  # fmt: skip
def test_two_that_insert_one_row_are_said_to(server: Database, schedule: str, said: str) -> None:
    result = replayed(server, RACE + f"  schedule: {schedule}\n", "repeatable read", attempts=2)
    assert set(result.insert_races.values()) <= {2}
    assert said in " ".join(result.insert_races)
    assert bool(said) == bool(result.insert_races)
    assert json.loads(json.dumps(result.to_json()))["insert_races"] == dict(result.insert_races)
    there = "keys: {rows: inserted}\n" + RACE.replace(
        "sql: INSERT INTO {table} (key, val) VALUES (:k, ARRAY[:v])",
        "sql: UPDATE {table} SET val = val || :v WHERE key = :k",
    )
    beforehand = replayed(server, there + f"  schedule: {schedule}\n", "repeatable read")
    assert beforehand.insert_races == {}
