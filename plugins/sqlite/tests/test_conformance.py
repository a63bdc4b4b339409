"""The SQLite adapter passes the public conformance tests, in each of its modes."""

from __future__ import annotations

from typing import ClassVar

from txfuzz.testing import AdapterConformance, ScenarioConformance
from txfuzz_sqlite.adapter import SqliteAdapter


class TestWal(AdapterConformance):
    adapter = SqliteAdapter


class TestRollbackJournal(AdapterConformance):
    adapter = SqliteAdapter(mode="rollback-journal", append="update-else-insert", tables=3)


class TestSharedCache(AdapterConformance):
    adapter = SqliteAdapter(mode="shared-cache")
    shows: ClassVar = {"read uncommitted": ("G1a", "G1b")}


class Scenarios(ScenarioConformance):
    numbered = "id INTEGER PRIMARY KEY AUTOINCREMENT"
    triggers = (
        "CREATE TABLE audit (name varchar(40))",
        "CREATE TRIGGER noted AFTER INSERT ON people BEGIN INSERT INTO audit VALUES (NEW.name); END",
    )


class TestScenariosInWal(Scenarios):
    adapter = SqliteAdapter


class TestScenariosInRollbackJournal(Scenarios):
    adapter = SqliteAdapter(mode="rollback-journal")


class TestScenariosThatBeginAtOnce(Scenarios):
    adapter = SqliteAdapter(begin="immediate")


class TestScenariosInSharedCache(Scenarios):
    adapter = SqliteAdapter(mode="shared-cache")
    shows: ClassVar = {"read uncommitted": ()}
