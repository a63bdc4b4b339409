"""What an error number means for its transaction. The message text is never used.

Unlike other databases, MariaDB does not end a transaction on every error: a duplicate key undoes one
statement, a deadlock the whole transaction. Sessions treat both alike: after any error they run
nothing more in that transaction and roll back whatever is left of it, so an error before COMMIT on a
live connection always means: certainly no effect. At COMMIT that holds only for errors with which the
server rolls back; after any other the outcome is unknown.

Numbers: https://mariadb.com/kb/en/mariadb-error-code-reference/
"""

from __future__ import annotations

from txfuzz.plugin_api import Outcome

# Reported by sessions themselves, in the server's numbers
NOT_IN_TRANSACTION = "1792"  # a statement may not run here
SYNTAX_ERROR = "1064"
NO_ROW = "1329"
WRONG_TYPE = "1366"
UNDECLARED = "1327"

RECORD_CHANGED = 1020  # innodb_snapshot_isolation: the row has changed since the snapshot
LOCK_WAIT_TIMEOUT = 1205
DEADLOCK = 1213
INTERRUPTED = 1317  # KILL QUERY

# Refused connections: error number → the setting that limits them
TOO_MANY = {1040: "max_connections", 1203: "max_user_connections", 1226: "max_user_connections"}

# With these the server has rolled back the whole transaction, even at COMMIT (when a cluster certifies it)
ROLLED_BACK = frozenset({RECORD_CHANGED, DEADLOCK})

# The connection is gone, or the server is about to end it
LOST = frozenset(
    {
        0,  # the driver's own: the connection is closed
        1053,  # the server is shutting down
        1077,  # normal shutdown
        1079,  # shutdown complete
        1152,  # aborted connection
        1158,  # network errors
        1159,
        1160,
        1161,
        1184,
        1927,  # connection was killed
        2002,
        2003,
        2006,  # the server has gone away
        2013,  # lost connection during a query
        2014,  # commands out of sync
        2027,  # malformed packet
        2055,
        3169,  # MySQL: the session was killed
        4031,  # MySQL: disconnected because of inactivity
    }
)

# SQLSTATE classes (two characters) and numbers of errors that the workload causes and will cause again.
# All others are fail: concurrency, limits, an operator, a server in trouble.
BUG_CLASSES = frozenset(
    {
        "07",  # dynamic SQL error
        "0A",  # feature not supported
        "21",  # cardinality: two rows where one may be
        "22",  # data exception: out of range, division by zero
        "25",  # invalid transaction state
        "42",  # syntax error or access rule violation: unknown column, missing right
        "44",  # WITH CHECK OPTION
    }
)
BUGS = frozenset(
    {
        1048,  # NULL in a column that takes none
        1093,  # the table is being written
        1193,  # unknown system variable
        1210,  # incorrect arguments
        1227,  # a privilege is missing
        1231,  # a variable cannot have this value
        1232,  # incorrect argument type
        1235,  # not supported by this version
        1238,  # a variable cannot be set here
        1305,  # no such function, procedure or savepoint
        1364,  # a column without default is given no value
        1366,  # incorrect value for a column
        1422,  # a commit is not allowed in a stored function
        1665,  # a binary log of statements cannot take a write at this level
        1792,  # a write in a READ ONLY transaction
        4025,  # CHECK constraint
    }
)
NOT_BUGS = frozenset({DEADLOCK, LOCK_WAIT_TIMEOUT, INTERRUPTED})


def outcome_of(number: int, sqlstate: str | None, *, lost: bool, committing: bool) -> Outcome:
    """Three-valued, as in Jepsen.

    lost: the connection is gone. committing: COMMIT had been sent.
    """
    if committing:
        return Outcome.FAIL if number in ROLLED_BACK and not lost else Outcome.INFO
    if lost or number in NOT_BUGS:
        return Outcome.FAIL
    if number in BUGS or (sqlstate or "")[:2] in BUG_CLASSES:
        return Outcome.BUG
    return Outcome.FAIL
