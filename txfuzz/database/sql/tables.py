"""What the tables are called that hold the keys; the same in every SQL database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from txfuzz.common.kind import Kind

STEM: Mapping[Kind, str] = {Kind.LIST_APPEND: "list_append", Kind.RW_REGISTER: "rw_register"}
WRITE_FUNCTION: Mapping[Kind, str] = {
    Kind.LIST_APPEND: "append",
    Kind.RW_REGISTER: "w",
}  # its micro-operation
TABLE_PREFIX = "txfuzz_"


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one kind of history: physical key k lives in table k modulo `count`.

    schema: where they are, in the database's own terms. prefix: what their names begin with. quote: what
    the database puts around names.
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
        quote = self.quote
        return f"{quote}{self.schema.replace(quote, 2 * quote)}{quote}.{self.name(index)}"

    def among(self, names: Iterable[str]) -> list[str]:
        """Those that are ours, also of an earlier campaign that had more of them."""
        pattern = re.compile(re.escape(self.stem) + r"(_\d+)?")
        return [name for name in names if pattern.fullmatch(name)]
