"""Which schedules a small-scope search runs, and in which order.

Of each combination of transactions it takes a few ways to share keys, and of each way the orders with the
fewest preemptions. Schedules in which a weaker database, one that only keeps snapshots or only reads what is
committed, would show a cycle of dependencies say most: a database shows the cycle or defends against it. So
these come first, and every combination gets one before any gets a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import combinations, islice, pairwise

from txfuzz.replay.schedule.bounded_orders import bounded_orders
from txfuzz.replay.schedule.key_assignments import KeyAssignment, key_assignments
from txfuzz.replay.schedule.mvcc_model import Access, Event, PredictedDependency, predict
from txfuzz.replay.schedule.replay_workload import Role
from txfuzz.replay.small_scope.combinations import Combination, pairs, triples
from txfuzz.workload.model import Workload


class Weaker(Enum):
    """A database that only keeps snapshots, or only reads what is committed."""

    SNAPSHOTS = "snapshots"
    READ_COMMITTED = "read committed"


_WAYS = {2: 6, 3: 3}  # ways to share keys of each combination
_ENUMERATED = 48  # ways to look at before a sample is drawn instead
_PREEMPTIONS = {2: 2, 3: 1}
_ORDERS = 40  # orders of each way that are considered, which takes about 0.1 ms each
_EVENTS = 1_600  # in the orders of each way, if those are long: what they take grows with their length
_FEWEST_ORDERS = 4
# The first kind is the rarer one, so that a few more orders are looked at before there is enough of the other
_ENOUGH = {Weaker.SNAPSHOTS: 1, Weaker.READ_COMMITTED: 4}
_TRIPLES = 1 / 3  # the share of schedules that triples get


@dataclass(frozen=True)
class PlannedSchedule:
    """One schedule. combination: its transactions. roles: the same with their keys. rows: as in a
    workload. shown_by: the weaker database that would show a cycle, the stronger one of both; None: neither
    would."""

    combination: Combination
    roles: tuple[Role, ...]
    order: tuple[Event, ...]
    rows: str
    shown_by: Weaker | None

    @property
    def dangerous(self) -> bool:
        return self.shown_by is not None


def plan(
    workload: Workload, most: int, *, transactions: int = 3, ends: Callable[[], bool] = lambda: False
) -> list[PlannedSchedule]:
    """At most `most` schedules of at most `transactions` transactions, in the order in which to run them;
    empty if none can conflict. ends: asked between combinations; the rest is left out."""
    twos = _planned(workload, pairs(workload), most, ends)
    threes = _planned(workload, triples(workload), most, ends) if transactions > 2 and not ends() else []
    share = max(int(most * _TRIPLES), most - len(twos))
    return _interleaved(twos[: most - min(share, len(threes))], threes[:share])


def in_series(workload: Workload, most: int) -> list[PlannedSchedule]:
    """At most `most` schedules in which a transaction ends before another one begins that reads what it
    wrote, and conflicts with it besides. A read of an old version shows a cycle there."""
    rows = workload.keys.rows
    found: list[list[PlannedSchedule]] = []
    for names in pairs(workload):
        transactions = [workload.transaction(name) for name in names]
        ways = key_assignments(
            transactions, 2 * _WAYS[2], workload.seed, renamed=False, enumerated=_ENUMERATED
        ).chosen
        of_pair = [each for way in ways for each in (way, way[::-1]) if _reads_and_more(*each)]
        if of_pair:
            found.append([PlannedSchedule(names, each, _one_by_one(each), rows, None) for each in of_pair])
        if len(found) == most:
            break
    return _in_turn(found)[:most]


def _reads_and_more(first: Role, second: Role) -> bool:
    written = {key for each in first.accesses for f, key in each or () if f == "w"}
    read = {key for each in second.accesses for f, key in each or () if f != "w"}
    return bool(written & read) and _conflicts(first, second) > 1


def _one_by_one(roles: KeyAssignment) -> tuple[Event, ...]:
    return tuple((each.alias, step) for each in roles for step in range(len(each.transaction.steps) + 1))


def _interleaved(twos: Sequence[PlannedSchedule], threes: Sequence[PlannedSchedule]) -> list[PlannedSchedule]:
    """One after the other in proportion, so that a search that is cut short has run both."""
    ranked = [((at + 1) / (len(each) + 1), size, one)
              for size, each in enumerate((twos, threes)) for at, one in enumerate(each)]  # fmt: skip
    return [one for _, _, one in sorted(ranked, key=lambda each: each[:2])]


def _planned(
    workload: Workload, groups: Sequence[Combination], most: int, ends: Callable[[], bool]
) -> list[PlannedSchedule]:
    """A schedule of each combination in turn, the dangerous ones of all of them first."""
    enough = 1 + 2 * most // max(len(groups), 1)  # dangerous schedules of one combination
    # What snapshots alone do not prevent a database that has them cannot refuse, and what reads of committed
    # rows do not prevent is all that some have to show. What the checker does not see may be either
    first: dict[Weaker | None, list[list[PlannedSchedule]]] = {each: [] for each in (*Weaker, None)}
    last: list[list[PlannedSchedule]] = []
    for number, names in enumerate(groups[:most]):
        if number and ends():
            break
        found = list(_schedules(workload, names, enough))
        with_rows = [one for each in _in_turn(found) for one in _with_rows(each, workload.keys.rows, number)]
        for shown_by in Weaker:
            first[shown_by].append([one for one in with_rows if one.shown_by is shown_by])
        # Of the others, transactions that follow each other say least: nothing that a database does about
        # what overlaps is asked of it
        others = [one for one in with_rows if not one.dangerous]
        overlapping = [one for one in others if not _is_serial(one.order)]
        serial = [one for one in others if _is_serial(one.order)]
        unknown = len(others) == len(with_rows) and any(map(_has_unseen, others))
        first[None].append(overlapping if unknown else [])
        last.append(serial if unknown else [*overlapping, *serial])
    in_turn = _in_turn(list(map(_in_turn, first.values())))
    return [*in_turn, *_in_turn(last)][:most]


def _has_unseen(planned: PlannedSchedule) -> bool:
    """Does it have statements that the checker does not see?"""
    return any(None in role.accesses for role in planned.roles)


def _schedules(workload: Workload, names: Combination, enough: int) -> Iterator[list[PlannedSchedule]]:
    """For each way to share keys its schedules, those with few preemptions first. enough: dangerous ones of
    all ways together."""
    size = len(names)
    transactions = [workload.transaction(name) for name in names]
    ways = key_assignments(
        transactions, 2 * _WAYS[size], workload.seed, renamed=False, enumerated=_ENUMERATED
    ).chosen
    fitting = sorted((way for way in ways if _all_conflict(way)), key=_overlap)[: _WAYS[size]]
    for roles in fitting:
        accesses = {role.alias: role.accesses for role in roles}
        events = sum(len(each) + 1 for each in accesses.values())
        orders = min(_ORDERS, max(_FEWEST_ORDERS, _EVENTS // events))
        found: list[PlannedSchedule] = []
        dangerous = dict.fromkeys(Weaker, 0)
        for order in islice(bounded_orders(accesses, _PREEMPTIONS[size]), orders):
            shown_by = shows_cycle(order, accesses)
            found.append(PlannedSchedule(names, roles, order, workload.keys.rows, shown_by))
            if shown_by is not None:
                dangerous[shown_by] += 1
                if dangerous[shown_by] * len(fitting) >= enough * _ENOUGH[shown_by]:
                    break
        yield found


def _all_conflict(roles: KeyAssignment) -> bool:
    return all(_conflicts(one, two) for one, two in combinations(roles, 2))


def _overlap(roles: KeyAssignment) -> bool:
    """Can two of three transactions show a cycle by themselves? Then there is little for the third to add."""
    return len(roles) > 2 and any(_conflicts(one, two) > 1 for one, two in combinations(roles, 2))


def _conflicts(one: Role, two: Role) -> int:
    """The number of pairs of conflicting accesses; statements that the checker does not see conflict."""
    mine, theirs = one.accesses, two.accesses
    unseen = mine.count(None) * len(theirs) + theirs.count(None) * len(mine)
    unseen -= mine.count(None) * theirs.count(None)
    acts = Counter((f == "r", key) for each in theirs for f, key in each or ())
    return unseen + sum(
        acts[False, key] + (acts[True, key] if f != "r" else 0) for each in mine for f, key in each or ()
    )


def _with_rows(each: PlannedSchedule, rows: str, number: int) -> list[PlannedSchedule]:
    """On the rows of the workload, and if these begin as fresh ones, which the first write creates, also on
    rows that exist: every other transaction of a campaign meets those. A workload whose rows are inserted
    beforehand never meets fresh ones. number: of the combination; the rows of every other one are fresh
    first, since on each kind of rows there is something that the other hides."""
    if rows != "fresh":
        return [each]
    both = [each, replace(each, rows="inserted")]
    return both if number % 2 == 0 else both[::-1]


def _is_serial(order: Sequence[Event]) -> bool:
    aliases = [alias for alias, _ in order]
    return sum(one != two for one, two in pairwise(aliases)) < len(set(aliases))


def _in_turn(lists: Sequence[Sequence[PlannedSchedule]]) -> list[PlannedSchedule]:
    """The first of each, then the second of each, and so on."""
    longest = max(map(len, lists), default=0)
    return [each[at] for at in range(longest) for each in lists if at < len(each)]


def shows_cycle(order: Sequence[Event], accesses: Mapping[str, Sequence[Access]]) -> Weaker | None:
    """The weaker database that would show a cycle in which all transactions take part."""
    for each in Weaker:
        links = predict(order, accesses, snapshots=each is Weaker.SNAPSHOTS).links
        if _all_in_cycles(links, len(accesses)):
            return each
    return None


def _all_in_cycles(links: frozenset[PredictedDependency], count: int) -> bool:
    """Do all `count` transactions remain when those that no other precedes or follows are taken away?"""
    left = {(source, target) for _, source, target, _ in links}
    while True:
        sources, targets = {source for source, _ in left}, {target for _, target in left}
        kept = {(source, target) for source, target in left if source in targets and target in sources}
        if kept == left:
            return len(sources) == count
        left = kept
