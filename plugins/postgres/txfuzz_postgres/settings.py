"""Settings of every session; what a campaign records about the server, its warnings and limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from txfuzz.plugin_api import DatabaseUnavailable, NoMoreSessions

from .options import PostgresOptions

# Settings that affect a campaign and so are recorded with it.
SHOWN = (
    "server_version",
    "autovacuum",
    "deadlock_timeout",
    "default_table_access_method",
    "fsync",
    "full_page_writes",
    "max_connections",
    "max_pred_locks_per_transaction",
    "shared_buffers",
    "synchronous_commit",
)
# Per major version the last minor in which two transactions under SERIALIZABLE could both check and insert
# into a fresh, empty, indexed table and commit. Older majors never got the fix.
EMPTY_INDEX_HOLE = {12: 15, 13: 11, 14: 8, 15: 3}
# What every role may read; pg_stat_activity hides other roles' activity.
LIMITS = """
SELECT current_setting('max_connections')::int AS server,
       current_setting('superuser_reserved_connections')::int
         + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,
       (SELECT sum(numbackends) FROM pg_stat_database) AS taken,
       rolsuper AS super, rolconnlimit AS of_role, datconnlimit AS of_database,
       (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user) AS by_role,
       (SELECT numbackends FROM pg_stat_database WHERE datname = current_database()) AS in_database
FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()
"""


def session_settings(options: PostgresOptions, schema: str, *, embedded: bool) -> dict[str, str]:
    """Name → value, as for SET."""
    quoted = schema.replace('"', '""')
    wished = {
        "search_path": f'"{quoted}", public',
        "deadlock_timeout": f"{options.deadlock_timeout_ms}ms",
        "statement_timeout": f"{options.statement_timeout_ms}ms",
        "lock_timeout": f"{options.lock_timeout_ms}ms",
        # A transaction may be idle at a barrier or in a replay.
        "idle_in_transaction_session_timeout": "0",
        # A notice would arrive ahead of the results (see wire.py); nobody reads them.
        "client_min_messages": "error",
    }
    if embedded:  # its default is also 0, and can be changed for all sessions at once
        for name in ("statement_timeout", "lock_timeout"):
            if wished[name] == "0ms":
                del wished[name]
    if options.synchronous_commit is not None or embedded:
        wished["synchronous_commit"] = options.commits
    return wished


def permitted(connection: Connection, wished: Mapping[str, str]) -> dict[str, str]:
    """Set what this role may set on this connection; those settings."""
    done = {}
    for name, value in wished.items():
        try:
            with connection.begin_nested():
                connection.execute(
                    text("SELECT set_config(:name, :value, false)"), {"name": name, "value": value}
                )
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
        else:
            done[name] = value
    return done


def settings_sql(settings: Mapping[str, str]) -> str:
    """One statement that sets them all."""
    calls = (f"set_config({literal(name)}, {literal(value)}, false)" for name, value in settings.items())
    return "SELECT " + ", ".join(calls)


def literal(value: str) -> str:
    """A string constant that does not depend on how the server treats backslashes."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'" if "\\" in value else f"'{escaped}'"


def write_record(connection: Connection) -> None:
    """Write a record to the log, after those of all that is committed now."""
    connection.execute(text("SELECT pg_logical_emit_message(true, 'txfuzz', '')"))


def log_position(connection: Connection) -> str:
    """How far the log has been written to disk."""
    return str(connection.scalar(text("SELECT pg_current_wal_flush_lsn()")))


def describe_settings(connection: Connection) -> dict[str, str]:
    """The version, and this server's values of SHOWN."""
    rows = connection.execute(
        text("SELECT name, current_setting(name) AS setting FROM pg_settings WHERE name = ANY(:names)"),
        {"names": list(SHOWN)},
    )
    found: dict[str, str] = {row.name: row.setting for row in rows}
    shown = {name: found[name] for name in SHOWN if name in found}
    return {"version": shown.pop("server_version"), **shown}


def warnings_about(
    facts: Mapping[str, str], settings: Mapping[str, str], *, embedded: bool
) -> tuple[str, ...]:
    """Sentences about a server that make results slower or weaker.

    facts: see describe_settings(). settings: what our sessions were allowed to set.
    """
    found = []
    version = facts["version"]
    major, minor = version_numbers(version)
    if major < 12 or minor <= EMPTY_INDEX_HOLE.get(major, -1):
        found.append(
            f"PostgreSQL {version} has a known hole in SERIALIZABLE: two transactions that check and insert "
            "into a fresh, empty, indexed table can both commit (fixed in 12.16, 13.12, 14.9 and 15.4)"
        )
    if "deadlock_timeout" not in settings:
        found.append(
            f"deadlock_timeout is {facts['deadlock_timeout']} and this role may not lower it: every deadlock "
            "stalls its clients for that long; a superuser can GRANT SET ON PARAMETER deadlock_timeout"
        )
    if not embedded and facts.get("autovacuum") == "off":
        found.append("autovacuum is off: throughput drops over a long campaign")
    return tuple(found)


def version_numbers(version: str) -> tuple[int, int]:
    """18.6 → (18, 6); 18beta1 → (18, 0); 9.6.24 → (9, 6)."""
    match = re.match(r"(\d+)(?:\.(\d+))?", version)
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)


def no_more_sessions(connection: Connection) -> DatabaseUnavailable | None:
    """Why the server accepts no more of our connections; None if no limit is reached.

    A refused connection's error has no code, only text in some language.
    """
    for words, most, taken in _limits(connection.execute(text(LIMITS)).one()):
        if taken >= most:
            said = f"the server accepts no more connections: {words}, and {taken} are in use"
            return NoMoreSessions(said, most - 1)  # one is the control connection
    return None


def _limits(row: Any) -> Iterator[tuple[str, int, int]]:
    """For each limit: in words, the connections it allows this role, and those in use."""
    if row.super:
        yield f"max_connections is {row.server}", row.server, row.taken
        return
    yield (
        f"max_connections is {row.server}, of which {row.reserved} are reserved",
        row.server - row.reserved,
        row.taken,
    )
    if row.of_role >= 0:
        yield f"the role's CONNECTION LIMIT is {row.of_role}", row.of_role, row.by_role
    if row.of_database >= 0:
        yield f"the database's CONNECTION LIMIT is {row.of_database}", row.of_database, row.in_database
