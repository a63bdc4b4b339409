"""What an SQLSTATE means for its transaction. The message text is never used.

PostgreSQL aborts a transaction on any error inside it, so an error on a live connection always means:
certainly no effect. Two questions remain. Is the error to be expected (fail), or does the workload ask
for something that will always be refused (bug)? And if the connection is lost: before COMMIT was sent the
server rolls back (fail), afterwards the outcome is unknown (info).

Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

from txfuzz.plugin_api import Outcome

CONNECTION_LOST = "08006"  # libpq has no SQLSTATE for a lost connection
IN_FAILED_TRANSACTION = "25P02"

# Reported by sessions themselves, in the server's codes
SYNTAX_ERROR = "42601"
NO_DATA = "02000"
DATATYPE_MISMATCH = "42804"
INVALID_TRANSACTION = "25000"
UNDEFINED_PARAMETER = "42P02"
NOT_REPLICATED = "01000"  # the server's warning when the wait for a synchronous standby is cancelled

UNKNOWN_EFFECT = frozenset({"40003", "08007"})  # the server itself does not know

# Classes (two characters) and single codes of errors that the workload causes and will cause again.
# All others are fail: concurrency, limits, an operator, a server in trouble.
BUGS = frozenset(
    {
        "03",  # SQL statement not yet complete
        "08P01",  # protocol violation over a living connection: $1 in raw SQL without a parameter
        "0A",  # feature not supported
        "0B",  # invalid transaction initiation
        "0F",  # locator exception
        "0L",  # invalid grantor
        "0P",  # invalid role specification
        "20",  # CASE not found
        "21",  # cardinality violation: two rows where one may be
        "22",  # data exception: overflow, division by zero, wrong array subscript
        "23502",  # NOT NULL; other violations of constraints depend on what others have committed
        "24",  # invalid cursor state
        "25",  # invalid transaction state: VACUUM inside a transaction, a write where only reads are allowed
        "26",  # invalid SQL statement name: our prepared statements were deallocated
        "27",  # triggered data change violation
        "2B",  # dependent privileges still exist
        "2D",  # invalid transaction termination: COMMIT inside a function
        "2F",  # SQL routine exception
        "34",  # invalid cursor name
        "38",  # external routine exception
        "39",  # external routine invocation exception
        "3B",  # savepoint exception
        "3D",  # invalid catalog name
        "3F",  # invalid schema name
        "42",  # syntax error or access rule violation: unknown column, missing right
        "44",  # WITH CHECK OPTION violation
        "54",  # program limit exceeded: statement too complex
        "55000",  # object not in prerequisite state
        "55P02",  # cannot change runtime parameter
        "55P04",  # unsafe new enum value usage
        "F0",  # configuration file error
        "HV",  # foreign data wrapper error
    }
)
NOT_BUGS = frozenset(
    {
        IN_FAILED_TRANSACTION,
        "25P03",  # idle-in-transaction session timeout
        "25P04",  # transaction timeout
    }
)


def outcome_of(code: str, *, lost: bool, committing: bool) -> Outcome:
    """Three-valued, as in Jepsen.

    lost: the connection is gone, or about to be after FATAL or PANIC.
    committing: COMMIT had been sent.
    """
    if code in UNKNOWN_EFFECT or (lost and committing):
        return Outcome.INFO
    if not lost and code not in NOT_BUGS and (code in BUGS or code[:2] in BUGS):
        return Outcome.BUG
    return Outcome.FAIL
