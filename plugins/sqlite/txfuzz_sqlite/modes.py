"""How connections share a SQLite database, and what each way promises.

The manual (https://www.sqlite.org/isolation.html): "Except in the case of shared cache database
connections with PRAGMA read_uncommitted turned on, all transactions in SQLite show serializable
isolation." There is one writer at a time, and a reader sees the database "as it existed at the moment
in time when the read transaction started": so what has been committed before is seen by whoever begins
after, which makes it strict.
"""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.plugin_api import UsageError, did_you_mean

WAL = "wal"
JOURNAL = "rollback-journal"
SHARED_CACHE = "shared-cache"
MODES = (WAL, JOURNAL, SHARED_CACHE)

SERIALIZABLE = "serializable"
READ_UNCOMMITTED = "read uncommitted"
STRICT = "strict-serializable"

BEGINS = ("deferred", "immediate", "exclusive")


def promises(mode: str) -> Mapping[str, str]:
    """Level → model. Only connections that share a cache can read what is not committed."""
    if mode == SHARED_CACHE:
        return {READ_UNCOMMITTED: "read-uncommitted", SERIALIZABLE: STRICT}
    return {SERIALIZABLE: STRICT}


def level(mode: str, word: str) -> str:
    """The level as promises() spells it; capitals, hyphens and underscores do not matter."""
    found = " ".join(word.replace("-", " ").replace("_", " ").lower().split())
    known = promises(mode)
    if found not in known:
        raise UsageError(
            f"SQLite has no isolation level {word!r} in mode {mode}: {did_you_mean(found, known)}"
        )
    return found
