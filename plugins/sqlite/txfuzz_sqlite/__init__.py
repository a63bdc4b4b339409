"""SQLite for txfuzz: the hook that registers the adapter; imports nothing slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from txfuzz.plugin_api import hookimpl

if TYPE_CHECKING:
    from txfuzz.plugin_api import Form, Layout

txfuzz_api_version = (1, 0)  # of txfuzz.plugin_api


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    from txfuzz_sqlite.adapter import SqliteAdapter

    return [SqliteAdapter]


@hookimpl
def txfuzz_register_forms() -> list[Form]:
    from txfuzz_sqlite.hunt.forms import FORMS

    return list(FORMS)


@hookimpl
def txfuzz_register_layouts() -> list[Layout]:
    from txfuzz_sqlite.hunt.layouts import LAYOUTS

    return list(LAYOUTS)
