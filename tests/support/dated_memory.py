"""A database in memory of which there are versions: lost updates came with 1.10 and are gone in 3.0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from txfuzz.common.options import option
from txfuzz.database.versions import StartableServer
from txfuzz.errors import DatabaseUnavailable
from txfuzz.plugin_api import hookimpl
from txfuzz.testing import MemoryAdapter

VERSIONS = ("1.9", "1.10", "2.0", "2.1-none", "3.0")
BROKEN = ("1.10", "2.0")


@dataclass(frozen=True)
class DatedMemory(MemoryAdapter):
    """The database in memory, of several versions."""

    name: ClassVar[str] = "dated"
    about: ClassVar[str] = "a database in memory of which there are several versions"
    version: str = option("3.0", "which version to start")

    def startable(self) -> list[StartableServer]:
        return [
            StartableServer(each, {"version": each}) for each in ("1.9", "1.10", "2.0", "2.1-none", "3.0")
        ]

    def open(self, url: str | None) -> Any:
        if self.version == "2.1-none":
            raise DatabaseUnavailable("there is no 2.1 after all")
        if self.version in BROKEN:
            opened: Any = MemoryAdapter(defects=("lost-update",), every=1).open(None)
        else:
            opened = super().open(url)
        told: Mapping[str, str] = {**opened.describe(), "product": "Dated", "version": self.version}
        opened.describe = lambda: told
        return opened


@hookimpl
def txfuzz_register_adapters() -> list[type]:
    return [DatedMemory]
