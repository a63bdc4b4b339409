"""MariaDB for txfuzz: the hook that registers the adapter; imports nothing slow."""

from __future__ import annotations

from txfuzz.plugin_api import hookimpl

txfuzz_api_version = (1, 0)  # of txfuzz.plugin_api


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    from txfuzz_mariadb.adapter import MariadbAdapter

    return [MariadbAdapter]
