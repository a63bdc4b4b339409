"""What a SQLite result code means for its transaction. The message text is never used.

The library runs in this process and reports after each statement whether the transaction is still open:
while it is, nothing has been committed, whatever the code. The outcome is unknown only if COMMIT ended it
with an error (such as a disk failure).

Codes: https://www.sqlite.org/rescode.html
"""

from __future__ import annotations

import sqlite3

from txfuzz.plugin_api import Outcome

MISUSE = "SQLITE_MISUSE"  # also reported by sessions themselves
MISMATCH = "SQLITE_MISMATCH"

# Primary codes of errors that the workload causes and will cause again. All others are fail:
# concurrency (BUSY, LOCKED, a unique key), an interruption, a disk failure.
BUGS = frozenset(
    {
        sqlite3.SQLITE_ERROR,  # syntax, an unknown table or column
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_RANGE,
    }
)
# Constraint violations that do not depend on what others have committed
BUGS_IN_FULL = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT_CHECK,
        getattr(sqlite3, "SQLITE_CONSTRAINT_DATATYPE", sqlite3.SQLITE_CONSTRAINT_NOTNULL),
        sqlite3.SQLITE_CONSTRAINT_NOTNULL,
    }
)
REFUSED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CONSTRAINT})
PRIMARY = 0xFF


def code_of(error: sqlite3.Error) -> int:
    """The extended result code; MISUSE for errors raised by Python itself."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE))


def name_of(error: sqlite3.Error) -> str:
    return str(getattr(error, "sqlite_errorname", MISUSE))


def outcome_of(code: int, *, committing: bool, still_open: bool) -> Outcome:
    """Three-valued, as in Jepsen.

    committing: the statement was COMMIT. still_open: the transaction is open after it.
    """
    primary = code & PRIMARY
    if committing:
        return Outcome.FAIL if still_open or primary in REFUSED else Outcome.INFO
    if primary in BUGS or code in BUGS_IN_FULL:
        return Outcome.BUG
    return Outcome.FAIL


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another connection to the same shared cache holds a lock."""
    return code_of(error) & PRIMARY == sqlite3.SQLITE_LOCKED


def is_contention(error: sqlite3.Error) -> bool:
    """Whether a retry may succeed."""
    return code_of(error) & PRIMARY in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
