"""SQLite for txfuzz: the hook that hands over the adapter, and nothing slow to import."""

from __future__ import annotations

from txfuzz import hookimpl


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    from txfuzz_sqlite.adapter import SqliteAdapter

    return [SqliteAdapter]
