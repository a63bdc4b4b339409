"""DuckDB for txfuzz: the hooks that register the adapter and what to hunt with; imports nothing slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from txfuzz.plugin_api import hookimpl

if TYPE_CHECKING:
    from txfuzz.plugin_api import Form, Layout

txfuzz_api_version = (1, 0)  # of txfuzz.plugin_api


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    from txfuzz_duckdb.adapter import DuckdbAdapter

    return [DuckdbAdapter]


@hookimpl
def txfuzz_register_forms() -> list[Form]:
    from txfuzz_duckdb.hunt.forms import FORMS

    return list(FORMS)


@hookimpl
def txfuzz_register_layouts() -> list[Layout]:
    from txfuzz_duckdb.hunt.layouts import LAYOUTS

    return list(LAYOUTS)
