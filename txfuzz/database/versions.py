"""Which versions of its database an adapter can start by itself, and how they are ordered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any, Protocol, cast, runtime_checkable

from txfuzz.database.api import Adapter
from txfuzz.errors import PluginError

_PART = re.compile(r"\d+|[a-z]+")


@dataclass(frozen=True, slots=True)
class StartableServer:
    """version: what `describe()["version"]` begins with once it runs. options: of the adapter, which make it
    start this one. about: where it was found, in words."""

    version: str
    options: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""


@runtime_checkable
class StartsVersions(Protocol):
    """An additional method of adapters with `embedded` that can start more than one version."""

    def startable(self) -> Sequence[StartableServer]:
        """The versions that it can start here, each once, oldest first; empty if there is none. Its options
        hold: they can say where to look."""


def startable_servers(adapter: Adapter) -> tuple[StartableServer, ...]:
    """Those of an adapter; empty for one that does not say. PluginError for what is none."""
    if not isinstance(adapter, StartsVersions):
        return ()
    told: object = adapter.startable()
    if not isinstance(told, Sequence) or not all(isinstance(each, StartableServer) for each in told):
        raise PluginError(
            f"adapter {adapter.name!r} gave {told!r} as the servers that it can start, expected "
            "StartableServer objects",
            adapter,
        )
    return tuple(told)


def starting(adapter: Adapter, server: StartableServer) -> Adapter:
    """The adapter that starts this one."""
    if not is_dataclass(adapter):
        raise PluginError(f"adapter {adapter.name!r} is no dataclass, so that it has no options", adapter)
    return cast(Adapter, replace(cast(Any, adapter), **server.options))


def is_version(version: str, wanted: str) -> bool:
    """Whether a version is the wanted one, or one of its minor versions: "15.18" is "15"."""
    return version == wanted or version.startswith(f"{wanted}.")


def version_order(version: str) -> tuple[tuple[int, int | str], ...]:
    """For sorting, from old to new: "9.6" < "10.1" < "10.11"; "18rc1" < "18", as of a release."""
    parts = _PART.findall(version.lower())
    numbers = [(1, int(part)) if part.isdigit() else (-1, part) for part in parts]
    return (*numbers, (0, 0))
