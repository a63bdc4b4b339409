"""The tables that hold the keys: what they are called, and how they are made; for every SQL database."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from txfuzz.common.kind import Kind
from txfuzz.errors import UsageError

STEM: Mapping[Kind, str] = {Kind.LIST_APPEND: "list_append", Kind.RW_REGISTER: "rw_register"}
# The micro-operation that writes
WRITE_FUNCTION: Mapping[Kind, str] = {Kind.LIST_APPEND: "append", Kind.RW_REGISTER: "w"}
TABLE_PREFIX = "txfuzz_"
ROWS_AT_ONCE = 500  # in one INSERT

Connection = TypeVar("Connection")


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one kind of history: physical key k lives in table k modulo `count`.

    schema: where they are, in the database's own terms; none where there is but one place. prefix: what
    their names begin with. quote: what the database puts around names.
    """

    kind: Kind
    schema: str = ""
    count: int = 1
    prefix: str = TABLE_PREFIX
    quote: str = '"'

    @property
    def stem(self) -> str:
        return self.prefix + STEM[self.kind]

    def name(self, index: int) -> str:
        return self.stem if index == 0 else f"{self.stem}_{index}"

    def qualified(self, index: int) -> str:
        """With its schema, quoted, for the text of a statement."""
        return self.inside_schema(self.name(index))

    def inside_schema(self, name: str) -> str:
        """A table of this name there, for the text of a statement."""
        quote = self.quote
        return f"{quote}{self.schema.replace(quote, 2 * quote)}{quote}.{name}" if self.schema else name

    def among(self, names: Iterable[str]) -> list[str]:
        """Those that are ours, also of an earlier campaign that had more of them."""
        pattern = re.compile(re.escape(self.stem) + r"(_\d+)?")
        return [name for name in names if pattern.fullmatch(name)]


class TableMaker(ABC, Generic[Connection]):
    """Makes and fills the tables, over connections of one product. To be subclassed for each.

    key: how the column `key` is written. key_type, val_types: what the catalogue calls the types of our
    columns. val_columns: how the column `val` is declared. empty: the value of a row that holds nothing yet.
    ending: what comes after the columns. insert, on_duplicate: an INSERT that leaves present rows alone.
    """

    key: ClassVar[str] = "key"
    key_type: ClassVar[str]
    val_types: ClassVar[Mapping[Kind, str]]
    val_columns: ClassVar[Mapping[Kind, str]]
    empty: ClassVar[Mapping[Kind, str]] = {Kind.LIST_APPEND: "''", Kind.RW_REGISTER: "NULL"}
    ending: ClassVar[str] = ""
    insert: ClassVar[str] = "INSERT INTO"
    on_duplicate: ClassVar[str] = " ON CONFLICT DO NOTHING"

    @abstractmethod
    def run(self, on: Connection, sql: str) -> Sequence[Sequence[Any]]:
        """Run one statement; its rows, where it has any."""

    @abstractmethod
    def names(self, on: Connection, tables: Tables) -> Iterable[str]:
        """What all tables of the schema are called."""

    @abstractmethod
    def column_types(self, on: Connection, tables: Tables, name: str) -> Mapping[str, str]:
        """The columns of a table, and their types as the catalogue has them."""

    def prepare(self, on: Connection, tables: Tables, *, fresh: bool) -> int:
        """Make the tables exist, new and empty when `fresh`; the highest key in any of them.

        UsageError for a table of our name that is not ours: it must not be written to.
        """
        if fresh:
            self.drop(on, tables)
        present = tables.among(self.names(on, tables))
        wanted = {"key": self.key_type, "val": self.val_types[tables.kind]}
        for name in present:
            if self.column_types(on, tables, name) != wanted:
                raise UsageError(
                    f"the table {tables.schema}{'.' if tables.schema else ''}{name} is not a txfuzz table "
                    f"(key {wanted['key']}, val {wanted['val']}): "
                    f"{'choose another schema or ' if tables.schema else ''}start with init_schema"
                )
        for index in range(tables.count):
            if tables.name(index) not in present:
                self.run(on, self.create_sql(tables.qualified(index), tables.kind))
        highest = (
            self.run(on, f"SELECT max({self.key}) FROM {tables.inside_schema(name)}") for name in present
        )
        return max((rows[0][0] or 0 for rows in highest), default=0)

    def drop(self, on: Connection, tables: Tables) -> None:
        """All of this kind."""
        for name in tables.among(self.names(on, tables)):
            self.run(on, f"DROP TABLE {tables.inside_schema(name)}")

    def create_sql(self, table: str, kind: Kind) -> str:
        declared = f"{self.key} {self.key_type} NOT NULL PRIMARY KEY, val {self.val_columns[kind]}"
        return f"CREATE TABLE {table} ({declared}){self.ending}"

    def insert_empty(self, on: Connection, tables: Tables, keys: range) -> None:
        """A row without a value for every key. May be tried again after a failure."""
        for index in range(tables.count):
            mine = [key for key in keys if key % tables.count == index]
            for start in range(0, len(mine), ROWS_AT_ONCE):
                rows = self.empty_rows(mine[start : start + ROWS_AT_ONCE], tables.kind)
                into = f"{self.insert} {tables.qualified(index)} ({self.key}, val)"
                self.run(on, f"{into} VALUES {rows}{self.on_duplicate}")

    def empty_rows(self, keys: Iterable[int], kind: Kind) -> str:
        """What stands behind VALUES."""
        return ", ".join(f"({key:d}, {self.empty[kind]})" for key in keys)
