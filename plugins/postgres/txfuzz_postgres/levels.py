"""PostgreSQL's words for isolation levels and row locks, and what the levels promise in Elle's words."""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.plugin_api import UsageError, did_you_mean

# READ UNCOMMITTED is READ COMMITTED by another name, and REPEATABLE READ is snapshot isolation:
# https://www.postgresql.org/docs/current/transaction-iso.html
PROMISES: Mapping[str, str] = {
    "read uncommitted": "read-committed",
    "read committed": "read-committed",
    "repeatable read": "snapshot-isolation",
    "serializable": "serializable",
}
DEFAULT = "serializable"
LOCKS = frozenset({"update", "no key update", "share", "key share"})


def level(word: str) -> str:
    """The level as PROMISES spells it; capitals, hyphens and underscores do not matter."""
    found = " ".join(word.replace("-", " ").replace("_", " ").lower().split())
    if found not in PROMISES:
        raise UsageError(f"PostgreSQL has no isolation level {word!r}: {did_you_mean(found, PROMISES)}")
    return found


def lock_clause(word: str | None) -> str:
    """` FOR UPDATE` and the like, for the end of a SELECT; nothing without a lock."""
    if word is None:
        return ""
    if word not in LOCKS:
        raise UsageError(f"PostgreSQL has no row lock {word!r}: {did_you_mean(word, LOCKS)}")
    return f" FOR {word.upper()}"
