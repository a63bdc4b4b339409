"""What of a database a campaign may vary: the plans it takes, its tables and indexes, rows that were deleted.

An adapter declares which of its options may be varied, and to which values. None of them may change what a
level promises, or what a transaction means: the same transactions run another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from txfuzz.common.kind import Kind
from txfuzz.database.api import Adapter, Database
from txfuzz.errors import PluginError

PLANS = "plans"
LAYOUT = "layout"
VARIATION_KINDS = (PLANS, LAYOUT)


@dataclass(frozen=True, slots=True)
class Variation:
    """An option of an adapter that may change from one iteration to the next.

    option: its name. kind: PLANS for how statements get at rows, LAYOUT for tables and indexes, which makes
    new tables. values: at least two, all of one type (text, numbers or booleans). splits: it decides which
    keys share a table, so a statement on several keys of {table} cannot do with it.
    """

    option: str
    kind: str
    values: tuple[Any, ...]
    splits: bool = False


@runtime_checkable
class Varies(Protocol):
    """An additional method of adapters. Their databases then are TakesVariations."""

    def variations(self) -> tuple[Variation, ...]:
        """Known without a connection; may depend on the options, but not on those that are varied."""


@runtime_checkable
class TakesVariations(Protocol):
    """An additional method of a Database whose adapter Varies."""

    def vary(self, options: Mapping[str, Any]) -> None:
        """From the next prepare() and session() on, these options have these values.

        Where prepare() finds tables that this database has made with another layout, it makes them anew,
        even without `fresh`. Tables that were there before it was opened stay as they are.
        """


@runtime_checkable
class DeletesRows(Protocol):
    """An additional method of a Database if the adapter has `deleted_rows`."""

    def delete_rows(self, kind: Kind, keys: range) -> None:
        """Delete the rows of these physical keys, which exist and nobody has used, and commit."""


def variations_of(adapter: Adapter) -> tuple[Variation, ...]:
    """None for an adapter that declares none. PluginError if they are no variations."""
    if not isinstance(adapter, Varies):
        return ()
    told: object = adapter.variations()
    if not isinstance(told, tuple) or not all(
        isinstance(each, Variation) and each.kind in VARIATION_KINDS and hasattr(adapter, each.option)
        for each in told
    ):
        raise PluginError(
            f"adapter {adapter.name!r} gave {told!r} as its variations, expected a tuple of "
            "txfuzz.Variation, each of an option that it has",
            adapter,
        )
    return told


def vary(database: Database, options: Mapping[str, Any]) -> None:
    """Give these options these values; nothing happens without options."""
    if options and isinstance(database, TakesVariations):
        database.vary(options)


def insert_rows(database: Database, kind: Kind, keys: range, rows: str) -> None:
    """Rows for keys that nobody has used, as `rows` in a workload says: "inserted", or "deleted" again.

    Deleted ones leave dead rows and index entries behind, where writers and readers then come by.
    """
    database.insert_rows(kind, keys)
    if rows == "deleted" and isinstance(database, DeletesRows):
        database.delete_rows(kind, keys)
