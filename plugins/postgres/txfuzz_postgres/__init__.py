"""PostgreSQL for txfuzz: the hooks that register the adapter and the faults; imports nothing slow."""

from __future__ import annotations

from txfuzz.plugin_api import hookimpl

txfuzz_api_version = (1, 0)  # of txfuzz.plugin_api


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    from txfuzz_postgres.adapter import PostgresAdapter

    return [PostgresAdapter]


@hookimpl
def txfuzz_register_faults() -> list[type]:
    from txfuzz_postgres.faults import FAULTS

    return list(FAULTS)
