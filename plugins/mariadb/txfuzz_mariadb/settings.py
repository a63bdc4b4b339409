"""Settings of every session; what a campaign records about the server, and its warnings."""

from __future__ import annotations

from collections.abc import Mapping

from .options import MariadbOptions
from .protocol.connection import FAILURES, Link

SNAPSHOTS = "innodb_snapshot_isolation"
ON = frozenset({"ON", "1", "YES"})

# Settings that affect a campaign and so are recorded with it.
SHOWN = (
    "binlog_format",
    "innodb_autoinc_lock_mode",
    "innodb_buffer_pool_size",
    "innodb_deadlock_detect",
    "innodb_flush_log_at_trx_commit",
    "innodb_lock_wait_timeout",
    "innodb_rollback_on_timeout",
    SNAPSHOTS,
    "log_bin",
    "max_connections",
    "sql_mode",
    "sync_binlog",
    "wsrep_on",
)


def session_settings(options: MariadbOptions) -> dict[str, str | int]:
    """Name → value. Some servers have another name for a setting, or lack it."""
    return {
        "innodb_lock_wait_timeout": options.lock_wait_timeout,
        SNAPSHOTS: "ON" if options.innodb_snapshot_isolation else "OFF",
        "sql_mode": "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
        "tx_read_only": "OFF",
        "transaction_read_only": "OFF",
        # A transaction may be idle at a barrier or in a replay.
        "idle_transaction_timeout": 0,
        "wait_timeout": 86400,
        "max_statement_time": 0,
        "completion_type": "NO_CHAIN",
    }


def apply_settings(link: Link, settings: Mapping[str, str | int]) -> None:
    """For settings known to be permitted."""
    for name, value in settings.items():
        link.run(f"SET SESSION {name} = %s", (value,))


def permitted(link: Link, wished: Mapping[str, str | int]) -> dict[str, str | int]:
    """Set what this server has and this user may set on this connection; those settings."""
    done = {}
    for name, value in wished.items():
        try:
            apply_settings(link, {name: value})
        except FAILURES:
            if not link.open:
                raise
        else:
            done[name] = value
    return done


def describe_settings(link: Link) -> dict[str, str]:
    """The version, and this server's values of SHOWN as sessions see them."""
    marks = ", ".join(["%s"] * len(SHOWN))
    found = dict(link.rows(f"SHOW SESSION VARIABLES WHERE Variable_name IN ({marks})", SHOWN))
    shown = {name: str(found[name]) for name in SHOWN if name in found}
    version = link.run("SELECT VERSION(), @@version_comment").row or ("", "")
    return {"version": str(version[0]), "comment": str(version[1]), **shown}


def warnings_about(facts: Mapping[str, str], *, waits_are_seen: bool) -> tuple[str, ...]:
    """Sentences about a server that make results slower or weaker. facts: see describe_settings()."""
    found = []
    if facts.get("innodb_deadlock_detect", "ON").upper() not in ON:
        found.append(
            "innodb_deadlock_detect is off: every deadlock stalls its clients for innodb_lock_wait_timeout; "
            "turn it on, or set lock_wait_timeout: 1 in the workload"
        )
    if facts.get("wsrep_on", "OFF").upper() in ON:
        found.append(
            "this server is a node of a Galera cluster, which does not keep InnoDB's promises across nodes: "
            "read findings with that in mind"
        )
    if facts.get("log_bin", "OFF").upper() in ON and facts.get("binlog_format") == "STATEMENT":
        found.append(
            "binlog_format is STATEMENT: the server refuses writes at READ COMMITTED and below; set it to "
            "MIXED or ROW"
        )
    if not waits_are_seen:
        found.append(
            "this user may not see lock waits (that takes the PROCESS privilege, on MySQL the sys schema): "
            "replays pause for every statement that does not return at once"
        )
    return tuple(found)
