"""What the schema of a scenario says: its tables, what they are filled by, and what must be put back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from txfuzz.plugin_api import ColumnFacts

from ..protocol.connection import Link
from ..schemas import MARK_TABLE
from ..statements import quoted

_CLOCK = re.compile(
    r"\b(now|current_timestamp|curdate|current_date|curtime|current_time|localtime|localtimestamp|sysdate|"
    r"utc_timestamp|utc_date|utc_time|unix_timestamp|rand|random_bytes)\b",
    re.IGNORECASE,
)
_GENERATED = re.compile(
    r"\b(nextval|uuid|uuid_short|uuid_v4|uuid_v7|sys_guid)\s*\(|next value", re.IGNORECASE
)
_TABLES = "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s ORDER BY 1"
_COLUMNS = """
SELECT TABLE_NAME, COLUMN_NAME, EXTRA, COLUMN_DEFAULT, GENERATION_EXPRESSION
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME, ORDINAL_POSITION
"""
_REFERENCES = """
SELECT TABLE_NAME, COLUMN_NAME, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME
FROM information_schema.KEY_COLUMN_USAGE
WHERE TABLE_SCHEMA = %s AND REFERENCED_TABLE_SCHEMA = TABLE_SCHEMA
"""
_TRIGGERS = """
SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = %s
ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER
"""


@dataclass(frozen=True, slots=True)
class Trigger:
    name: str
    sql_mode: str
    statement: str


@dataclass(frozen=True)
class ScenarioSchema:
    """shown: table → all its columns. stored: table → those that are not computed. numbered: tables with
    AUTO_INCREMENT. triggers: in the order in which they must be made."""

    shown: Mapping[str, tuple[str, ...]]
    stored: Mapping[str, tuple[str, ...]]
    numbered: tuple[str, ...]
    sequences: tuple[str, ...]
    triggers: tuple[Trigger, ...]
    facts: ColumnFacts

    def numbers(self) -> Mapping[str, str]:
        """What gives out numbers, a table or a sequence, in small letters → "table.column" of the numbers;
        "sequence.nextval" of those of a sequence, which are in no column alone."""
        own = {place for place, source in self.facts.generated.items() if place == source}
        columns = {place.partition(".")[0].lower(): place for place in own}
        return {
            **{table.lower(): columns[table.lower()] for table in self.numbered},
            **{name.lower(): f"{name}.nextval" for name in self.sequences},
        }

    def make_triggers(self, link: Link, database: str) -> None:
        """They fire for whoever changes rows, so they are not there while rows are restored."""
        if not self.triggers:
            return
        before = link.rows("SELECT @@sql_mode, DATABASE()")[0]
        link.run(f"USE {quoted(database)}")
        for each in self.triggers:
            link.run("SET SESSION sql_mode = %s", (each.sql_mode,))
            link.run(each.statement)
        link.run("SET SESSION sql_mode = %s", (before[0],))


def read_schema(link: Link, database: str) -> ScenarioSchema:
    kinds = {str(name): str(kind) for name, kind in link.rows(_TABLES, (database,))}
    ours = {name for name, kind in kinds.items() if kind in ("BASE TABLE", "SYSTEM VERSIONED")}
    shown: dict[str, list[str]] = {}
    stored: dict[str, list[str]] = {}
    numbered, clocks, generated = [], set(), {}
    for table, column, extra, default, expression in link.rows(_COLUMNS, (database,)):
        if table not in ours or table == MARK_TABLE:
            continue
        place, extra, default = f"{table}.{column}", str(extra).lower(), str(default or "")
        shown.setdefault(table, []).append(column)
        if expression:
            continue
        stored.setdefault(table, []).append(column)
        if "auto_increment" in extra:
            numbered.append(table)
        if "auto_increment" in extra or _called(_GENERATED, default):
            generated[place] = place
        elif "on update" in extra or _called(_CLOCK, default):
            clocks.add(place)
    references = link.rows(_REFERENCES, (database,))
    for _ in references:  # a foreign key to a foreign key, and so on
        for table, column, other, referred in references:
            domain = generated.get(f"{other}.{referred}")
            if domain is not None:
                generated.setdefault(f"{table}.{column}", domain)
    sequences = tuple(name for name, kind in kinds.items() if kind == "SEQUENCE")
    clocks |= {f"{name}.nextval" for name in sequences}
    return ScenarioSchema(
        {table: tuple(columns) for table, columns in shown.items()},
        {table: tuple(columns) for table, columns in stored.items()},
        tuple(numbered),
        sequences,
        tuple(_trigger(link, database, name) for (name,) in link.rows(_TRIGGERS, (database,))),
        ColumnFacts(frozenset(clocks), generated),
    )


def _called(word: re.Pattern[str], default: str) -> bool:
    """A default in quotes is text."""
    return not default.startswith("'") and word.search(default) is not None


def _trigger(link: Link, database: str, name: str) -> Trigger:
    row = link.rows(f"SHOW CREATE TRIGGER {quoted(database)}.{quoted(name)}")[0]
    return Trigger(name, str(row[1]), str(row[2]))
