"""A finding on MariaDB as a minimal SQL script, which shows what it says when typed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mariadb_server import needs_mariadb
from project_fixtures import Ran
from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Script, ScriptLine
from txfuzz.transactions.model import Step
from txfuzz_mariadb.adapter import MariadbAdapter
from txfuzz_mariadb.protocol.connection import Link
from txfuzz_mariadb.protocol.url import Target
from txfuzz_mariadb.scripts import write_script
from txfuzz_mariadb.server.launcher import launch

WORKLOAD = """\
version: 1
name: skew
database: {adapter: mariadb, isolation: repeatable read, innodb_snapshot_isolation: true}
expect: serializable
workload:
  transactions:
    - name: first
      steps: [{f: r, key: 1}, {f: r, key: 2}, {f: append, key: 1}]
    - name: second
      steps: [{f: r, key: 1}, {f: r, key: 2}, {f: append, key: 2}]
scheduling: {clients: 6, transactions: 400}
"""
# A line of a script: session, SQL, and what the line below says that it shows
TYPED = re.compile(r"^ */\* (\w+) +\*/ (.*;)$(?:\n +-- shows (.*)$)?", re.MULTILINE)


@needs_mariadb
@pytest.mark.server
@pytest.mark.slow
def test_the_script_shows_what_it_says(tmp_path: Path, txfuzz: Callable[..., Ran]) -> None:
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    ran = txfuzz("run", "--config", "w.yaml", "--iterations", "1", "--output-dir", "run")
    assert ran.code == 1, ran.err
    assert txfuzz("shrink", "--exit-code", "run", "--findings", "1").code == 1
    (folder,) = (tmp_path / "run" / "findings").iterdir()
    text = (folder / "repro.sql").read_text()
    assert "SET SESSION innodb_snapshot_isolation = ON" in text
    shown = 0
    with launch() as server:
        target = Target("", unix_socket=str(server.socket), parameters={"user": server.user})
        maker = Link(target)
        maker.run("CREATE DATABASE here")
        sessions: dict[str, Link] = {}
        for session, sql, shows in TYPED.findall(text):
            if session not in sessions:
                sessions[session] = Link(target, "here")
            link = sessions[session]
            answer = link.run(sql)
            if shows:
                seen = answer.row[0] if answer.row else ""
                assert (seen or "nothing") == shows
                shown += 1
        for link in (maker, *sessions.values()):
            link.close()
    assert set(sessions) == {"setup", "t1", "t2", "after"}
    assert shown >= 2


def test_the_words_of_a_script() -> None:
    lines = (
        ScriptLine("a", "step", BoundStep(Step("r"), "r", 1), begins=True, saw=()),
        ScriptLine("a", "step", BoundStep(Step("append"), "append", 2, 7)),
        ScriptLine(
            "b", "step", BoundStep(Step("append"), "append", 1, 8), begins=True, blocked=True, code="1020"
        ),
        ScriptLine("a", "step", BoundStep(Step("r", lock="share"), "r", 1), saw=(5, 6)),
        ScriptLine("a", "step", BoundStep(Step(None, sql="DO 7 % :n"), None, args={"n": 3})),
        ScriptLine("a", "commit"),
    )
    script = Script(
        "two of them", Kind.LIST_APPEND, "repeatable read", lines, (1, 2), (1,), ("a missed what b wrote",)
    )
    text = write_script(script, MariadbAdapter(append="update-else-insert"))
    table, second = "txfuzz_list_append", " " * 40
    assert text.splitlines() == [
        "-- two of them",
        "-- Open 2 mariadb windows, one for each of a, b, and enter the lines",
        "-- in this order, each in the window that its label names. Below each line stands what it shows.",
        "",
        f"/* setup */ CREATE TABLE {table} (`key` bigint NOT NULL PRIMARY KEY, "
        "val longtext CHARACTER SET ascii COLLATE ascii_bin NOT NULL) ENGINE=InnoDB;",
        f"/* setup */ INSERT INTO {table} VALUES (1, '');",
        "",
        "/* a     */ SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;",
        "/* a     */ SET SESSION innodb_snapshot_isolation = OFF;",
        "/* a     */ START TRANSACTION;",
        f"/* a     */ SELECT val FROM {table} WHERE `key` = 1;",
        "            -- shows nothing",
        f"/* a     */ INSERT INTO {table} (`key`, val) VALUES (2, CONCAT(7, ',')) "
        "ON DUPLICATE KEY UPDATE val = CONCAT(val, 7, ',');",
        f"{second}/* b     */ SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;",
        f"{second}/* b     */ SET SESSION innodb_snapshot_isolation = OFF;",
        f"{second}/* b     */ START TRANSACTION;",
        f"{second}/* b     */ UPDATE {table} SET val = CONCAT(val, 8, ',') WHERE `key` = 1;",
        f"{second}            -- fails: 1020",
        f"/* a     */ SELECT val FROM {table} WHERE `key` = 1 LOCK IN SHARE MODE;",
        "            -- shows 5,6,",
        "/* a     */ DO 7 % 3;",
        "/* a     */ COMMIT;",
        "",
        f"/* after */ SELECT val FROM {table} WHERE `key` = 1;",
        f"/* after */ SELECT val FROM {table} WHERE `key` = 2;",
        f"/* after */ DROP TABLE {table};",
        "",
        "-- Why this is wrong:",
        "-- a missed what b wrote",
    ]
