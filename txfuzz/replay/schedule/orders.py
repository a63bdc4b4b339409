"""Orders of steps in which given dependencies can arise, the most promising first.

Each dependency constrains the order (Adya's definitions, for a multi-version database): a transaction that
reads from another begins after its commit if transactions have snapshots, or reads after it if statements
do; a transaction that reads a version which is then overwritten reads it before the overwriting commit.
Orders that satisfy all constraints are ranked by the predictions of a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice, pairwise, permutations

from txfuzz.replay.schedule.interleavings import Interleavings
from txfuzz.replay.schedule.mvcc_model import Access, Event, PredictedDependency, Prediction, ReadId, predict
from txfuzz.workload.replay import EDGES as KINDS

# A read, and a transaction that wrote its key
ReadAndWriter = tuple[ReadId, str]


@dataclass(frozen=True, slots=True)
class Order:
    """fits: all dependencies arise according to the model."""

    events: tuple[Event, ...]
    fits: bool


@dataclass(frozen=True, slots=True)
class WantedDependency:
    """A wanted dependency, from a step of one transaction to a step of another."""

    kind: str
    source: str
    target: str
    key: int
    source_step: int
    target_step: int


_MOST_LOOKED_AT = 2000  # interleavings to try if the constraints are not enough
_MOST_PRIORITIES = 120  # ways to rank the transactions: all of them for up to five

# How strictly (wr, ww, rw) constrain the order, from robust to minimal.
_SNAPSHOT_PLANS = (("begin", "begin", "read"), ("begin", "begin", "begin"), ("read", "write", "read"))
_STATEMENT_PLANS = (
    ("begin", "begin", "read"), ("begin", "end", "read"), ("read", "end", "read"), ("read", "write", "read"),
)  # fmt: skip


def orders(
    accesses: Mapping[str, Sequence[Access]],
    wanted: Sequence[WantedDependency],
    *,
    snapshots: bool,
    saw: Mapping[ReadAndWriter, bool] | None = None,
    ends: Sequence[str] = (),
    most: int = 10,
) -> list[Order]:
    """accesses: by alias, what each step does. saw: which reads saw whose writes, where known. snapshots:
    per transaction (otherwise per statement). ends: the recorded order of commits, if known."""
    plans = _SNAPSHOT_PLANS if snapshots else _STATEMENT_PLANS
    found: dict[tuple[Event, ...], int] = {}
    for tier, plan in enumerate(plans):
        before = _constraints(accesses, wanted, plan)
        exact = before | _sights(accesses, saw or {}, plan)
        for priority in islice(permutations(accesses), _MOST_PRIORITIES):
            for order in (*_extensions(accesses, exact, priority), *_extensions(accesses, before, priority)):
                found.setdefault(order, tier)
    asked = {(each.kind, each.source, each.target, each.key) for each in wanted if each.kind in KINDS}
    predicted = {order: predict(order, accesses, snapshots=snapshots) for order in found}
    if not any(asked <= each.links for each in predicted.values()):
        for order in islice(Interleavings(accesses).all(), _MOST_LOOKED_AT):
            prediction = predict(order, accesses, snapshots=snapshots)
            if asked <= prediction.links:
                found[order], predicted[order] = len(plans), prediction
    ranked = sorted(
        found,
        key=lambda order: _rank(order, found[order], accesses, asked, saw or {}, predicted[order], ends),
    )
    return [Order(order, asked <= predicted[order].links) for order in ranked[:most]]


def _rank(
    order: tuple[Event, ...],
    tier: int,
    accesses: Mapping[str, Sequence[Access]],
    asked: AbstractSet[PredictedDependency],
    saw: Mapping[ReadAndWriter, bool],
    prediction: Prediction,
    ends: Sequence[str],
) -> tuple[object, ...]:
    """Smaller is more promising."""
    commits = [alias for alias, step in order if step == len(accesses[alias])]
    switches = sum(one[0] != two[0] for one, two in pairwise(order))
    return (
        len(asked - prediction.links),
        len(prediction.refused),
        sum((writer in prediction.seen.get(read, ())) != seen for (read, writer), seen in saw.items()),
        prediction.waits,
        commits != list(ends) if ends else False,
        tier,
        switches,
        order,
    )


def _constraints(
    accesses: Mapping[str, Sequence[Access]], wanted: Sequence[WantedDependency], plan: tuple[str, str, str]
) -> set[tuple[Event, Event]]:
    wr, ww, rw = plan
    found: set[tuple[Event, Event]] = set()
    for each in wanted:
        first, meets = (each.target, 0), (each.target, each.target_step)
        end = (each.source, len(accesses[each.source]))
        acts = (each.source, each.source_step)
        if each.kind == "wr":
            found.add((end, first if wr == "begin" else meets))
        elif each.kind == "ww":
            found.add({"begin": (end, first), "end": (end, meets), "write": (acts, meets)}[ww])
        elif each.kind == "rw":
            committed = (each.target, len(accesses[each.target]))
            found.add(((each.source, 0) if rw == "begin" else acts, committed))
        else:  # order in real time or within a process
            found.add((end, first))
    return found


def _sights(
    accesses: Mapping[str, Sequence[Access]], saw: Mapping[ReadAndWriter, bool], plan: tuple[str, str, str]
) -> set[tuple[Event, Event]]:
    found: set[tuple[Event, Event]] = set()
    for ((reader, step, _), writer), seen in saw.items():
        end = (writer, len(accesses[writer]))
        if seen:
            found.add((end, (reader, 0 if plan[0] == "begin" else step)))
        else:
            found.add(((reader, 0 if plan[2] == "begin" else step), end))
    return found


def _extensions(
    accesses: Mapping[str, Sequence[Access]], before: set[tuple[Event, Event]], priority: Sequence[str]
) -> Iterator[tuple[Event, ...]]:
    """Up to two orders that satisfy the constraints: the current transaction runs on as long as possible, or
    until just before its commit. None if the constraints contradict each other."""
    for hold_commits in (False, True):
        done: dict[str, int] = dict.fromkeys(accesses, 0)
        order: list[Event] = []
        current: str | None = None
        while True:
            ready = [
                alias
                for alias in priority
                if done[alias] <= len(accesses[alias])
                and all(done[one[0]] > one[1] for one, two in before if two == (alias, done[alias]))
            ]
            if not ready:
                break
            if hold_commits:
                ready.sort(key=lambda alias: done[alias] == len(accesses[alias]))
            stays = current in ready and not (
                hold_commits and done[str(current)] == len(accesses[str(current)])
            )
            current = current if stays and current is not None else ready[0]
            order.append((current, done[current]))
            done[current] += 1
        if all(count == len(accesses[alias]) + 1 for alias, count in done.items()):
            yield tuple(order)
