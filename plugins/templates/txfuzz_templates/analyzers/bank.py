"""bank-total: an audit sees both halves of a transfer, or neither.

The total of the accounts never changes (Jepsen's bank test). Here accounts are lists of entries
(txfuzz_templates.templates.jepsen), and keys have generations, so an audit is checked against the transfers
between accounts that it has read: those must cancel out, whatever else the accounts hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from txfuzz.plugin_api import (
    Anomaly,
    Calls,
    Columns,
    History,
    Ints,
    Part,
    Verdict,
    columns_of,
    key_text,
    option,
    outcome_text,
)

from ..calls.bank import is_bank, judge_bank
from .anomalies import ALWAYS, against_option, counted, forbids_half_seen, shown_option, view
from .committed_reads import CommittedReads, Flags, committed_reads, judged_writes

TYPE = "bank-total"
DEFINITION = (
    "Bank total: a transaction saw one half of a transfer and not the other, so that the accounts do not add "
    "up. (Jepsen's bank test; a fractured read in Bailis et al., RAMP, SIGMOD 2014)"
)


@dataclass(frozen=True)
class BankTotal:
    """The total of the accounts never changes. The fields are options."""

    name: ClassVar[str] = "bank-total"
    about: ClassVar[str] = "whether accounts with transfers between them always add up to the same total"
    models: ClassVar[tuple[str, ...]] = ("bank",)

    transfers: tuple[str, ...] = option(
        ("bank-transfer",),
        "transactions that append to the account they debit, then to the one they credit; `*` for all",
    )
    against: str = against_option()
    total_amount: int | None = option(
        None,
        "for Jepsen's bank histories: the total of the accounts; by default that of the first read",
    )
    allow_negative_balances: bool = option(
        False, "for Jepsen's bank histories: whether accounts may be overdrawn"
    )
    shown: int = shown_option()

    def analyze(self, history: History, expect: str) -> Part:
        columns = columns_of(history)
        writes = judged_writes(columns, self.transfers, "transfers", lists_only="a bank")
        if isinstance(writes, Part):
            return writes
        ledger = _ledger(columns, writes)
        observed = committed_reads(columns, np.unique(history.element_key[np.flatnonzero(ledger.other >= 0)]))
        audits = _audits(observed)
        halves = _half_seen(history, ledger, observed)
        off = np.unique(observed.txn[halves.read])
        contradicts = bool(len(off)) and (self.against == ALWAYS or forbids_half_seen(expect))
        data = {"transfers": ledger.transfers, "audits": audits, "off": len(off), "contradicts": contradicts}
        if contradicts:
            shown = off[np.argsort(history.complete_at[off], kind="stable")][: self.shown]
            anomalies = tuple(_anomaly(history, ledger, observed, halves, int(audit)) for audit in shown)
            reason = f"{counted(len(off), 'audit')} of {audits:,} did not add up"
            return Part(Verdict.INVALID, reason, anomalies, data)
        if not audits:
            return Part(Verdict.UNKNOWN, "no transaction that read two accounts is known to have committed",
                        data=data)  # fmt: skip
        return Part(data=data)

    def judge(self, calls: Calls, model: str) -> Part:
        """A history of Jepsen's bank test: transfers, and reads of balances."""
        return judge_bank(calls, self.total_amount, self.allow_negative_balances, self.shown)

    def likely(self, calls: Calls) -> tuple[str, ...]:
        return self.models if is_bank(calls) else ()


@dataclass(frozen=True, eq=False)
class _Ledger:
    """other: for each entry (element) the other half of its transfer, or -1. debit: whether it is the
    debit. writer: its transaction. amounts: the amount transferred. transfers: their number."""

    other: Ints
    debit: Flags
    writer: Ints
    amounts: Mapping[int, int]
    transfers: int


@dataclass(frozen=True, eq=False)
class _Halves:
    """Halves seen without the other. read: the read that saw it; element: the half."""

    read: Ints
    element: Ints


def _ledger(columns: Columns, writes: Ints) -> _Ledger:
    """The transfers are the transactions that append exactly twice, to two accounts."""
    history = columns.history
    size = len(history.element_key)
    other, writer = np.full(size, -1, np.int64), np.full(size, -1, np.int64)
    debit = np.zeros(size, np.bool_)
    txn = columns.txn[writes]
    _, first, count = np.unique(txn, return_index=True, return_counts=True)
    first = first[count == 2]
    takes, gives = (history.mop_value[writes[first + at]] for at in (0, 1))
    two = history.element_key[takes] != history.element_key[gives]
    takes, gives, rows = takes[two], gives[two], txn[first[two]]
    other[takes], other[gives] = gives, takes
    writer[takes], writer[gives] = rows, rows
    debit[takes] = True
    amounts = {}
    for taken, given in zip(takes.tolist(), gives.tolist(), strict=True):
        value = history.element_value[taken]
        amounts[taken] = amounts[given] = value if isinstance(value, int) else 1
    return _Ledger(other, debit, writer, amounts, len(takes))


def _audits(observed: CommittedReads) -> int:
    """How many transactions read two accounts or more."""
    both = np.unique(np.stack([observed.txn, observed.key], axis=1), axis=0)
    _, keys = np.unique(both[:, 0], return_counts=True)
    return int((keys > 1).sum())


def _half_seen(history: History, ledger: _Ledger, observed: CommittedReads) -> _Halves:
    """For every audit, the halves of others' transfers that it saw although it read both accounts."""
    keys = len(history.keys)
    read_of = observed.txn * keys + observed.key
    order = np.argsort(read_of, kind="stable")
    looked = read_of[order]
    reads, elements = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for read, element in observed.pairs():
        other = ledger.other[element]
        strangers = (other >= 0) & (ledger.writer[element] != observed.txn[read])
        read, element, other = read[strangers], element[strangers], other[strangers]
        wanted = observed.txn[read] * keys + history.element_key[other]
        first, last = (np.searchsorted(looked, wanted, side=side) for side in ("left", "right"))
        missing = first < last
        for again in range(int((last - first).max(initial=0))):  # an account may be read more than once
            at = np.flatnonzero(missing & (first + again < last))
            missing[at] = ~observed.has(order[first[at] + again], other[at])
        reads.append(read[missing])
        elements.append(element[missing])
    return _Halves(np.concatenate(reads), np.concatenate(elements))


def _anomaly(
    history: History, ledger: _Ledger, observed: CommittedReads, halves: _Halves, audit: int
) -> Anomaly:
    """The audit, and the transfers of which it saw one half."""
    mine = observed.txn[halves.read] == audit
    found = list(dict.fromkeys(halves.element[mine].tolist()))
    total = sum(_signed(ledger, element) for element in found)
    shown = found[:3]
    lines = [
        f"T1 read accounts that {_sum(total)}; both halves of every transfer between them should cancel out."
    ]
    for at, element in enumerate(shown, 2):
        lines.append(_sentence(history, ledger, element, f"T{at}"))
    if len(found) > len(shown):
        lines.append(f"The same goes for {counted(len(found) - len(shown), 'more transfer')}.")
    rows = [audit, *(int(ledger.writer[element]) for element in shown)]
    record = {
        "total": total,
        "keys": [history.keys[key] for key in np.unique(observed.key[observed.txn == audit])],
        "transfers": len(found),
    }
    halves_shown = [int(each) for half in shown for each in (half, ledger.other[half])]
    keys = {int(history.element_key[half]) for half in halves_shown}
    views = tuple(view(history, row, keys) for row in rows)
    return Anomaly(TYPE, views, "\n".join(lines), DEFINITION, record=record)


def _sentence(history: History, ledger: _Ledger, element: int, name: str) -> str:
    other = int(ledger.other[element])
    amount = ledger.amounts[element]
    took, gave = (element, other) if ledger.debit[element] else (other, element)
    from_, to = (key_text(history, int(history.element_key[each])) for each in (took, gave))
    done = f"took {amount} from account {from_} and gave it to account {to}"
    half = "taken" if ledger.debit[element] else "given"
    rest = "given" if ledger.debit[element] else "taken"
    state = outcome_text(history, int(ledger.writer[element]))
    return f"{name}, which {state}, {done}: T1 saw what was {half} but not what was {rest}."


def _sum(total: int) -> str:
    return f"add up to {total}" if total else "add up to 0 only by chance"


def _signed(ledger: _Ledger, element: int) -> int:
    return -ledger.amounts[element] if ledger.debit[element] else ledger.amounts[element]
