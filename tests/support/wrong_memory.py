"""The database in memory with defects in its sessions, or in what is around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from txfuzz.testing import AdapterConformance, MemoryAdapter
from txfuzz.testing.memory.database import MemoryDatabase
from txfuzz.testing.memory.session import MemorySession


@dataclass(frozen=True)
class Wrong(MemoryAdapter):
    """The database in memory, with other sessions or another database."""

    session: ClassVar[type[MemorySession]] = MemorySession
    database: ClassVar[type[MemoryDatabase]] = MemoryDatabase

    def open(self, url: str | None) -> Any:
        opened = self.database(self, url_given=False)
        make = self.session

        def session(kind: Any) -> MemorySession:
            return make(opened._reachable(kind), kind, self.latency)

        opened.session = session  # type: ignore[method-assign]
        return opened


class Conformance(AdapterConformance):
    """caught_by: the checks that must fail."""

    patience = 1.0
    caught_by: ClassVar[tuple[str, ...]]


def wrong(
    session: type[MemorySession] = MemorySession, database: type[MemoryDatabase] = MemoryDatabase
) -> Any:
    members = {"session": session, "database": database, "__annotations__": {}}
    return dataclass(frozen=True)(type("WrongAdapter", (Wrong,), members))()
