"""The tables that hold the keys, for every SQL database: their names and creation."""

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

    schema: in the database's own terms; empty if it has none. prefix: of their names. quote: the quotation
    mark for names. layout: how each is made, in the adapter's words; empty if there is only one way.
    """

    kind: Kind
    schema: str = ""
    count: int = 1
    prefix: str = TABLE_PREFIX
    quote: str = '"'
    layout: str = ""

    @property
    def stem(self) -> str:
        return self.prefix + STEM[self.kind]

    def name(self, index: int) -> str:
        return self.stem if index == 0 else f"{self.stem}_{index}"

    def qualified(self, index: int) -> str:
        """The name of a table with its schema, quoted for SQL."""
        return self.inside_schema(self.name(index))

    def inside_schema(self, name: str) -> str:
        """A table name with its schema, for SQL."""
        quote = self.quote
        return f"{quote}{self.schema.replace(quote, 2 * quote)}{quote}.{name}" if self.schema else name

    def among(self, names: Iterable[str]) -> list[str]:
        """Our tables among these names, including those of an earlier campaign that had more."""
        pattern = re.compile(re.escape(self.stem) + r"(_\d+)?")
        return [name for name in names if pattern.fullmatch(name)]


class TableMaker(ABC, Generic[Connection]):
    """Creates and fills the tables. To be subclassed for each product.

    key: the column `key`, quoted if necessary. key_type, val_types: types of our columns in the catalogue.
    val_columns: declarations of the column `val`. empty: the value of an empty row. ending: after the
    columns. insert, on_duplicate: an INSERT that leaves existing rows unchanged.
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
        """Run one statement; its rows, if any."""

    @abstractmethod
    def names(self, on: Connection, tables: Tables) -> Iterable[str]:
        """The names of all tables in the schema."""

    @abstractmethod
    def column_types(self, on: Connection, tables: Tables, name: str) -> Mapping[str, str]:
        """Column → type, as in the catalogue."""

    def prepare(self, on: Connection, tables: Tables, *, fresh: bool) -> int:
        """Create the tables if necessary, or anew if `fresh`; the highest key in any of them.

        Raises UsageError for a table with our name but other columns.
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
                for sql in self.create_statements(tables.qualified(index), tables.kind, tables.layout):
                    self.run(on, sql)
        highest = (
            self.run(on, f"SELECT max({self.key}) FROM {tables.inside_schema(name)}") for name in present
        )
        return max((rows[0][0] or 0 for rows in highest), default=0)

    def drop(self, on: Connection, tables: Tables) -> None:
        """Drop all tables of this kind."""
        for name in tables.among(self.names(on, tables)):
            self.run(on, f"DROP TABLE {tables.inside_schema(name)}")

    def create_sql(self, table: str, kind: Kind) -> str:
        declared = f"{self.key} {self.key_type} NOT NULL PRIMARY KEY, val {self.val_columns[kind]}"
        return f"CREATE TABLE {table} ({declared}){self.ending}"

    def create_statements(self, table: str, kind: Kind, layout: str) -> tuple[str, ...]:
        """What makes a table with this layout: override it if there are several."""
        return (self.create_sql(table, kind),)

    def delete(self, on: Connection, tables: Tables, keys: range) -> None:
        """Delete the rows of these keys. May be repeated after a failure."""
        for index in range(tables.count):
            where = f"{self.key} BETWEEN {keys[0]:d} AND {keys[-1]:d}"
            self.run(on, f"DELETE FROM {tables.qualified(index)} WHERE {where}")

    def insert_empty(self, on: Connection, tables: Tables, keys: range) -> None:
        """Insert an empty row for every key. May be repeated after a failure."""
        for index in range(tables.count):
            mine = [key for key in keys if key % tables.count == index]
            for start in range(0, len(mine), ROWS_AT_ONCE):
                rows = self.empty_rows(mine[start : start + ROWS_AT_ONCE], tables.kind)
                into = f"{self.insert} {tables.qualified(index)} ({self.key}, val)"
                self.run(on, f"{into} VALUES {rows}{self.on_duplicate}")

    def empty_rows(self, keys: Iterable[int], kind: Kind) -> str:
        """The rows after VALUES."""
        return ", ".join(f"({key:d}, {self.empty[kind]})" for key in keys)
