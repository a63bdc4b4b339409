"""What a hunt is after."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from txfuzz.hunt.judging.known import KnownHole
from txfuzz.hunt.judging.wrong import Promise


@dataclass(frozen=True)
class Quarry:
    """What is asked of which database. levels: the database's words → what it promises there. internal: see
    Capabilities.internal_errors. version: the server's."""

    levels: Mapping[str, Promise]
    internal: Collection[str] = ()
    known: Sequence[KnownHole] = ()
    version: tuple[int, ...] = ()

    @property
    def serial(self) -> bool:
        """Does every level promise a serial order?"""
        return all(promise.serial for promise in self.levels.values())
