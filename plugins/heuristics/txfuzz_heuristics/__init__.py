"""The default heuristics of txfuzz: the hook that registers them."""

from __future__ import annotations

from txfuzz.plugin_api import hookimpl

txfuzz_api_version = (1, 0)  # of txfuzz.plugin_api


@hookimpl
def txfuzz_register_heuristics() -> list[type]:
    from txfuzz_heuristics.hot_keys import HotKeys
    from txfuzz_heuristics.mix import Mix
    from txfuzz_heuristics.scheduling import Scheduling
    from txfuzz_heuristics.schema_init import SchemaInit

    return [HotKeys, Mix, Scheduling, SchemaInit]
