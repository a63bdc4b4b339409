"""What an error means for its transaction, by the code that the driver gives. Message texts are never used.

The database's own number or name where the driver has one, else SQLSTATE, else the class of the DB-API. After
any error a session runs nothing more in its transaction and rolls back what is left of it, so that an error
before COMMIT always means: certainly no effect. At COMMIT that holds only for errors with which the database
is known to have rolled back; after any other, what came of it is unknown.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from sqlalchemy.exc import ArgumentError, CompileError, DBAPIError, SQLAlchemyError, StatementError

from txfuzz.plugin_api import Outcome, SessionError

NOT_ALLOWED = "25000"
SYNTAX = "42601"
NO_DATA = "02000"
WRONG_TYPE = "42804"
UNBOUND = "42P02"
ENDED = "25P01"
GONE = "08003"

# With these the transaction has been undone, even at COMMIT: serialization failures, deadlocks, and
# constraints that are checked only then.
REFUSED = frozenset(
    {
        "1020", "1213",  # MySQL and MariaDB: a row has changed, deadlock
        "SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED",
        "SQLITE_CONSTRAINT_FOREIGNKEY",
        "TransactionException", "ConstraintException",  # DuckDB
        "ORA-00001", "ORA-00060", "ORA-02091", "ORA-08177",  # unique, deadlock, rolled back, cannot serialize
        "3960",  # SQL Server: a row has changed. Not 1205: a deadlock there, a lock wait's time-out in MySQL
    }
)  # fmt: skip
_UNKNOWN_EFFECT = frozenset({"40003", "08007"})
_REFUSED_CLASSES = ("40", "23")  # of SQLSTATE
# Errors that the workload causes and will cause again. All others are fail.
BUGS = frozenset(
    {
        "1048", "1054", "1064", "1093", "1136", "1142", "1146", "1193", "1210", "1235", "1264", "1305",
        "1364", "1366", "1406", "1690", "4025",  # MySQL and MariaDB
        "SQLITE_ERROR", "SQLITE_MISMATCH", "SQLITE_MISUSE", "SQLITE_RANGE", "SQLITE_READONLY",
        "SQLITE_TOOBIG", "SQLITE_CONSTRAINT_CHECK", "SQLITE_CONSTRAINT_NOTNULL",
        "BinderException", "CatalogException", "ConversionException", "InvalidInputException",
        "OutOfRangeException", "ParserException", "SyntaxException", "TypeMismatchException",  # DuckDB
        "ORA-00900", "ORA-00904", "ORA-00911", "ORA-00923", "ORA-00932", "ORA-00933", "ORA-00936",
        "ORA-00942", "ORA-01400", "ORA-01722",
        "102", "156", "207", "208", "245", "515", "8115",  # SQL Server
        "23502", "23514", "55000", "ProgrammingError", "DataError", "NotSupportedError",
    }
)  # fmt: skip
_BUG_CLASSES = ("0A", "21", "22", "25", "42", "44")
_NOT_BUGS = frozenset(
    {
        "25P02",  # an earlier statement has failed
        "25P03", "25P04",  # time-outs
        "42000",  # SQL Server's drivers say so of everything, a conflict of snapshots too
    }
)  # fmt: skip
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
_LOST_CLASSES = ("08", "57P")
# What drivers raise beside their own errors when a connection breaks in the middle of a packet
OF_NETWORK = (OSError, EOFError, struct.error, IndexError)
BROKEN = (*OF_NETWORK, ValueError, RuntimeError)
# SQLAlchemy's own, of what the workload asks for and will ask for again
_ITS_BUGS = (ArgumentError, CompileError, StatementError)


def code_of(error: DBAPIError) -> str:
    """Of the driver's error."""
    cause: Any = error.orig
    if isinstance(named := getattr(cause, "sqlite_errorname", None), str) and named:
        return named
    first = cause.args[0] if getattr(cause, "args", ()) else None
    if isinstance(full := getattr(first, "full_code", None), str) and full:  # oracledb
        return full
    # Before SQLSTATE: MySQL's HY000 and 42000 stand for many errors that mean different things
    if type(number := getattr(cause, "errno", first)) is int and number > 0:
        return str(number)
    return state_of(error) or type(cause).__name__


def state_of(error: DBAPIError) -> str:
    """SQLSTATE; empty where the driver has none."""
    cause: Any = error.orig
    for name in ("sqlstate", "pgcode"):
        if isinstance(found := getattr(cause, name, None), str) and found:
            return found
    first = cause.args[0] if getattr(cause, "args", ()) else None
    if isinstance(first, dict):  # pg8000
        first = first.get("C")
    return first if isinstance(first, str) and _SQLSTATE.fullmatch(first) else ""  # pyodbc


def is_lost(error: DBAPIError) -> bool:
    return error.connection_invalidated or state_of(error).startswith(_LOST_CLASSES)


def outcome_of(code: str, state: str = "", *, lost: bool, committing: bool) -> Outcome:
    """Three-valued, as in Jepsen. state: SQLSTATE, where that is not the code. lost: the connection is gone.
    committing: COMMIT had been sent."""
    is_state = _SQLSTATE.fullmatch(code) is not None
    if committing:
        refused = code in REFUSED or (is_state and code.startswith(_REFUSED_CLASSES))
        return Outcome.FAIL if refused and not lost and code not in _UNKNOWN_EFFECT else Outcome.INFO
    if lost or code in _NOT_BUGS:
        return Outcome.FAIL
    if code in BUGS or (code if is_state else state).startswith(_BUG_CLASSES):
        return Outcome.BUG
    return Outcome.FAIL


def session_error(error: Exception, *, committing: bool = False) -> SessionError:
    """error: SQLAlchemy's, or one of BROKEN."""
    if isinstance(error, DBAPIError):
        code, lost = code_of(error), is_lost(error)
        message = " ".join(str(error.orig).split())
        outcome = outcome_of(code, state_of(error), lost=lost, committing=committing)
        return SessionError(outcome, code, message, lost=lost)
    message = " ".join(str(error).split())
    before = Outcome.BUG if isinstance(error, _ITS_BUGS) else Outcome.FAIL
    lost = not isinstance(error, SQLAlchemyError)
    return SessionError(Outcome.INFO if committing else before, type(error).__name__, message, lost=lost)
