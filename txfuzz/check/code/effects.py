"""What a piece of code has changed for good, from the statements that it sent.

Reads of code are its own affair: it may look twice, and go another way when it has lost a race. That it
has changed rows, and that they stayed changed, is what others see of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from txfuzz.database.drivers import COMMIT, ROLLBACK

_WRITE = re.compile(
    r"\b(INSERT\s+(?:IGNORE\s+|OR\s+\w+\s+)?INTO|REPLACE\s+INTO|MERGE\s+INTO|UPDATE(?:\s+ONLY)?|DELETE\s+FROM)"
    r"\s+([\w.\"`]+)",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"\s*(?:--[^\n]*\n|/\*.*?\*/)\s*", re.DOTALL)
_ENDS = re.compile(
    r"\s*(COMMIT|END|ROLLBACK|ABORT)\s*(?:WORK|TRANSACTION)?\s*(?:AND\s+(?:NO\s+)?CHAIN)?\s*;?\s*$",
    re.IGNORECASE,
)
# What no other session can tell: neither what it shows nor what it locks depends on when it is run
_UNSEEN = re.compile(
    r"\s*(?:BEGIN(?!\s+(?:IMMEDIATE|EXCLUSIVE))|START\s+TRANSACTION(?!.*SNAPSHOT)|SET|RESET|SHOW|SAVEPOINT"
    r"|RELEASE|PRAGMA|DISCARD|DEALLOCATE)\b|\s*;?\s*$",
    re.IGNORECASE,
)
# … unless it says more than that: another statement behind it, or a query within it
_MORE = re.compile(r";\s*\S|\bSELECT\b", re.IGNORECASE)
_SAVEPOINT = re.compile(r"\s*SAVEPOINT\b\s*(\S*)", re.IGNORECASE)
_BACK_TO = re.compile(r"\s*ROLLBACK\s+(?:\w+\s+)?TO\s+(?:SAVEPOINT\b\s*)?(\S*)", re.IGNORECASE)
_RELEASE = re.compile(r"\s*RELEASE\s*(?:SAVEPOINT\b\s*)?(\S*)", re.IGNORECASE)

Changed = tuple[tuple[str, int], ...]


def ends_transaction(sql: str) -> str:
    """COMMIT or ROLLBACK, or empty for a statement that is neither."""
    found = _ENDS.match(_bare(sql))
    return "" if found is None else (COMMIT if found[1].upper() in ("COMMIT", "END") else ROLLBACK)


def is_switch_point(sql: str) -> bool:
    """Can it matter what others have done before it?"""
    text = _bare(sql)
    return _UNSEEN.match(text) is None or _MORE.search(text) is not None


def writes(sql: str) -> bool:
    """Is there a part that changes rows?"""
    return _WRITE.search(_bare(sql)) is not None


def _bare(sql: str) -> str:
    while found := _COMMENT.match(sql):
        sql = sql[found.end() :]
    return sql


@dataclass
class Effects:
    """kept: "UPDATE seats" → how many rows it has changed in transactions that were committed. commits: how
    many transactions that changed something were committed."""

    kept: dict[str, int] = field(default_factory=dict)
    commits: int = 0
    _open: dict[int, list[tuple[str, int]]] = field(default_factory=dict)

    def ran(self, connection: Any, sql: str, changed: int | None) -> None:
        """A statement that went well. changed: None where the driver does not say."""
        pending = self._open.setdefault(id(connection), [])
        text = _bare(sql)
        if (found := _SAVEPOINT.match(text)) is not None:
            pending.append((f"SAVEPOINT {found[1]}", 0))
        elif (found := _BACK_TO.match(text)) is not None:
            del pending[_after(pending, f"SAVEPOINT {found[1]}") :]
        elif (found := _RELEASE.match(text)) is not None:
            at = _after(pending, f"SAVEPOINT {found[1]}")
            del pending[at - 1 : at]
        elif (found := _WRITE.search(text)) is not None and changed != 0:
            verb = " ".join(found[1].upper().split())
            pending.append((f"{verb} {found[2].split('.')[-1].strip(chr(34) + '`')}", changed or 0))

    def committed(self, connection: Any) -> None:
        writes = [each for each in self._open.pop(id(connection), []) if not each[0].startswith("SAVEPOINT")]
        self.commits += bool(writes)
        for what, changed in writes:
            self.kept[what] = self.kept.get(what, 0) + changed

    def rolled_back(self, connection: Any) -> None:
        self._open.pop(id(connection), None)


def _after(pending: list[tuple[str, int]], savepoint: str) -> int:
    """Where what was done since this savepoint begins."""
    name = savepoint.rstrip(";").casefold()
    names = [at for at, (what, _) in enumerate(pending) if what.rstrip(";").casefold() == name]
    return names[-1] + 1 if names else len(pending) + 1


def as_changed(kept: Mapping[str, int]) -> Changed:
    return tuple(sorted(kept.items()))
