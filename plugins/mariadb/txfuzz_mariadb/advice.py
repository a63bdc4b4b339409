"""Sentences about a server that make results slower or weaker."""

from __future__ import annotations

from collections.abc import Mapping

ON = frozenset({"ON", "1", "YES"})


def warnings_about(facts: Mapping[str, str], *, waits_are_seen: bool) -> tuple[str, ...]:
    """facts: what the server says of itself, see settings.describe_settings."""
    found = []
    if facts.get("innodb_deadlock_detect", "ON").upper() not in ON:
        found.append(
            "innodb_deadlock_detect is off: every deadlock costs its clients innodb_lock_wait_timeout; "
            "turn it on, or set lock_wait_timeout: 1 in the workload"
        )
    if facts.get("wsrep_on", "OFF").upper() in ON:
        found.append(
            "this server is a node of a Galera cluster, which does not promise across its nodes what InnoDB "
            "promises on one: findings there are to be read with that in mind"
        )
    if facts.get("log_bin", "OFF").upper() in ON and facts.get("binlog_format") == "STATEMENT":
        found.append(
            "binlog_format is STATEMENT, with which the server refuses writes at READ COMMITTED and below; "
            "MIXED or ROW takes them"
        )
    if not waits_are_seen:
        found.append(
            "this user may not see who waits for whom (it takes the privilege PROCESS, on MySQL the schema "
            "sys): replays wait a while for every statement that does not come back at once"
        )
    return tuple(found)
