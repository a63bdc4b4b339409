"""The types of cycles, and the models that a cycle of given edges breaks: tables.

Definitions: G0, G1c, G2-item after Adya, Liskov, O'Neil (2000); G-single after Adya (1999);
G-nonadjacent: Cerone & Gotsman, "Analysing Snapshot Isolation" (2016), a cycle without two
adjacent anti-dependencies; with session and real-time order after Daudjee & Salem (2004).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from txfuzz.analysis.checker.scc_graph import ONWARD
from txfuzz.analysis.dependencies.edges import PROCESS, REALTIME, RW, WR, WW


def bits_of(*kinds: int) -> int:
    return sum(1 << kind for kind in kinds)


@dataclass(frozen=True)
class CycleType:
    """One type, and the parameters of the search for it.

    rest: bits of the edges that a cycle may contain besides anti-dependencies. order: the kind of
    order edge that it must contain, or None. family: G0, G1c, G-single-item, … without suffix.
    broken_by: the `…-cycle-exists` that any such cycle entails.
    """

    name: str
    family: str
    rest: int
    order: int | None
    broken_by: str


@dataclass(frozen=True)
class CycleExists:
    """A cycle in the projection to `edges` breaks `model`, whatever its type.

    spaced: each of its rw edges directly follows an edge of another kind.
    """

    name: str
    model: str
    edges: int
    spaced: bool = False


_NO_ORDER = bits_of(WW, WR)
_ORDERS = (
    (None, "", "", "PL-SI", "PL-3"),
    (PROCESS, "-process", "strong-session-", "strong-session-snapshot-isolation",
     "strong-session-serializable"),
    (REALTIME, "-realtime", "strong-", "strong-snapshot-isolation", "PL-SS"),
)  # fmt: skip


def _exists() -> tuple[CycleExists, ...]:
    found = []
    for order, _, prefix, snapshot, serializable in _ORDERS:
        also = 0 if order is None else bits_of(order)
        edges = bits_of(WW, WR, RW, ONWARD) | also
        found += [
            CycleExists(f"{prefix}PL-1-cycle-exists", f"{prefix}PL-1", bits_of(WW) | also),
            CycleExists(f"{prefix}PL-2-cycle-exists", f"{prefix}PL-2", _NO_ORDER | also),
            CycleExists(f"{snapshot}-cycle-exists", snapshot, edges, spaced=True),
        ]
        if order is None:
            found.append(CycleExists("PL-2.99-cycle-exists", "PL-2.99", edges))
        found.append(CycleExists(f"{serializable}-cycle-exists", serializable, edges))
    return tuple(found)


def _types() -> tuple[CycleType, ...]:
    found = []
    for order, suffix, prefix, snapshot, serializable in _ORDERS:
        also = 0 if order is None else bits_of(order)
        for family, rest, model in (
            ("G0", bits_of(WW), f"{prefix}PL-1"),
            ("G1c", _NO_ORDER, f"{prefix}PL-2"),
            ("G-single-item", _NO_ORDER, snapshot),
            ("G-nonadjacent-item", _NO_ORDER, snapshot),
            ("G2-item", _NO_ORDER, serializable),
        ):
            found.append(CycleType(family + suffix, family, rest | also, order, f"{model}-cycle-exists"))
    return tuple(found)


CYCLE_EXISTS = _exists()
# Every type comes after those that are instances of it.
CYCLE_TYPES = _types()


def type_of(kinds: Sequence[int]) -> str:
    """The type of a cycle whose edges, in order, have these kinds."""
    suffix = "-realtime" if REALTIME in kinds else "-process" if PROCESS in kinds else ""
    rw = [kind == RW for kind in kinds]
    if not any(rw):
        return ("G1c" if WR in kinds else "G0") + suffix
    if sum(rw) == 1:
        return "G-single-item" + suffix
    adjacent = any(here and after for here, after in zip(rw, [*rw[1:], rw[0]], strict=True))
    return ("G2-item" if adjacent else "G-nonadjacent-item") + suffix
