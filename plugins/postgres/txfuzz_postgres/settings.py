"""What every session of ours sets, and what a campaign's record says about the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from .adapter import PostgresAdapter

# What decides how a campaign behaves, and is worth a line in its record.
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


def session_settings(adapter: PostgresAdapter, schema: str, *, embedded: bool) -> dict[str, str]:
    """Name → value, as SET takes them."""
    quoted = schema.replace('"', '""')
    wished = {
        "search_path": f'"{quoted}", public',
        "deadlock_timeout": f"{adapter.deadlock_timeout_ms}ms",
        "statement_timeout": f"{adapter.statement_timeout_ms}ms",
        "lock_timeout": f"{adapter.lock_timeout_ms}ms",
        # A transaction that waits at a barrier or in a replay is no forgotten one.
        "idle_in_transaction_session_timeout": "0",
        # A notice would go out at once, ahead of the answers (see wire.py); nobody reads them.
        "client_min_messages": "error",
    }
    if embedded:  # its own default is 0 as well, and can be changed for all sessions meanwhile
        for name in ("statement_timeout", "lock_timeout"):
            if wished[name] == "0ms":
                del wished[name]
    if adapter.synchronous_commit is not None or embedded:
        wished["synchronous_commit"] = adapter.synchronous_commit or "off"
    return wished


def permitted(connection: Connection, wished: Mapping[str, str]) -> dict[str, str]:
    """Set what this role may set on this connection, and say what that was."""
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
    """The same for a session's connection, in one statement."""
    calls = (f"set_config({literal(name)}, {literal(value)}, false)" for name, value in settings.items())
    return "SELECT " + ", ".join(calls)


def literal(value: str) -> str:
    """A string constant that means the same whatever the server's settings of backslashes."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'" if "\\" in value else f"'{escaped}'"


def describe_settings(connection: Connection) -> dict[str, str]:
    """The settings of SHOWN that this server has."""
    rows = connection.execute(
        text("SELECT name, current_setting(name) AS setting FROM pg_settings WHERE name = ANY(:names)"),
        {"names": list(SHOWN)},
    )
    found: dict[str, str] = {row.name: row.setting for row in rows}
    return {name: found[name] for name in SHOWN if name in found}
