"""The heuristic example: the hook that hands it over."""

from __future__ import annotations

from txfuzz import hookimpl


@hookimpl
def txfuzz_register_heuristics() -> list[type]:
    from txfuzz_example.heuristic import Example

    return [Example]
