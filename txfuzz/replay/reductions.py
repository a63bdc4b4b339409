"""What a replay can do without: smaller variants of it, one thing at a time, for shrinking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice, pairwise
from typing import TypeVar

from txfuzz.replay.schedule.interleavings import Interleavings
from txfuzz.replay.schedule.mvcc_model import Event
from txfuzz.replay.schedule.pinned_keys import step_keys
from txfuzz.replay.schedule.replay_workload import Role
from txfuzz.transactions.model import (
    Argument,
    Choice,
    NewValue,
    Param,
    Ref,
    Returned,
    RollbackTo,
    Step,
    Transaction,
)
from txfuzz.workload.sql.tables import tables_of

Term = TypeVar("Term", bound=Argument)

_ORDERS = 3000  # orders to search for a simpler one
_ORDERS_TRIED = 60


@dataclass(frozen=True)
class Shape:
    """Transactions and the order of their steps."""

    roles: tuple[Role, ...]
    order: tuple[Event, ...]

    @property
    def size(self) -> tuple[int, int, int, int, int]:
        """Transactions, steps, keys, locks and forms, switches."""
        steps = [step for role in self.roles for step in role.transaction.steps]
        keys = {key for role in self.roles for own in step_keys(role.transaction) for key in own}
        switches = sum(one[0] != two[0] for one, two in pairwise(self.order))
        return len(self.roles), len(steps), len(keys), sum(map(_marked, steps)), switches

    def __str__(self) -> str:
        transactions, steps, keys, _, switches = self.size
        return (
            ", ".join(
                f"{count} {word}" + "s" * (count != 1)
                for count, word in ((transactions, "transaction"), (steps, "step"), (keys, "key"))
            )
            + f", {switches} switch"
            + "es" * (switches != 1)
        )


def candidates(shape: Shape) -> Iterator[Shape]:
    """All shapes that are smaller in one respect."""
    yield from _fewer_transactions(shape)
    yield from _fewer_steps(shape)
    yield from _fewer_keys(shape)
    for at, role in enumerate(shape.roles):
        unlocked = without_lock(role.transaction)
        if unlocked is not None:
            yield replace(shape, roles=_with(shape.roles, at, replace(role, transaction=unlocked)))
    yield from _simpler_orders(shape)


def _fewer_transactions(shape: Shape) -> Iterator[Shape]:
    if len(shape.roles) > 1:
        for role in shape.roles:
            roles = tuple(each for each in shape.roles if each is not role)
            yield Shape(roles, tuple(event for event in shape.order if event[0] != role.alias))


def _fewer_steps(shape: Shape) -> Iterator[Shape]:
    for at, role in enumerate(shape.roles):
        for step in range(len(role.transaction.steps)):
            if len(role.transaction.steps) > 1 and not is_needed(role.transaction, step):
                less = replace(role, transaction=without_step(role.transaction, step))
                order = tuple(
                    (alias, number - (alias == role.alias and number > step))
                    for alias, number in shape.order
                    if (alias, number) != (role.alias, step)
                )
                yield Shape(_with(shape.roles, at, less), order)


def _fewer_keys(shape: Shape) -> Iterator[Shape]:
    keys = sorted({key for role in shape.roles for own in step_keys(role.transaction) for key in own})
    for kept, gone in combinations(keys, 2):
        roles = (replace(role, transaction=rekeyed(role.transaction, {gone: kept})) for role in shape.roles)
        yield replace(shape, roles=tuple(roles))


def _simpler_orders(shape: Shape) -> Iterator[Shape]:
    """Orders with fewer switches between sessions, the fewest first."""
    interleavings = Interleavings({role.alias: role.accesses for role in shape.roles})
    switches = shape.size[-1]
    found = {
        order: count
        for order in islice(interleavings.all(), _ORDERS)
        if (count := sum(one[0] != two[0] for one, two in pairwise(order))) < switches
    }
    for order in sorted(found, key=lambda order: found[order])[:_ORDERS_TRIED]:
        yield replace(shape, order=order)


def _with(roles: Sequence[Role], at: int, role: Role) -> tuple[Role, ...]:
    return (*roles[:at], role, *roles[at + 1 :])


def tidy(shape: Shape) -> Shape:
    """Sessions renamed to t1, t2, … in the order in which they begin, and keys likewise to 1, 2, …"""
    aliases = {alias: "" for alias, _ in shape.order}
    aliases = {alias: f"t{at}" for at, alias in enumerate(aliases, 1)}
    by_alias = {role.alias: role for role in shape.roles}
    keys: dict[int, int] = {}
    for alias, step in shape.order:
        own = step_keys(by_alias[alias].transaction)
        for key in own[step] if step < len(own) else ():
            keys.setdefault(key, len(keys) + 1)
    roles = tuple(
        replace(by_alias[alias], alias=name, transaction=rekeyed(by_alias[alias].transaction, keys))
        for alias, name in aliases.items()
    )
    return Shape(roles, tuple((aliases[alias], step) for alias, step in shape.order))


# -- of one transaction -----------------------------------------------------------------------


def literal(transaction: Transaction) -> Transaction:
    """The transaction with literal keys instead of names and references; of a choice the first key."""
    named: dict[str, int] = {}

    def plain(term: Argument) -> Argument:
        if isinstance(term, Returned | NewValue | Param):
            return term
        if isinstance(term, Ref):
            return Choice((named[term.name],))
        if term.name is not None:
            named[term.name] = term.keys[0]
        return Choice((term.keys[0],))

    def step(each: Step) -> Step:
        args = tuple((name, plain(arg)) for name, arg in each.args)
        own = each.key
        if own is not None:
            own = dict(args)[each.key_arg] if each.key_arg is not None else plain(own)  # type: ignore[assignment]
        return replace(each, key=own, args=args)

    return replace(transaction, steps=tuple(step(each) for each in transaction.steps))


def without_step(transaction: Transaction, number: int) -> Transaction:
    """A literal transaction without this step, to which no later step refers."""
    return replace(transaction, steps=transaction.steps[:number] + transaction.steps[number + 1 :])


def is_needed(transaction: Transaction, number: int) -> bool:
    """Does a later step refer to a value or savepoint of this one?"""
    step, later = transaction.steps[number], transaction.steps[number + 1 :]
    returned = {name for name, _ in step.returns}
    for each in later:
        terms = (each.key, *(arg for _, arg in each.args))
        if any(isinstance(term, Returned) and term.name in returned for term in terms):
            return True
    tables = tables_of(step.sql or "")
    return tables.verb == "savepoint" and any(
        tables_of(each.sql or "").savepoint == tables.savepoint
        or any(isinstance(rule, RollbackTo) for _, rule in each.on_error)
        for each in later
    )


def without_lock(transaction: Transaction) -> Transaction | None:
    """With plain reads and writes; None if there are no locking reads and no other forms."""
    if not any(map(_marked, transaction.steps)):
        return None
    plain = tuple(replace(step, lock=None, form=None) for step in transaction.steps)
    return replace(transaction, steps=plain)


def _marked(step: Step) -> bool:
    """Is there more to it than its operation and its key?"""
    return step.lock is not None or step.form is not None


def rekeyed(transaction: Transaction, keys: Mapping[int, int]) -> Transaction:
    """A literal transaction with its keys replaced, except in the workload's own tables."""

    def other(term: Term) -> Term:
        if isinstance(term, Choice):
            return replace(term, keys=(keys.get(term.keys[0], term.keys[0]),))
        return term

    def step(each: Step) -> Step:
        if each.own_table:
            return each
        return replace(
            each,
            key=None if each.key is None else other(each.key),
            args=tuple((name, other(arg)) for name, arg in each.args),
        )

    return replace(transaction, steps=tuple(step(each) for each in transaction.steps))
