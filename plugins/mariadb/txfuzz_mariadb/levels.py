"""MariaDB's words for isolation levels and locking reads, and what the levels promise in Elle's words."""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.plugin_api import UsageError, did_you_mean

REPEATABLE_READ = "repeatable read"
# The manual names the four levels of the SQL standard and claims no more: so REPEATABLE READ is held to
# the standard's own level of that name, in Adya's reading (PL-2.99).
# https://mariadb.com/kb/en/set-transaction/#isolation-level
PROMISES: Mapping[str, str] = {
    "read uncommitted": "read-uncommitted",
    "read committed": "read-committed",
    REPEATABLE_READ: "repeatable-read",
    "serializable": "serializable",
}
# https://mariadb.com/kb/en/innodb-system-variables/#innodb_snapshot_isolation
WITH_SNAPSHOTS = "snapshot-isolation"
DEFAULT = "serializable"
LOCKS: Mapping[str, str] = {"update": " FOR UPDATE", "share": " LOCK IN SHARE MODE"}


def promises(*, innodb_snapshot_isolation: bool) -> Mapping[str, str]:
    """Level → model."""
    return {**PROMISES, REPEATABLE_READ: WITH_SNAPSHOTS} if innodb_snapshot_isolation else PROMISES


def level(word: str) -> str:
    """The level as PROMISES spells it; capitals, hyphens and underscores do not matter."""
    found = " ".join(word.replace("-", " ").replace("_", " ").lower().split())
    if found not in PROMISES:
        raise UsageError(f"MariaDB has no isolation level {word!r}: {did_you_mean(found, PROMISES)}")
    return found


def lock_clause(word: str | None) -> str:
    """` FOR UPDATE` and the like, for the end of a SELECT; nothing without a lock."""
    if word is None:
        return ""
    if word not in LOCKS:
        raise UsageError(f"MariaDB has no locking read {word!r}: {did_you_mean(word, LOCKS)}")
    return LOCKS[word]
