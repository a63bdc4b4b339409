"""Narrows the open choices of a replay to its focus key."""

from __future__ import annotations

from dataclasses import replace

from txfuzz.replay.schedule.pinned_keys import choices_of, rechosen
from txfuzz.transactions.distinct_choices import satisfiable
from txfuzz.transactions.model import Transaction
from txfuzz.workload.model import Workload


def with_focus_key(workload: Workload) -> Workload:
    """The workload with every choice in its replay narrowed to the focus key, where possible.

    Fixed keys, and choices that must differ from a narrowed one, stay as they are. Replays written by
    txfuzz leave no choice open.
    """
    replay = workload.replay
    if replay is None or replay.focus_key is None:
        return workload
    taking_part = {each.txn for each in replay.transactions}
    key = replay.focus_key
    transactions = tuple(
        _with_focus_key(each, key) if each.name in taking_part else each for each in workload.transactions
    )
    return replace(workload, transactions=transactions)


def focus_key_warnings(workload: Workload) -> tuple[str, ...]:
    """Sentences about transactions that choose keys but cannot choose the focus key."""
    replay = workload.replay
    if replay is None or replay.focus_key is None:
        return ()
    sentences = []
    for name in dict.fromkeys(each.txn for each in replay.transactions):
        before = choices_of(workload.transaction(name))
        after = choices_of(_with_focus_key(workload.transaction(name), replay.focus_key))
        if any(len(each.keys) > 1 for each in before) and all(
            tuple(each.keys) != (replay.focus_key,) for each in after
        ):
            sentences.append(
                f"focus_key: {name!r} cannot choose key {replay.focus_key}, so its choices are left open"
            )
    return tuple(sentences)


def _with_focus_key(transaction: Transaction, key: int) -> Transaction:
    choices = choices_of(transaction)
    for at, choice in enumerate(choices):
        if len(choice.keys) > 1 and key in choice.keys:
            narrowed = [*choices[:at], replace(choice, keys=(key,)), *choices[at + 1 :]]
            if satisfiable(narrowed):
                choices = narrowed
    return rechosen(transaction, choices)
