"""The core's own adapter, analyzers and strategies, registered like those of any plugin."""

from __future__ import annotations

from txfuzz.plugin.hookspecs import hookimpl


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    from txfuzz.testing.memory.adapter import MemoryAdapter

    return [MemoryAdapter]


@hookimpl
def txfuzz_register_analyzers() -> list[type]:
    from txfuzz.analysis.dependencies.coverage import CoverageAnalyzer
    from txfuzz.analysis.elle import ElleAnalyzer

    return [CoverageAnalyzer, ElleAnalyzer]


@hookimpl
def txfuzz_register_strategies() -> list[type]:
    from txfuzz.feedback.strategies import BUILT_IN

    return [*BUILT_IN]
