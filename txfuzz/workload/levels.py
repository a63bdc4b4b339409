"""The isolation levels of a workload's transactions, in the words of its database."""

from __future__ import annotations

from dataclasses import replace

from txfuzz.database.api import Capabilities
from txfuzz.database.isolation_levels import level_named
from txfuzz.transactions.model import Transaction
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

    return replace(workload, transactions=tuple(settled(each) for each in workload.transactions))


def weakest_level(workload: Workload, capabilities: Capabilities, level: str) -> str:
    """The weakest level at which a transaction of the mix runs: what the mix as a whole is promised.

    level: of transactions without a level of their own.
    """
    asked = {weight.txn for weight in workload.mix if weight.weight > 0}
    levels = {each.mode.isolation or level for each in workload.transactions if each.name in asked}
    return next(each for each in capabilities.isolation if each in levels)
