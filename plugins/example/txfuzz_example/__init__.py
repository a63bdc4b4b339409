"""The heuristic example: the hook that registers it."""

from __future__ import annotations

from txfuzz.plugin_api import hookimpl

txfuzz_api_version = (1, 0)  # of txfuzz.plugin_api


@hookimpl
def txfuzz_register_heuristics() -> list[type]:
    from txfuzz_example.heuristic import Example

    return [Example]
