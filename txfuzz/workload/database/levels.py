"""The isolation levels of a workload's transactions, in the words of its database."""

from __future__ import annotations

from dataclasses import replace

from txfuzz.database.api import Capabilities
from txfuzz.database.isolation_levels import level_named
from txfuzz.transactions.model import Transaction
from txfuzz.workload.database.endpoints import levels_in
from txfuzz.workload.model import Workload


def with_levels(workload: Workload, capabilities: Capabilities, *, own: bool = True) -> Workload:
    """The workload with the levels of its transactions as the adapter spells them.

    own: False removes the levels of individual transactions, so that all run at the same one.
    """

    def settled(transaction: Transaction) -> Transaction:
        word = transaction.mode.isolation
        if word is None:
            return transaction
        level = level_named(capabilities, word) if own else None
        return replace(transaction, mode=replace(transaction.mode, isolation=level))

    spec = workload.database
    endpoints = tuple(
        each if each.isolation is None else replace(each, isolation=level_named(capabilities, each.isolation))
        for each in spec.endpoints
    )
    return replace(
        workload,
        database=replace(spec, endpoints=endpoints),
        transactions=tuple(settled(each) for each in workload.transactions),
    )


def weakest_level(workload: Workload, capabilities: Capabilities, level: str) -> str:
    """The weakest level at which a transaction of the mix runs, or may come to run: what the mix as a
    whole is promised.

    level: of transactions without a level of their own.
    """
    levels = {word for _, _, word in levels_in(workload, level)}
    levels.update(workload.mutate.levels)
    return next(each for each in capabilities.isolation if each in levels)


def with_allowed_words(workload: Workload, capabilities: Capabilities, level: str) -> Workload:
    """The workload with the words that feedback may choose from, as the adapter spells them.

    Where the workload names no level, those are allowed that promise no less than its weakest one; no lock,
    form or kind of rows: all of them.
    """
    allowed = workload.mutate
    levels = tuple(level_named(capabilities, word) for word in allowed.levels)
    locks = allowed.locks
    if "isolation" in allowed and not levels:
        known = list(capabilities.isolation)
        levels = tuple(known[known.index(weakest_level(workload, capabilities, level)) :])
    if "locks" in allowed and not locks:
        locks = tuple(sorted(capabilities.locks))
    forms, rows = allowed.forms, allowed.rows
    if "forms" in allowed and not forms:
        forms = dict(capabilities.forms)
    if "rows" in allowed and not rows:
        rows = ("fresh", "inserted", *(["deleted"] if capabilities.deleted_rows else []))
    return replace(workload, mutate=replace(allowed, levels=levels, locks=locks, forms=forms, rows=rows))
