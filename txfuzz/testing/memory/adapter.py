"""The adapter `memory`: its options, and what it can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from txfuzz.common.options import check, option
from txfuzz.database.api import Capabilities
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.testing.memory.defects import DEFECTS
from txfuzz.testing.memory.fault_injection import ABILITIES
from txfuzz.testing.memory.levels import DEFAULT, LEVELS
from txfuzz.testing.memory.session import LOCK

if TYPE_CHECKING:
    from txfuzz.testing.memory.database import MemoryDatabase


@dataclass(frozen=True)
class MemoryAdapter:
    """A multi-version database in this process, for tests of plugins and for trying things out.

    Without `defects` every level keeps its promise. With them it breaks it in known ways
    (txfuzz.testing.memory.defects), so that what is found can be held against the truth.
    """

    name: ClassVar[str] = "memory"
    about: ClassVar[str] = "a small database in this process, with defects to plant, for tests of plugins"
    only_by_name: ClassVar[bool] = True

    defects: tuple[str, ...] = option((), f"what it does wrong: any of {', '.join(DEFECTS)}")
    probability: float = option(0.1, "how likely a defect strikes where it would change something", least=0.0)
    every: int = option(0, "a defect strikes at every so many opportunities; 0: by chance", least=0)
    defect_seed: int = option(0, "what the chances of the defects are drawn from")
    latency: float = option(0.00002, "seconds that an answer takes at least", least=0.0)

    def __post_init__(self) -> None:
        check(self, "memory")
        for name in self.defects:
            if name not in DEFECTS:
                raise UsageError(f"memory: there is no defect {name!r}: {did_you_mean(str(name), DEFECTS)}")

    def capabilities(self) -> Capabilities:
        return Capabilities(
            isolation={word: level.promises for word, level in LEVELS.items()},
            default_isolation=DEFAULT,
            locks=frozenset({LOCK}),
            lock_waits=True,
            embedded=True,
            faults=ABILITIES,
        )

    def servers(self) -> tuple[str, ...]:
        """See txfuzz.database.api.Embeds."""
        return ("this process",)

    def open(self, url: str | None) -> MemoryDatabase:
        from txfuzz.testing.memory.database import MemoryDatabase

        return MemoryDatabase(self, url_given=url is not None)
