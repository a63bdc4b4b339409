"""The adapter `memory`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from txfuzz.database.api import Capabilities
from txfuzz.database.endpoints import EndpointRole, EndpointUse, Promise
from txfuzz.database.variations import LAYOUT, Variation
from txfuzz.database.variations import PLANS as VARIED_PLANS
from txfuzz.testing.memory.backend import DEFAULT_LEVEL, LEVELS
from txfuzz.testing.memory.database import MemoryDatabase
from txfuzz.testing.memory.defects import FORMS, LAYOUTS, PLANS, MemoryOptions
from txfuzz.testing.memory.fault_injection import ABILITIES
from txfuzz.testing.memory.session import LOCK, PRIMARY, REPLICA, REPLICA_LEVELS


@dataclass(frozen=True)
class MemoryAdapter(MemoryOptions):
    """An in-process multi-version database, for testing plugins and for experiments.

    Without `defects` every level keeps its promise; with them it breaks in known ways
    (txfuzz.testing.memory.defects), so that findings can be checked against the truth.
    """

    name: ClassVar[str] = "memory"
    about: ClassVar[str] = "a small in-process database that can be given defects, for testing plugins"
    only_by_name: ClassVar[bool] = True

    def capabilities(self) -> Capabilities:
        return Capabilities(
            isolation={word: level.promises for word, level in LEVELS.items()},
            default_isolation=DEFAULT_LEVEL,
            locks=frozenset({LOCK}),
            lock_waits=True,
            embedded=True,
            faults=ABILITIES,
            endpoints={
                PRIMARY: EndpointRole(tuple(LEVELS)),
                REPLICA: EndpointRole(REPLICA_LEVELS, read_only=True),
            },
            forms=FORMS,
            deleted_rows=True,
        )

    def promise_across(self, uses: Sequence[EndpointUse], faults: Collection[str]) -> Promise:
        """See txfuzz.database.endpoints.HasEndpoints. A replica is never late."""
        used = {level for use in uses for level in use.levels}
        return Promise(next(level.promises for word, level in LEVELS.items() if word in used))

    def variations(self) -> tuple[Variation, ...]:
        """See txfuzz.database.variations.Varies."""
        return Variation("plan", VARIED_PLANS, PLANS), Variation("layout", LAYOUT, LAYOUTS)

    def servers(self) -> tuple[str, ...]:
        """See txfuzz.database.api.Embeds."""
        return ("this process",)

    def open(self, url: str | None) -> MemoryDatabase:
        return MemoryDatabase(self, url_given=url is not None)
