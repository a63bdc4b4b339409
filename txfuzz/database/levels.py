"""Isolation levels by the words of their database."""

from __future__ import annotations

from txfuzz.database.port import Capabilities
from txfuzz.errors import UsageError, did_you_mean


def level_named(capabilities: Capabilities, word: str) -> str:
    """The level as the adapter spells it; capitals, hyphens and underscores do not matter.

    Raises UsageError for a level that the database does not have.
    """
    plain = _plain(word)
    for level in capabilities.isolation:
        if _plain(level) == plain:
            return level
    raise UsageError(f"no isolation level {word!r}: {did_you_mean(word.lower(), capabilities.isolation)}")


def _plain(word: str) -> str:
    return " ".join(word.replace("-", " ").replace("_", " ").lower().split())
