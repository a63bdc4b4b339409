"""PostgreSQL for txfuzz: the hook that hands over the adapter, and nothing that costs time to import."""

from __future__ import annotations

from txfuzz import hookimpl


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    from txfuzz_postgres.adapter import PostgresAdapter

    return [PostgresAdapter]
