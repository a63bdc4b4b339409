"""Any database that SQLAlchemy knows: the hook that registers the adapter; imports nothing slow."""

from __future__ import annotations

from txfuzz.plugin_api import hookimpl

txfuzz_api_version = (1, 0)  # of txfuzz.plugin_api


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    from txfuzz_sqlalchemy.adapter import SqlalchemyAdapter

    return [SqlalchemyAdapter]
