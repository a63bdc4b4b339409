"""The SQLite adapter passes the public conformance tests, in each of its modes."""

from __future__ import annotations

from typing import ClassVar

from txfuzz.testing import AdapterConformance
from txfuzz_sqlite.adapter import SqliteAdapter


class TestWal(AdapterConformance):
    adapter = SqliteAdapter


class TestRollbackJournal(AdapterConformance):
    adapter = SqliteAdapter(mode="rollback-journal", append="update-else-insert", tables=3)


class TestSharedCache(AdapterConformance):
    adapter = SqliteAdapter(mode="shared-cache")
    shows: ClassVar = {"read uncommitted": ("G1a", "G1b")}
