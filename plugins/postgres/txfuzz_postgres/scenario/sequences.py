"""The sequences of a scenario: where the setup has left them, and other numbers than those that come next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

_AWAY = 100  # numbers that are left out, so that no new one is one that is there
_SEQUENCES = """
SELECT c.relname, s.seqincrement, s.seqmin, s.seqmax FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
WHERE c.relnamespace = to_regnamespace(%s) ORDER BY 1
"""
_OWNERS = """
SELECT s.relname, c.relname || '.' || a.attname
FROM pg_class s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid
     AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
JOIN pg_class c ON c.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE s.relkind = 'S' AND s.relnamespace = to_regnamespace(%s)
"""
_ASKS = re.compile(
    r"\s*SELECT\s+(?:nextval|currval)\s*\(\s*'(?P<name>[^']+)'(?:\s*::\s*\w+)?\s*\)(?:\s+(?:AS\s+)?\"?\w+\"?)?"
    r"\s*;?\s*\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """name: of a sequence, as SQL. value, called: as the setup has left it."""

    name: str
    value: int
    called: bool
    increment: int
    least: int
    most: int

    @property
    def restored(self) -> str:
        text = self.name.replace("'", "''")
        return f"SELECT setval('{text}', {self.value}, {'true' if self.called else 'false'})"

    @property
    def moved(self) -> str:
        """Backwards, from further on; empty where there is no room for that."""
        start = self.value + _AWAY * self.increment
        if not self.least <= start <= self.most:
            return ""
        return f"ALTER SEQUENCE {self.name} INCREMENT BY {-self.increment} RESTART WITH {start}"

    @property
    def moved_back(self) -> str:
        return f"ALTER SEQUENCE {self.name} INCREMENT BY {self.increment}"


def read_numbers(connection: psycopg.Connection[Any], schema: str) -> tuple[Numbers, ...]:
    found = []
    for name, increment, least, most in connection.execute(_SEQUENCES, (schema,)).fetchall():
        sequence = sql.Identifier(schema, name)
        query = sql.SQL("SELECT last_value, is_called FROM {}").format(sequence)
        value, called = connection.execute(query).fetchall()[0]
        found.append(Numbers(sequence.as_string(connection), value, called, increment, least, most))
    return tuple(found)


def read_origins(connection: psycopg.Connection[Any], schema: str) -> dict[str, str]:
    """Sequence → the column that it numbers, "orders.id"; "numbers.nextval" of one that is nobody's."""
    names = [row[0] for row in connection.execute(_SEQUENCES, (schema,)).fetchall()]
    owners = dict(connection.execute(_OWNERS, (schema,)).fetchall())
    return {name: owners.get(name, f"{name}.nextval") for name in names}


def origin_of_number(query: str, origins: Mapping[str, str]) -> str | None:
    """Of what a query returns that does nothing but to ask a sequence."""
    found = _ASKS.match(query)
    if found is None:
        return None
    name = found["name"].rpartition(".")[2]
    return origins.get(name[1:-1] if name.startswith('"') else name.lower())
