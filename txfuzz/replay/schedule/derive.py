"""Derives schedules that may reproduce an anomaly or close a near-cycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from txfuzz.analysis.checker.consistency import canonical, implies
from txfuzz.analysis.result import Anomaly, Edge, NearCycle, TransactionView
from txfuzz.common.kind import Kind
from txfuzz.history.model import FAIL, NIL, READ, UNKNOWN, History
from txfuzz.replay.schedule.interleavings import sampled
from txfuzz.replay.schedule.mvcc_model import Access, ReadId
from txfuzz.replay.schedule.orders import Order, ReadAndWriter, WantedDependency, orders
from txfuzz.replay.schedule.pinned_keys import KeyRequirement, pin_keys
from txfuzz.replay.schedule.replay_workload import Aim, Role, compose
from txfuzz.workload.model import Workload
from txfuzz.workload.replay import Missing

MOST = 10  # schedules to try per near-cycle or anomaly
MOST_TRANSACTIONS = 8  # per replay, since orders multiply with each
_ORDER_EDGES = ("process", "realtime")


@dataclass(frozen=True)
class Derived:
    """candidates: replay workloads of the same transactions, the most promising first; if there are none,
    `reason` says why. fits: according to the model of a database the first one succeeds; if not, hardly
    any order of these steps does. keys: the logical keys involved."""

    candidates: tuple[Workload, ...] = ()
    fits: bool = False
    reason: str = ""
    keys: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _RowDependency:
    """A wanted dependency between rows of the history."""

    kind: str
    source: int
    target: int
    key: int | None
    source_step: int | None = None
    target_step: int | None = None


def derive_near_cycle(
    near: NearCycle, history: History, workload: Workload, promised: str, *, most: int = MOST
) -> Derived:
    """Schedules in which the path of the near-cycle recurs and its missing edge arises.

    workload: of the history. promised: the model that the isolation level promises.
    """
    gap = near.missing
    links = [_row_dependency(edge) for edge in near.path]
    links.append(_RowDependency(gap.kind, gap.source, gap.target, gap.key, gap.source_step, gap.target_step))
    aliases = _aliases(near.transactions)
    aim = Aim(near.anomaly, gap.key, Missing(gap.kind, aliases[gap.source], aliases[gap.target]))
    about = f"{near.anomaly}, if the missing {gap.kind} edge from {aliases[gap.source]} to "
    about += f"{aliases[gap.target]} on key {gap.key} arises."
    derivation = _Derivation(history, workload, promised, near.transactions, links, most, exact=False)
    return derivation.derived(aim, about, near.keys)


def derive_anomaly(
    anomaly: Anomaly, history: History, workload: Workload, promised: str, *, most: int = MOST
) -> Derived:
    """Schedules in which the anomaly recurs, derived from who read what.

    Anomalies that are not cycles of dependencies say little about the order of steps (except lost updates,
    which imply a cycle); for them, random orders are drawn.
    """
    links = [_row_dependency(edge) for edge in anomaly.edges]
    views = anomaly.transactions
    if anomaly.type == "lost-update":
        links, views = _lost_update(anomaly, history)
    keys = tuple(dict.fromkeys(link.key for link in links if link.key is not None))
    about = f"{anomaly.type}, as found in {len(views)} transactions."
    derivation = _Derivation(history, workload, promised, views, links, most, exact=True)
    return derivation.derived(Aim(anomaly.type, keys[0] if keys else None), about, keys)


def has_snapshots(promised: str) -> bool:
    """Does this model imply that transactions read from a snapshot?"""
    return implies(canonical(promised), "PL-SI")


def _row_dependency(edge: Edge) -> _RowDependency:
    return _RowDependency(
        edge.kind, edge.source, edge.target, edge.logical_key, edge.source_step, edge.target_step
    )


def _lost_update(
    anomaly: Anomaly, history: History
) -> tuple[list[_RowDependency], tuple[TransactionView, ...]]:
    """Two read the same version and wrote: the later one overwrites a version that it has not read."""
    first, second = sorted(anomaly.transactions, key=lambda view: (view.end is None, view.end))[:2]
    wrote = [
        {
            history.logical[int(history.mop_key[mop])]
            for mop in range(int(history.mops[view.row]), int(history.mops[view.row + 1]))
            if history.mop_f[mop] != READ
            and str(history.keys[int(history.mop_key[mop])]) == anomaly.record["key"]
        }
        for view in (first, second)
    ]
    key = next(iter(wrote[0] & wrote[1]), None)
    links = [
        _RowDependency("ww", first.row, second.row, key),
        _RowDependency("rw", second.row, first.row, key),
    ]
    return links, (first, second)


def _aliases(views: Sequence[TransactionView]) -> dict[int, str]:
    return {view.row: f"t{at}" for at, view in enumerate(views, 1)}


class _Derivation:
    def __init__(
        self,
        history: History,
        workload: Workload,
        promised: str,
        views: Sequence[TransactionView],
        links: Sequence[_RowDependency],
        most: int,
        *,
        exact: bool,
    ) -> None:
        """exact: the transactions should read the same values again, not only show the same links."""
        self.history, self.workload, self.views, self.links = history, workload, views, links
        self.snapshots = has_snapshots(promised)
        self.aliases = _aliases(views)
        self.exact, self.most = exact, most

    def derived(self, aim: Aim, about: str, keys: tuple[int, ...]) -> Derived:
        if len(self.views) > MOST_TRANSACTIONS:
            return Derived(reason=f"{len(self.views)} transactions are too many to reorder")
        known = {transaction.name for transaction in self.workload.transactions}
        for view in self.views:
            if view.template not in known:
                name = f"template {view.template!r}" if view.template else "no template of the workload"
                return Derived(reason=f"transaction {view.index} has {name}: it cannot be run again")
        if any(link.key is None and link.kind not in _ORDER_EDGES for link in self.links):
            return Derived(reason="a dependency is on a key that is not in the workload")
        met: dict[tuple[str, KeyRequirement], int] = {}
        roles = []
        for view in self.views:
            role = self._role(view, met)
            if role is None:
                steps = self.workload.transaction(str(view.template)).steps
                if any(step.keys_returned for step in steps):
                    reason = f"a key of {view.template!r} is returned by a statement, so it cannot be chosen"
                    return Derived(reason=reason)
                return Derived(
                    reason=f"the choices of {view.template!r} offer no keys for all of its dependencies"
                )
            roles.append(role)
        ranked = self._orders(roles, met)
        found = [order.events for order in ranked]
        rows = self.workload.keys.rows
        candidates = [
            compose(self.workload, roles, order, aim, rows="inserted", about=about) for order in found
        ]
        if rows == "fresh" and found:
            # Databases treat rows that do not exist yet differently.
            candidates.insert(
                min(1, len(candidates)), compose(self.workload, roles, found[0], aim, rows=rows, about=about)
            )
        fits = bool(ranked) and ranked[0].fits
        return Derived(tuple(candidates[: self.most]), fits, keys=keys)

    def _role(self, view: TransactionView, met: dict[tuple[str, KeyRequirement], int]) -> Role | None:
        assert view.template is not None
        alias = self.aliases[view.row]
        needs = list(dict.fromkeys(need for link in self.links for need in _needs(link, view.row)))
        pinned_transaction = pin_keys(
            self.workload.transaction(view.template), self._recorded(view.row), needs
        )
        if pinned_transaction is None:
            return None
        met.update(((alias, need), step) for need, step in zip(needs, pinned_transaction.steps, strict=True))
        ends = "rollback" if self.history.type[view.row] == FAIL else "commit"
        return Role(alias, pinned_transaction.transaction, view.template, ends)

    def _recorded(self, row: int) -> Mapping[int, Sequence[int]]:
        """Step → the logical keys of its micro-operations, in order."""
        history = self.history
        found: dict[int, list[int]] = {}
        for mop in range(int(history.mops[row]), int(history.mops[row + 1])):
            step, key = int(history.mop_step[mop]), history.logical[int(history.mop_key[mop])]
            if step >= 0 and key is not None:
                found.setdefault(step, []).append(key)
        return found

    def _orders(self, roles: Sequence[Role], met: Mapping[tuple[str, KeyRequirement], int]) -> list[Order]:
        accesses = {role.alias: role.accesses for role in roles}
        wanted = [self._wanted(link, met) for link in self.links]
        ended = sorted(self.views, key=lambda view: (view.end is None, view.end or 0))
        ends = [self.aliases[view.row] for view in ended]
        found = orders(
            accesses, wanted, snapshots=self.snapshots, saw=self._saw(accesses), ends=ends, most=self.most
        )
        if not wanted or not found:
            found = [Order(events, False) for events in sampled(accesses, self.most, self.workload.seed)]
        return found

    def _saw(self, accesses: Mapping[str, Sequence[Access]]) -> dict[ReadAndWriter, bool]:
        """For each list read of the anomaly and each other writer: did it read the append?"""
        if not self.exact or self.history.kind is not Kind.LIST_APPEND:
            return {}
        wrote: dict[int, dict[str, int]] = {}
        reads: list[tuple[ReadId, int, set[int]]] = []
        for view in self.views:
            alias = self.aliases[view.row]
            for mop in range(int(self.history.mops[view.row]), int(self.history.mops[view.row + 1])):
                key, value = int(self.history.mop_key[mop]), int(self.history.mop_value[mop])
                step, logical = int(self.history.mop_step[mop]), self.history.logical[key]
                if self.history.mop_f[mop] != READ:
                    wrote.setdefault(key, {})[alias] = value
                elif value != UNKNOWN and logical is not None:
                    elements = set() if value == NIL else set(self.history.read_elements(value).tolist())
                    reads.append(((alias, step, logical), key, elements))
        return {
            (read, writer): value in elements
            for read, key, elements in reads
            for writer, value in wrote.get(key, {}).items()
            if writer != read[0] and 0 <= read[1] < len(accesses[read[0]])
        }

    def _wanted(
        self, link: _RowDependency, met: Mapping[tuple[str, KeyRequirement], int]
    ) -> WantedDependency:
        source, target = self.aliases[link.source], self.aliases[link.target]
        steps = [met.get((self.aliases[row], need), 0) for row in (link.source, link.target)
                 for need in _needs(link, row)] or [0, 0]  # fmt: skip
        return WantedDependency(link.kind, source, target, link.key or 0, steps[0], steps[1])


def _needs(link: _RowDependency, row: int) -> list[KeyRequirement]:
    """The keys that this transaction must touch for the link."""
    if link.kind in _ORDER_EDGES or link.key is None:
        return []
    found = []
    if link.source == row:
        found.append(KeyRequirement(link.key, link.kind in ("ww", "wr"), link.source_step))
    if link.target == row:
        found.append(KeyRequirement(link.key, link.kind in ("ww", "rw"), link.target_step))
    return found
