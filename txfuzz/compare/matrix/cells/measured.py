"""What asking a question came to, and where it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from txfuzz.common.secrets import SecretText
from txfuzz.compare.matrix.cell import Outcome
from txfuzz.compare.matrix.rows import MatrixRow
from txfuzz.database.api import Adapter, Database
from txfuzz.plugin.registry import Registry


@dataclass(frozen=True)
class Place:
    """An open database of a row. goes_on: whether it is to go on, asked often."""

    row: MatrixRow
    adapter: Adapter
    database: Database
    registry: Registry
    seed: int
    url: SecretText | None
    plugin_files: tuple[Path, ...]
    goes_on: Callable[[], bool]


@dataclass(frozen=True)
class Measured:
    """See MatrixCell."""

    outcome: Outcome = Outcome.NONE
    found: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    transactions: int = 0
    schedules: int = 0
    whole: bool = True
    why: str = ""
    unsaid: bool = False

    def with_found(self, found: Sequence[str], broken: Sequence[str]) -> Measured:
        outcome = Outcome.BROKEN if broken else Outcome.ALLOWED
        return replace(self, outcome=outcome, found=tuple(found), broken=tuple(broken))

    def with_remark(self, why: str) -> Measured:
        return replace(self, why=why)

    def as_unknown(self, why: str) -> Measured:
        return replace(self, outcome=Outcome.UNKNOWN, why=why, whole=False)


def not_offered(why: str) -> Measured:
    return Measured(Outcome.NOT_OFFERED, why=why)


def unknown(why: str) -> Measured:
    return Measured(Outcome.UNKNOWN, whole=False, why=why)
