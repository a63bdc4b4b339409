"""Sentences about a server that make results slower or weaker."""

from __future__ import annotations

import re
from collections.abc import Mapping

# The last minor release of each major in which two transactions could both check and insert into a
# fresh, empty, indexed table under SERIALIZABLE and commit. Older majors never got the fix.
EMPTY_INDEX_HOLE = {12: 15, 13: 11, 14: 8, 15: 3}


def warnings_about(
    facts: Mapping[str, str], settings: Mapping[str, str], *, embedded: bool
) -> tuple[str, ...]:
    """facts: what the server says of itself. settings: what our sessions were allowed to set."""
    found = []
    version = facts["server_version"]
    major, minor = numbers(version)
    if major < 12 or minor <= EMPTY_INDEX_HOLE.get(major, -1):
        found.append(
            f"PostgreSQL {version} has a known hole in SERIALIZABLE: two transactions that check and insert "
            "into a fresh, empty, indexed table can both commit (fixed in 12.16, 13.12, 14.9 and 15.4)"
        )
    if "deadlock_timeout" not in settings:
        found.append(
            f"deadlock_timeout is {facts['deadlock_timeout']} and this role may not lower it: every deadlock "
            "stops its clients for so long; a superuser can GRANT SET ON PARAMETER deadlock_timeout"
        )
    if not embedded and facts.get("autovacuum") == "off":
        found.append("autovacuum is off: throughput sags as a long campaign goes on")
    return tuple(found)


def numbers(version: str) -> tuple[int, int]:
    """18.6 → (18, 6); 18beta1 → (18, 0); 9.6.24 → (9, 6)."""
    match = re.match(r"(\d+)(?:\.(\d+))?", version)
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)
