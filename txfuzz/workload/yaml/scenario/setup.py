"""`setup:` — the statements that make the tables, each with its place in the file that it stands in."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from txfuzz.workload.sql.statements import UnfinishedStatement, split_statements
from txfuzz.workload.sql.tables import tables_of
from txfuzz.workload.yaml.nodes import Node, Place
from txfuzz.workload.yaml.reader import read_text

_LINE_END = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")  # as YAML counts lines
_SETUP = "SQL text, a list of statements, or {file: schema.sql}"
_HEAD = 1000  # characters that tell what a statement does; the values of an INSERT may be many
_STDIN = re.compile(r"copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class PlacedStatement:
    text: str
    place: Place


class SqlTexts:
    """Reads SQL out of a scenario file.

    text: of that file. backslash_escapes: see split_statements.
    """

    def __init__(self, text: str, backslash_escapes: bool) -> None:
        self._lines = _LINE_END.split(text)
        self._backslash_escapes = backslash_escapes

    def one(self, node: Node, what: str) -> PlacedStatement:
        """A single statement. what: "an SQL statement"."""
        statements = self.split(node, what)
        if len(statements) > 1:
            raise statements[1].place.error(f"found a second statement in {what}", "one statement")
        return statements[0]

    def split(self, node: Node, what: str) -> tuple[PlacedStatement, ...]:
        """At least one statement."""
        text = node.value
        if not isinstance(text, str) or not text.strip():
            raise node.unexpected(f"{what} (text)")
        if "\0" in text:
            raise node.place.error("found a NUL character in SQL", "text")
        lines = _Lines(text)
        try:
            found = split_statements(text, backslash_escapes=self._backslash_escapes)
        except UnfinishedStatement as error:
            at = lines.at(error.start)
            raise self._inside(node, at, text[error.start :]).error(error.found, error.expected) from None
        if not found:
            raise node.place.error("found SQL without a statement", what)
        return tuple(
            PlacedStatement(each.text, self._inside(node, lines.at(each.start), each.text)) for each in found
        )

    def setup(self, node: Node) -> tuple[PlacedStatement, ...]:
        """All statements of the setup. Files are looked for beside the scenario."""
        if isinstance(node.value, tuple):
            if not node.value:
                raise node.unexpected(_SETUP)
            return tuple(each for item in node.value for each in self._part(item))
        return self._part(node)

    def _part(self, node: Node) -> tuple[PlacedStatement, ...]:
        if isinstance(node.value, Mapping):
            found = self._file(node)
        elif isinstance(node.value, str):
            found = self.split(node, "SQL that makes the tables")
        else:
            raise node.unexpected(_SETUP)
        for each in found:
            _check_runs_alone(each)
        return found

    def _file(self, node: Node) -> tuple[PlacedStatement, ...]:
        named = node.fields("`setup`", ("file",), ("file",))["file"]
        path = Path(node.place.source).parent / named.text("the name of a file with SQL")
        with named.place.added_to_errors():
            if not path.is_file():
                raise named.place.error(
                    f"found {named.value!r}, which is not a file", "a file with SQL beside the scenario"
                )
        text = read_text(path)
        lines = _Lines(text)
        if "\0" in text:
            place = Place(str(path), *lines.at(text.index("\0")))
            raise place.error("found a NUL character in SQL", "text")
        try:
            found = split_statements(text, backslash_escapes=self._backslash_escapes)
        except UnfinishedStatement as error:
            place = Place(str(path), *lines.at(error.start))
            raise place.error(error.found, error.expected) from None
        if not found:
            raise named.place.error(f"found {named.value!r}, a file without a statement", "SQL")
        return tuple(PlacedStatement(each.text, Place(str(path), *lines.at(each.start))) for each in found)

    def _inside(self, node: Node, at: tuple[int, int], text: str) -> Place:
        """Where a line and a column of a text are in the file; the place of the text where that cannot be
        told. text: what stands there."""
        number, column = at
        place = node.place
        if node.style == "|":
            line = self._line(place.line + number)
            indent = line.find(text.partition("\n")[0], column - 1) - (column - 1)
            if indent >= 0 and not line[:indent].strip():
                return Place(place.source, place.line + number, indent + column)
        elif number == 1 and node.style in ("", "'", '"') and isinstance(node.value, str):
            start = place.column - 1 + len(node.style)
            if self._line(place.line).startswith(node.value[: column - 1], start):
                return Place(place.source, place.line, start + column)
        return place

    def _line(self, number: int) -> str:
        return self._lines[number - 1] if number <= len(self._lines) else ""


def _check_runs_alone(statement: PlacedStatement) -> None:
    """Each statement of the setup is a transaction of its own."""
    tables = tables_of(statement.text[:_HEAD])
    if tables.ends or tables.savepoint:
        raise statement.place.error(
            f"found {tables.verb.upper()}, which controls a transaction",
            "only statements that make tables and rows",
            "each is committed by itself",
        )
    if _STDIN.match(statement.text[:_HEAD]):
        raise statement.place.error("found COPY … FROM stdin, whose rows only a client can send", "INSERT")


class _Lines:
    """Lines and columns of a text, from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(end.end() for end in re.finditer("\n", text))]

    def at(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1
