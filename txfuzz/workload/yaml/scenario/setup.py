"""`setup:` — the statements that make the tables, each with its place in the file that it stands in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from txfuzz.workload.sql.statements import UnfinishedStatement, WrittenStatement, split_statements
from txfuzz.workload.sql.tables import tables_of
from txfuzz.workload.yaml.nodes import Node, Place
from txfuzz.workload.yaml.reader import read_text

_LINE_END = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")  # as YAML counts lines
_SETUP = "SQL text, a list of statements, or {file: schema.sql}"
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
        try:
            found = split_statements(text, backslash_escapes=self._backslash_escapes)
        except UnfinishedStatement as error:
            raise self._inside(node, error.start).error(error.found, error.expected) from None
        if not found:
            raise node.place.error("found SQL without a statement", what)
        return tuple(PlacedStatement(each.text, self._inside(node, each.start)) for each in found)

    def setup(self, node: Node) -> tuple[PlacedStatement, ...]:
        """All statements of the setup. Files are looked for beside the scenario."""
        if isinstance(node.value, tuple):
            if not node.value:
                raise node.unexpected(_SETUP)
            return tuple(each for item in node.value for each in self.setup(item))
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
        if "\0" in text:
            raise _place_in(text, str(path), text.index("\0")).error("found a NUL character in SQL", "text")
        try:
            found = split_statements(text, backslash_escapes=self._backslash_escapes)
        except UnfinishedStatement as error:
            raise _place_in(text, str(path), error.start).error(error.found, error.expected) from None
        if not found:
            raise named.place.error(f"found {named.value!r}, a file without a statement", "SQL")
        return _placed(found, text, str(path))

    def _inside(self, node: Node, start: int) -> Place:
        """Where this offset of a text is in the file; the place of the text where that cannot be told."""
        assert isinstance(node.value, str)
        before = node.value[:start]
        number = before.count("\n")
        column = start - (before.rfind("\n") + 1)
        place = node.place
        line = self._line(place.line + 1 + number) if node.style == "|" else self._line(place.line)
        if node.style == "|":
            its = node.value.split("\n")[number]
            if line.endswith(its):
                return Place(place.source, place.line + 1 + number, len(line) - len(its) + column + 1)
        elif number == 0 and node.style in ("", "'", '"'):
            quote = len(node.style)
            if line.startswith(before, place.column - 1 + quote):
                return Place(place.source, place.line, place.column + quote + column)
        return place

    def _line(self, number: int) -> str:
        return self._lines[number - 1] if number <= len(self._lines) else ""


def _check_runs_alone(statement: PlacedStatement) -> None:
    """Each statement of the setup is a transaction of its own."""
    tables = tables_of(statement.text)
    if tables.ends or tables.savepoint:
        raise statement.place.error(
            f"found {tables.verb.upper()}, which controls a transaction",
            "only statements that make tables and rows",
            "each is committed by itself",
        )
    if _STDIN.match(statement.text):
        raise statement.place.error("found COPY … FROM stdin, whose rows only a client can send", "INSERT")


def _placed(found: Sequence[WrittenStatement], text: str, source: str) -> tuple[PlacedStatement, ...]:
    return tuple(PlacedStatement(each.text, _place_in(text, source, each.start)) for each in found)


def _place_in(text: str, source: str, offset: int) -> Place:
    before = text[:offset]
    return Place(source, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)
