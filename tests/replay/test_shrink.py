"""Findings made small on a real server, down to the known minima, and the folders that are left."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from project_fixtures import Ran
from replay_server import read, server, shipped
from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.result import Anomaly, Edge, TransactionView
from txfuzz.campaign.directory.finding_folder import signatures_in
from txfuzz.campaign.shrink import ShrinkSettings, shrink_findings
from txfuzz.common.kind import Kind
from txfuzz.database.api import Database, WritesScripts
from txfuzz.errors import UsageError
from txfuzz.execution.run import execute
from txfuzz.history.reader import read_history
from txfuzz.replay.judge import Judge
from txfuzz.replay.reductions import Shape, tidy
from txfuzz.replay.replayer import Replayer
from txfuzz.replay.reproducer import reproducer_mark
from txfuzz.replay.schedule.replay_workload import order_of, roles_of
from txfuzz.replay.shrink import OutOfTime, shrink
from txfuzz.replay.signature import Signature, signature_of
from txfuzz.replay.stepper.logical_keys import script_of, with_logical_keys
from txfuzz.workload.yaml.writer import workload_text

__all__ = ["server"]
Cli = Callable[..., Ran]


def iteration(database: Database, place: Path, name: str, isolation: str) -> Path:
    """What an iteration of a campaign leaves behind."""
    assembled = shipped(name, isolation)
    place.mkdir(parents=True)
    (place / "workload.yaml").write_text(workload_text(assembled.workload))
    execute(assembled.workload, database, place / "history.edn", isolation=isolation, fresh=False)
    return place


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize(
    ("name", "isolation", "anomaly", "steps"),
    [
        ("lost_update", "read committed", "lost-update", [2, 2]),
        ("write_skew", "repeatable read", "G2-item", [2, 2]),
        ("read_only_anomaly", "repeatable read", "G2-item", [1, 2, 2]),
    ],
)
def test_the_known_minima_are_reached(
    server: Database, tmp_path: Path, name: str, isolation: str, anomaly: str, steps: list[int]
) -> None:
    place = iteration(server, tmp_path / "run" / "iter_00", name, isolation)
    progress: list[str] = []
    found = shrink_findings(ShrinkSettings(place, most=2), progress=progress.append)
    finding = next(each for each in found if each.signature.anomaly == anomaly)
    assert finding.shrunk is not None
    assert sorted(len(role.transaction.steps) for role in finding.shrunk.after.roles) == steps
    assert finding.shrunk.after.size <= finding.shrunk.before.size
    assert not finding.shrunk.cut
    assert any(line.startswith(f"{anomaly} (") or line.startswith(anomaly) for line in progress)
    folder = tmp_path / "run" / "findings" / finding.signature.name
    assert finding.directory == folder
    assert {path.name for path in folder.iterdir()} == {
        "README.md", "replay.yaml", "repro.sql", "repro.spec", "repro.out", "history.edn", "cycle.png",
        "finding.json",
    }  # fmt: skip
    assert "isolationtester ran repro.spec: every read returned" in finding.remark
    assert (folder / "cycle.png").read_bytes().startswith(b"\x89PNG")
    assert anomaly in analyze_history(read_history(folder / "history.edn"), "serializable").anomaly_types
    readme = (folder / "README.md").read_text()
    assert readme.splitlines()[0].endswith(f" ({anomaly}) at {isolation.upper()}")
    assert "this is not a database bug" in readme
    assert "T1" not in readme
    told = json.loads((folder / "finding.json").read_text())
    assert told["count"] == sum(told["seen"].values()) == finding.count >= 1
    sql = (folder / "repro.sql").read_text()
    assert sql.count("BEGIN ISOLATION LEVEL") == len(steps)
    assert all(f"/* t{at + 1}" in sql for at in range(len(steps)))


@pytest.mark.server
@pytest.mark.slow
def test_the_replay_of_a_finding_can_be_followed_and_shrunk(
    server: Database, tmp_path: Path, txfuzz: Cli
) -> None:
    place = iteration(server, tmp_path / "run" / "iter_00", "write_skew", "repeatable read")
    ran = txfuzz("shrink", "--exit-code", place, "--findings", 1, "--attempts", 3)
    assert ran.code == 1
    assert "2 transactions, 4 steps, 2 keys" in ran.out
    assert "2 transactions, 6 steps" in ran.err  # progress
    (folder,) = (tmp_path / "run" / "findings").iterdir()
    assert (
        txfuzz(
            "execute", "--exit-code", "--config", folder / "replay.yaml", "--out", "h.edn", "--attempts", 10
        ).code
        == 1
    )
    assert txfuzz("analyze", "h.edn", "--skip-graph").code == 1
    again = txfuzz("shrink", "--exit-code", folder / "replay.yaml", "--output-dir", "again", "-q")
    assert again.code == 1
    assert "2 transactions, 4 steps, 2 keys" in again.out
    assert [each.name for each in Path("again").iterdir()] == [folder.name]
    higher = txfuzz("shrink", "--exit-code", folder / "replay.yaml", "--isolation", "serializable", "-q")
    assert (higher.code, higher.out) == (0, "nothing found: no anomaly contradicts the expected model\n")


@pytest.mark.server
@pytest.mark.slow
def test_findings_of_one_signature_fall_into_one_bucket(server: Database, tmp_path: Path) -> None:
    for number in range(2):
        iteration(server, tmp_path / f"iter_{number:02d}", "read_skew", "read committed")
    (first,) = shrink_findings(ShrinkSettings(tmp_path, most=1))
    assert first.directory is not None
    seen = json.loads((first.directory / "finding.json").read_text())["seen"]
    assert set(seen) == {"iter_00", "iter_01"}
    (alone,) = shrink_findings(ShrinkSettings(tmp_path / "iter_01", most=1))
    assert alone.directory == first.directory
    assert alone.count == first.count


@pytest.mark.server
def test_raw_steps_and_locks_are_shrunk_too(server: Database) -> None:
    text = """\
version: 1
database: {adapter: postgres, isolation: repeatable read}
workload:
  transactions:
    - name: raw
      steps:
        - {f: r, lock: key share, key: {choice: {from: [7]}, as: a}}
        - sql: SAVEPOINT here
        - sql: SELECT val FROM {table} WHERE key = :k
          args: {k: {ref: a}}
          elle: {f: r, key: k}
        - sql: UPDATE {table} SET val = val || :v WHERE key = :k
          args: {k: {choice: {from: [9]}}, v: {new: value}}
          elle: {f: append, key: k, value: v}
    - name: other
      steps: [{f: r, key: 9}, {f: append, key: 7}]
keys: {rows: inserted}
replay:
  transactions: [{alias: x, txn: other}, {alias: y, txn: raw}]
  schedule:
    - {alias: x, action: step}
    - {alias: y, action: step, steps: 4}
    - {alias: x, action: step}
    - {alias: y, action: commit}
"""
    workload = read(text).workload
    with Replayer(server, Kind.LIST_APPEND, "repeatable read") as player:
        judge = Judge("serializable", "repeatable read")
        (signature,) = judge.judge(player.prepare(workload).run()).signatures
        shrunk = shrink(player, workload, signature, "serializable", attempts=2)
    assert shrunk is not None
    assert sorted(len(role.transaction.steps) for role in shrunk.after.roles) == [2, 2]
    assert shrunk.after.size[2:4] == (2, 0)
    assert {key for role in shrunk.after.roles for key in (1, 2)} == set(shrunk.workload.logical_keys())


@pytest.mark.server
def test_what_does_not_recur_is_not_shrunk(server: Database) -> None:
    workload = shipped("lost_update").workload
    text = workload_text(workload) + (
        "replay:\n  transactions: [{alias: a, txn: read_append}, {alias: b, txn: read_append}]\n"
        "  schedule: [{alias: a, action: step, steps: 0}, {alias: a, action: commit}]\n"
    )
    signature = Signature("lost-update", (), ("read_append", "read_append"), "read committed")
    with Replayer(server, Kind.LIST_APPEND, "read committed") as player:
        assert shrink(player, read(text).workload, signature, "serializable", attempts=2) is None
        with pytest.raises(OutOfTime):
            shrink(player, read(text).workload, signature, "serializable", attempts=2, seconds=0)


@pytest.mark.server
def test_the_budget_is_kept(server: Database, tmp_path: Path) -> None:
    place = iteration(server, tmp_path / "iter_00", "write_skew", "repeatable read")
    (finding,) = shrink_findings(ShrinkSettings(place, most=1, seconds=0.05))
    if finding.shrunk is None:
        assert finding.reason.startswith("the time limit of 0.05 s (--budget) was reached before 5 attempts")
    else:
        assert finding.shrunk.cut
        assert "time ran out" in (tmp_path / "findings" / finding.signature.name / "README.md").read_text()


def test_nothing_to_shrink_is_said(tmp_path: Path, txfuzz: Cli) -> None:
    with pytest.raises(UsageError, match="is neither a replay file nor a directory"):
        shrink_findings(ShrinkSettings(tmp_path))
    assert txfuzz("shrink", "--exit-code", "nowhere").code == 2


def anomaly(around: Iterable[tuple[str, int]], templates: dict[int, str]) -> Anomaly:
    edges = list(around)
    views = tuple(TransactionView(row, row, 0, templates[row]) for _, row in edges)
    cycle = tuple(Edge(kind, row, edges[(at + 1) % len(edges)][1], 1) for at, (kind, row) in enumerate(edges))
    return Anomaly("G2-item", views, "", "", cycle)


def test_a_signature_has_no_beginning() -> None:
    templates = {5: "look", 6: "write", 7: "look"}
    around = [("rw", 5), ("wr", 6), ("rw", 7)]
    turned = [signature_of(anomaly(around[at:] + around[:at], templates), "rr") for at in range(3)]
    assert len(set(turned)) == 1
    assert turned[0].kinds == ("rw", "rw", "wr")
    other = signature_of(anomaly(around, {5: "look", 6: "look", 7: "write"}), "rr")
    assert other != turned[0]
    assert other.name != turned[0].name
    assert signature_of(anomaly(around, {5: "a", 6: "write", 7: "a"}), "rr", {"a": "look"}) == turned[0]


def test_tidied_sessions_and_keys_come_in_order() -> None:
    text = """\
version: 1
workload:
  transactions:
    - {name: one, steps: [{f: r, key: 40}, {f: append, key: 30}]}
    - {name: two, steps: [{f: append, key: 40}]}
replay:
  transactions: [{alias: zoe, txn: two}, {alias: bob, txn: one}]
  schedule: [{alias: bob, action: step}, {alias: zoe, action: step}, {alias: bob, action: step}]
"""
    workload = read(text + "database: {adapter: postgres}\n").workload
    shape = tidy(Shape(roles_of(workload), order_of(workload)))
    assert [role.alias for role in shape.roles] == ["t1", "t2"]
    assert shape.order == (("t1", 0), ("t2", 0), ("t1", 1), ("t2", 1), ("t1", 2))
    assert [role.accesses for role in shape.roles] == [((("r", 1),), (("w", 2),)), ((("w", 1),),)]
    assert shape.size == (2, 3, 2, 0, 4)


CROSSWISE = """\
version: 1
database: {adapter: postgres}
workload:
  transactions:
    - {name: one, steps: [{f: r, key: 4}, {f: append, key: 3}]}
    - {name: two, steps: [{f: r, key: 3}, {f: append, key: 4}]}
replay:
  transactions: [{alias: zoe, txn: one}, {alias: bob, txn: two}]
  schedule: SCHEDULE
"""
ONE_BY_ONE = "[{alias: zoe, action: step, steps: 2}, {alias: bob, action: step, steps: 2}]"


def mark(schedule: str = ONE_BY_ONE, anomaly: str = "G2-item", **other: str) -> str:
    text = CROSSWISE.replace("SCHEDULE", schedule)
    for word, instead in other.items():
        text = text.replace({"rows": "workload:", "keys": "key: 4"}.get(word, word), instead)
    workload = read(text).workload
    shape = Shape(roles_of(workload), order_of(workload))
    return reproducer_mark(shape, workload, Signature(anomaly, (), (), "repeatable read"))


def test_reproducers_are_the_same_whatever_they_are_called() -> None:
    same = mark()
    assert mark(zoe="anna", bob="zoe") == same
    assert mark(keys="key: 9") == same
    assert mark(one="alone", two="another") == same
    bob_first = (
        "[{alias: bob, action: step, steps: 2}, {alias: zoe, action: step, steps: 2}, "
        "{alias: bob, action: commit}]"
    )
    assert mark(bob_first) == same  # crosswise: either may be the first
    reads_first = (
        "[{alias: zoe, action: step}, {alias: bob, action: step, steps: 2}, {alias: zoe, action: step}]"
    )
    assert mark(reads_first) != same  # bob may see what zoe appended, or not
    by_turns = "[" + ", ".join(f"{{alias: {name}, action: step}}" for name in ("zoe", "bob") * 2) + "]"
    assert mark(by_turns) == mark(reads_first)  # an append to the one key, and one to the other
    commits_first = (
        "[{alias: zoe, action: step, steps: 2}, {alias: zoe, action: commit}, {alias: bob, action: step}]"
    )
    assert mark(commits_first) != same  # bob sees it
    assert mark(rows="keys: {rows: inserted}\nworkload:") != same
    assert mark(ONE_BY_ONE, "G2-item", append="r") != same
    assert mark(reads_first, "G2-item-realtime") != mark(by_turns, "G2-item-realtime")


@pytest.mark.server
@pytest.mark.slow
def test_anomalies_that_shrink_to_the_same_are_one_finding(tmp_path: Path, txfuzz: Cli) -> None:
    assert txfuzz("run", "--workload", "lost_update", "--iterations", 1, "--output-dir", "run").code == 1
    before = different(page(txfuzz))
    ran = txfuzz("shrink", "--exit-code", "run", "--findings", 2)  # those of two transactions
    assert ran.code == 1
    (folder,) = (tmp_path / "run" / "findings").iterdir()
    assert folder.name.startswith("lost-update_")
    assert f"the same reproducer as in run/findings/{folder.name}" in ran.err
    assert "1 more anomaly shrank to the same reproducer (G-single-item)" in ran.out
    told = json.loads((folder / "finding.json").read_text())
    assert [each["anomaly"] for each in told["anomalies"]] == ["lost-update", "G-single-item"]
    assert told["count"] == sum(each["count"] for each in told["anomalies"]) == told["seen"]["iter_00"]
    readme = (folder / "README.md").read_text()
    assert "It represents 2 anomalies, all of which shrank to it" in readme
    assert "- G-single-item (rw ww) between read_append, read_append, seen" in readme

    shown = page(txfuzz)
    assert different(shown) == before - 1
    stands = "It represents 1 more anomaly, which shrank to the same reproducer: G-single-item between"
    assert stands in shown
    for form in ("markdown", "junit"):
        text = txfuzz("report", "--exit-code", "run", "--format", form).out
        assert text.count(stands) == 1
    for accepted, code in (("[lost-update]", 1), ("[lost-update, G-single-item]", 0)):
        (tmp_path / "known.yaml").write_text(
            "version: 1\nexpected:\n  - {adapter: postgres, isolation: read committed, expect: serializable, "
            f"anomalies: {accepted}}}\n"
        )
        ran = txfuzz("report", "--exit-code", "run", "--format", "markdown", "--baseline", "known.yaml")
        assert ran.code == code
        assert ("New, not in the baseline: G-single-item" in ran.out) == bool(code)
    noted = txfuzz("report", "--exit-code", "run", "--format", "junit", "--write-baseline", "noted.yaml")
    assert "recorded in noted.yaml: G-single-item, lost-update" in noted.err

    again = txfuzz(
        "shrink", "--exit-code", "run", "-q", "--findings", 2
    )  # and found again in the folder that is there
    assert again.code == 1
    assert [each.name for each in (tmp_path / "run" / "findings").iterdir()] == [folder.name]
    assert json.loads((folder / "finding.json").read_text())["count"] == told["count"]


def page(txfuzz: Cli) -> str:
    txfuzz("report", "--exit-code", "run", "--out", "report.html")
    return Path("report.html").read_text()


def different(shown: str) -> int:
    (found,) = re.findall(r"(\d+) different anomal", shown)
    return int(found)


def test_folders_of_others_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "finding.json"
    assert signatures_in(path) == ()
    for spoilt in (
        "{",
        "[]",
        "{}",
        '{"anomalies": [3, {"anomaly": "G0"}]}',
        '{"anomalies": 3}',
        '{"seen": []}',
    ):
        path.write_text(spoilt)
        assert signatures_in(path) == ()
    kept = {"anomaly": "G0", "kinds": ["ww"], "templates": ["a"], "isolation": "i", "seen": {"r": 2}}
    path.write_text(json.dumps({"reproducer": "x", "anomalies": [kept]}))
    assert signatures_in(path) == (Signature("G0", ("ww",), ("a",), "i"),)


# A line of a script: session, SQL, and what the line below says that it shows
TYPED = re.compile(r"^ */\* (\w+) +\*/ (.*;)$(?:\n +-- shows (.*)$)?", re.MULTILINE)


@pytest.mark.server
def test_the_psql_script_shows_what_it_says(server: Database, tmp_path: Path) -> None:
    """Every line typed into the session that its label names."""
    import psycopg

    place = iteration(server, tmp_path / "iter_00", "read_only_anomaly", "repeatable read")
    (finding,) = shrink_findings(ShrinkSettings(place, most=1))
    assert finding.directory is not None
    sessions: dict[str, psycopg.Connection[tuple[object, ...]]] = {}
    shown = 0
    text = (finding.directory / "repro.sql").read_text()
    assert "-- Why this is wrong:\n-- " in text
    assert text.endswith("a contradiction!\n")
    for session, sql, shows in TYPED.findall(text):
        if session not in sessions:
            url = server.describe()["url"]
            sessions[session] = psycopg.connect(url, autocommit=True)
        row = sessions[session].execute(sql.encode())
        if shows:
            (value,) = row.fetchone() or (None,)
            assert isinstance(value, list)
            assert "{" + ",".join(map(str, value)) + "}" == shows
            shown += 1
    for connection in sessions.values():
        connection.close()
    assert set(sessions) == {"setup", "t1", "t2", "t3", "after"}
    assert shown >= 3


@pytest.mark.server
def test_a_script_of_fresh_rows_and_failures(server: Database) -> None:
    """Rows that do not exist yet, a wait, and a transaction that the database refuses."""
    assert isinstance(server, WritesScripts)
    text = """\
version: 1
database: {adapter: postgres, isolation: repeatable read}
workload:
  transactions:
    - {name: one, steps: [{f: r, key: 1}, {f: append, key: 1}]}
replay:
  transactions: [{alias: a, txn: one}, {alias: b, txn: one}]
  pause_after: {a: 2, b: 2}
"""
    workload = read(text).workload
    with Replayer(server, Kind.LIST_APPEND, "repeatable read") as player:
        attempt = with_logical_keys(player.prepare(workload).run())
    assert {end.type for end in attempt.outcomes.values()} == {"ok", "fail"}
    script = script_of(attempt, "two inserts", Kind.LIST_APPEND, "repeatable read", "fresh")
    scripts = server.scripts(script)
    assert "fails: 23505" in scripts["repro.sql"].text
    assert "INSERT INTO txfuzz_list_append SELECT 1, ARRAY[1]" in scripts["repro.sql"].text
    assert "teardown { ROLLBACK; }" in scripts["repro.spec"].text
    more, remark = server.try_scripts(script, scripts)
    assert "every read returned" in remark
    assert "<waiting ...>" in more["repro.out"].text
