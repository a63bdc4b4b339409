"""The core's own adapter and analyzer, registered like those of any plugin."""

from __future__ import annotations

from txfuzz.plugin.hookspecs import hookimpl


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    from txfuzz.testing.memory.adapter import MemoryAdapter

    return [MemoryAdapter]


@hookimpl
def txfuzz_register_analyzers() -> list[type]:
    from txfuzz.analysis.elle import ElleAnalyzer

    return [ElleAnalyzer]
