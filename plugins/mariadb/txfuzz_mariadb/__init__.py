"""MariaDB for txfuzz: the hook that registers the adapter; imports nothing slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from txfuzz.plugin_api import hookimpl

if TYPE_CHECKING:
    from txfuzz.plugin_api import Form, KnownHole, Layout

txfuzz_api_version = (1, 0)  # of txfuzz.plugin_api


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    from txfuzz_mariadb.adapter import MariadbAdapter

    return [MariadbAdapter]


@hookimpl
def txfuzz_register_forms() -> list[Form]:
    from txfuzz_mariadb.hunt.forms import FORMS

    return list(FORMS)


@hookimpl
def txfuzz_register_layouts() -> list[Layout]:
    from txfuzz_mariadb.hunt.layouts import LAYOUTS

    return list(LAYOUTS)


@hookimpl
def txfuzz_register_known_holes() -> list[KnownHole]:
    from txfuzz_mariadb.hunt.known import KNOWN

    return list(KNOWN)
