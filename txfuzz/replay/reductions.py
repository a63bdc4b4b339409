"""Smaller variants of pinned transactions, for shrinking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

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
    """With plain reads; None if there are no locking reads."""
    if all(step.lock is None for step in transaction.steps):
        return None
    return replace(transaction, steps=tuple(replace(step, lock=None) for step in transaction.steps))


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
