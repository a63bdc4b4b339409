"""Which kinds of change a campaign may make to a workload: `mutate` in its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Kind of change → what it covers. Those up to `timing` leave alone what transactions do.
KINDS: Mapping[str, str] = {
    "keys": "which of their keys choices draw from, and how often each generation is written",
    "mix": "the weights of transactions",
    "scheduling": "clients, barriers, and whether iterations start from empty tables",
    "timing": "pauses inside transactions, and how their statements are sent",
    "rows": "whether rows are inserted, or deleted again, before they are used",
    "locks": "the locks of reads",
    "forms": "how reads and writes are written as statements",
    "plans": "how the database gets at rows",
    "layout": "the tables and their indexes",
    "isolation": "the isolation levels of transactions",
    "faults": "when faults strike",
    "transactions": "the operations of transactions, and their order",
}
DEFAULT = ("keys", "mix", "scheduling", "timing")


@dataclass(frozen=True, slots=True)
class AllowedChanges:
    """What feedback may change, so that a finding is still one of the owner's workload.

    kinds: of KINDS, in that order. levels, locks: for these kinds, the database's words to choose from;
    rows: those of `keys.rows`; forms: those of each operation. plans, layout: option of the adapter → its
    values to choose from. Until an adapter settles them (`levels` and `variations` of `database/`), none
    stands for all that do not weaken what the workload is promised.
    """

    kinds: tuple[str, ...] = DEFAULT
    levels: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plans: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    layout: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def varied(self) -> tuple[str, ...]:
        """The options of the adapter that may change."""
        return (*self.plans, *self.layout)

    def __contains__(self, kind: object) -> bool:
        return kind in self.kinds


EVERYTHING = AllowedChanges(tuple(KINDS))
