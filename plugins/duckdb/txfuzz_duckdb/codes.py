"""What an error of DuckDB means for its transaction. The message text is never used.

DuckDB has no SQLSTATE; its Python library has a class for each type of error, whose name is the code here.
After an error in a statement the transaction is aborted or goes on, and can be rolled back either way.
https://duckdb.org/docs/stable/clients/python/dbapi
"""

from __future__ import annotations

import duckdb

from txfuzz.plugin_api import Outcome, SessionError

MISUSE = "InvalidInputException"  # also reported by sessions themselves
MISMATCH = "ConversionException"
# A conflict with another transaction. The class is also that of "no transaction is active", which sessions
# of ours never provoke.
CONFLICT = "TransactionException"
RETRIED = frozenset({CONFLICT})
# COMMIT checks what it is about to write and undoes it all where that does not hold.
REFUSED = frozenset({CONFLICT, "ConstraintException"})
# The database's own fault
INTERNAL = frozenset({"InternalException", "FatalException"})
# After these nothing can be done with the connection
LOST = frozenset({"ConnectionException", "FatalException"})
# Errors that the workload causes and will cause again
BUGS = frozenset(
    {
        "BinderException",
        "CatalogException",
        "ConversionException",
        "InvalidInputException",
        "InvalidTypeException",
        "NotImplementedException",
        "OutOfRangeException",
        "ParserException",
        "PermissionException",
        "SyntaxException",
        "TypeMismatchException",
    }
)


def code_of(error: duckdb.Error) -> str:
    return type(error).__name__


def session_error(error: duckdb.Error, *, committing: bool = False, lost: bool = False) -> SessionError:
    """Three-valued, as in Jepsen. committing: the statement was COMMIT."""
    code = code_of(error)
    if committing:
        outcome = Outcome.FAIL if code in REFUSED else Outcome.INFO
    else:
        outcome = Outcome.BUG if code in BUGS else Outcome.FAIL
    return SessionError(outcome, code, " ".join(str(error).split()), lost=lost or code in LOST)
