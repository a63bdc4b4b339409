"""What a step of a transaction has read and changed, told by the locks that its server process holds.

Whatever a statement touches, by way of views, triggers, functions and foreign keys too, it locks the table
for, and keeps that lock until the transaction ends; sequences and advisory locks likewise. So the locks
held before and after a step tell the tables that it can have touched: too many, since what earlier steps
have touched cannot be told from it, but never too few.

The names of Accesses: "A" is what is written to table A and not committed, "A committed" what is committed,
and SNAPSHOT the moment of a commit, by which snapshots differ. A plain read waits for no write and sees none
before its commit (below SERIALIZABLE, where it leaves locks by which conflicts are told), a write meets other
writes, and a commit settles all that it has written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGconn

from txfuzz.plugin_api import Accesses

SNAPSHOT = "snapshot"
NAME = b"txfuzz_held"
INT4 = 23  # oid
FIRST_OF_USERS = 16384  # oids below are the catalogue's
QUERY = (
    b"SELECT locktype, mode, coalesce(relation, 0), coalesce(classid, 0), coalesce(objid, 0) "
    b"FROM pg_lock_status() WHERE pid = $1 AND granted"
)
# Where a lock on a table does not tell all: checks at COMMIT, tables of other servers, functions of any kind
_DEFERRED = """
SELECT EXISTS (SELECT FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
               WHERE t.tgdeferrable AND c.relnamespace = to_regnamespace(%s)),
       EXISTS (SELECT FROM pg_class WHERE relkind = 'f')
"""
_FUNCTIONS = """
SELECT l.lanname, p.prosrc FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace IN (to_regnamespace(%s), to_regnamespace('public'))
"""
_READ, _ALL, _SERIALIZABLE = "AccessShareLock", "AccessExclusiveLock", "SIReadLock"
# What looks past the rows: physical places, the server's own state, other servers
_OPAQUE = re.compile(
    r"\b(pg_\w+|ctid|xmin|xmax|cmin|cmax|txid_\w+|dblink\w*|lo_\w+|listen|notify)\b", re.IGNORECASE
)
_TAKES_SNAPSHOT = re.compile(r"\s*(select|insert|update|delete|merge|values|with)\b", re.IGNORECASE)


@lru_cache(maxsize=4096)
def opaque(text: str) -> bool:
    """May a statement, or the source of a function, do what no table's lock tells?"""
    return _OPAQUE.search(text) is not None


@lru_cache(maxsize=4096)
def _takes_snapshot(text: str) -> bool:
    return _TAKES_SNAPSHOT.match(text) is not None


@dataclass(frozen=True, slots=True)
class Held:
    """read: what a transaction holds the weakest lock for. changed: those with a stronger one, which row
    locks are. all: those that not even a read may touch."""

    read: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    all: frozenset[str] = frozenset()

    def __or__(self, other: Held) -> Held:
        return Held(self.read | other.read, self.changed | other.changed, self.all | other.all)


def held_locks(conn: PGconn, pid: int) -> Held | None:
    """Those of the open transaction of this server process, asked by another one; None where they do not
    tell. QUERY is prepared on conn under NAME."""
    result = conn.exec_prepared(NAME, (b"%d" % pid,))
    if result.status != pq.ExecStatus.TUPLES_OK:
        return None
    read: set[str] = set()
    changed: set[str] = set()
    everything: set[str] = set()
    for row in range(result.ntuples):
        kind, mode, relation, *place = (
            (result.get_value(row, number) or b"").decode() for number in range(5)
        )
        if kind in ("virtualxid", "transactionid", "tuple") or mode == _SERIALIZABLE:
            continue  # of itself, or for a table that another lock of its names
        if kind == "advisory":
            changed.add(f"advisory {' '.join(place)}")
        elif kind == "relation" and int(relation) >= FIRST_OF_USERS:
            (read if mode == _READ else everything if mode == _ALL else changed).add(relation)
        else:
            return None
    return Held(frozenset(read), frozenset(changed), frozenset(everything))


@dataclass
class TransactionAccesses:
    """Follows one session. held: by its transaction so far. snapshot: it certainly had one before this step.
    blind: something has happened in this step that its locks do not tell. ended: it has committed."""

    level: str = ""
    held: Held = field(default_factory=Held)
    snapshot: bool = False
    blind: bool = False
    ended: bool = False
    _took_snapshot: bool = False

    def begin(self, isolation: str) -> None:
        self.level, self.held = " ".join(isolation.lower().split()), Held()
        self.snapshot = self._took_snapshot = self.blind = self.ended = False

    def ran(self, text: str) -> None:
        self.blind = self.blind or opaque(text)
        self._took_snapshot = self._took_snapshot or _takes_snapshot(text)

    def step(self, locks: Callable[[], Held | None]) -> Accesses | None:
        """The accesses of the step that has just ended. locks: asks for those held now."""
        blind, self.blind = self.blind, False
        ended, self.ended = self.ended, False
        if blind:
            return None
        if ended:
            return self._of_commit()
        now = locks()
        if now is None:
            return None
        self.held |= now
        accesses = self._of_statement()
        self.snapshot = self._took_snapshot
        return accesses

    def _of_statement(self) -> Accesses:
        held, serializable = self.held, self.level == "serializable"
        touched = held.read | held.changed | held.all
        read = {f"{each} committed" for each in touched}
        if serializable or (self.level == "repeatable read" and not self.snapshot):
            read.add(SNAPSHOT)
        if serializable:
            read |= touched
        return Accesses(frozenset(read), held.changed | held.all | {f"{each} committed" for each in held.all})

    def _of_commit(self) -> Accesses:
        held = self.held
        written = held.changed | held.all
        changed = written | {f"{each} committed" for each in written}
        if written or self.level == "serializable":
            changed |= {SNAPSHOT}
        return Accesses(frozenset(f"{each} committed" for each in held.read), frozenset(changed))


def locks_tell(connection: psycopg.Connection[Any], schema: str) -> bool:
    """Do the locks on tables tell all that the statements on this schema do?"""
    deferred, foreign = connection.execute(_DEFERRED, (schema,)).fetchall()[0]
    functions = connection.execute(_FUNCTIONS, (schema,)).fetchall()
    return not (
        deferred
        or foreign
        or any(kind not in ("sql", "plpgsql") or not text or opaque(text) for kind, text in functions)
    )
