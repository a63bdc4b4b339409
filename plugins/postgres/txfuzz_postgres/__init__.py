"""PostgreSQL for txfuzz: the hooks that register what it has; imports nothing slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from txfuzz.plugin_api import hookimpl

if TYPE_CHECKING:
    from txfuzz.plugin_api import Form, KnownHole, Layout

txfuzz_api_version = (1, 0)  # of txfuzz.plugin_api


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    from txfuzz_postgres.adapter import PostgresAdapter

    return [PostgresAdapter]


@hookimpl
def txfuzz_register_faults() -> list[type]:
    from txfuzz_postgres.faults import FAULTS
    from txfuzz_postgres.replicas.faults import STANDBY_FAULTS

    return [*FAULTS, *STANDBY_FAULTS]


@hookimpl
def txfuzz_register_forms() -> list[Form]:
    from txfuzz_postgres.hunt.forms import FORMS

    return list(FORMS)


@hookimpl
def txfuzz_register_layouts() -> list[Layout]:
    from txfuzz_postgres.hunt.layouts import LAYOUTS

    return list(LAYOUTS)


@hookimpl
def txfuzz_register_known_holes() -> list[KnownHole]:
    from txfuzz_postgres.hunt.known import KNOWN

    return list(KNOWN)
