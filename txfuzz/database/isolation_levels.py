"""Checks what adapters return, and finds isolation levels by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from txfuzz.common.secrets import SecretText
from txfuzz.database.api import Adapter, Capabilities, Database, MakesRoom
from txfuzz.database.schemes import refuse_foreign_scheme
from txfuzz.errors import PluginError, UsageError, did_you_mean


def capabilities_of(adapter: Adapter) -> Capabilities:
    """The capabilities of the adapter. PluginError if they are invalid."""
    told: object = adapter.capabilities()
    if not isinstance(told, Capabilities) or told.default_isolation not in told.isolation:
        raise PluginError(
            f"adapter {adapter.name!r} gave {told!r} as its capabilities, "
            "expected txfuzz.Capabilities whose default level is one of its levels",
            adapter,
        )
    return told


def open_database(adapter: Adapter, url: str | None, clients: int = 0) -> Database:
    """An open database of the adapter; PluginError if it is invalid, UsageError for a URL whose scheme is
    another adapter's. clients: to make room for."""
    refuse_foreign_scheme(adapter, url)
    if url is None and isinstance(adapter, MakesRoom):
        adapter = adapter.with_room_for(clients)
    url = None if url is None else SecretText(url)
    opened: object = adapter.open(url)
    if not all(hasattr(opened, name) for name in ("__enter__", "__exit__", "prepare", "session")):
        raise PluginError(
            f"adapter {adapter.name!r} returned {opened!r} from open(), expected a database", adapter
        )
    return cast(Database, opened)


def level_named(capabilities: Capabilities, word: str) -> str:
    """The level as the adapter spells it; case, hyphens and underscores are ignored.

    Raises UsageError for an unknown level.
    """
    return level_among(word, capabilities.isolation, "no isolation level")


def level_among(word: str, levels: Collection[str], unknown: str) -> str:
    """The same, among these levels. unknown: the beginning of the error message."""
    plain = _plain(word)
    if plain in levels:
        return plain
    for level in levels:
        if _plain(level) == plain:
            return level
    raise UsageError(f"{unknown} {word!r}: {did_you_mean(plain, levels)}")


def _plain(word: str) -> str:
    return " ".join(word.replace("-", " ").replace("_", " ").lower().split())
