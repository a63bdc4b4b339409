"""Jepsen's bank test: money moves between accounts, and their total stays the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from txfuzz.plugin_api import Calls, Part, Verdict, edn_text

from ..analyzers.anomalies import counted
from .anomalies import (
    AnomaliesOfType,
    Explanation,
    check_functions,
    functions,
    is_number,
    ok_reads,
    verdict,
    wrong,
)

TOTAL, NEGATIVE, NIL, ACCOUNT = "bank-total", "bank-negative", "bank-nil", "bank-account"
JEPSEN = "(Jepsen's bank test)"
DEFINITIONS = {
    TOTAL: f"Bank total: a read of all accounts does not add up to their total. {JEPSEN}",
    NEGATIVE: f"Negative balance: a read shows an account that is overdrawn. {JEPSEN}",
    NIL: f"Missing balance: a read shows an account without a balance. {JEPSEN}",
    ACCOUNT: f"Unexpected account: a read shows an account that does not exist. {JEPSEN}",
}


@dataclass(frozen=True)
class Bank:
    """The accounts and their total, which is taken from the first read unless given."""

    accounts: frozenset[Any]
    total: Any
    first: int | None  # the read that the total is from; None if it was given


def is_bank(calls: Calls) -> bool:
    """Whether there are transfers and reads of accounts only."""
    values = [call.value for call in calls.calls if call.f == "read" and call.value is not None]
    return functions(calls) == {"transfer", "read"} and all(isinstance(value, Mapping) for value in values)


def judge_bank(calls: Calls, total: int | None, allow_negative: bool, shown: int) -> Part:
    """Like Jepsen's checker: for each read the first problem with it."""
    check_functions(calls, ("transfer", "read"), "bank")
    reads = ok_reads(calls)
    for at in reads:
        call = calls.calls[at]
        if not isinstance(call.value, Mapping):
            raise wrong(calls, call, "a read of accounts and their balances", call.value)
        for balance in call.value.values():
            if balance is not None and not is_number(balance):
                raise wrong(calls, call, "a number as a balance", balance)
    transfers = sum(call.f == "transfer" and call.type == "ok" for call in calls.calls)
    data: dict[str, Any] = {"reads": len(reads), "transfers": transfers}
    whole = [at for at in reads if None not in calls.calls[at].value.values()]
    if not reads or (total is None and not whole):
        return Part(Verdict.UNKNOWN, "no read is known to have shown the accounts", data=data)
    bank = Bank(
        frozenset(calls.calls[reads[0]].value),
        sum(calls.calls[whole[0]].value.values()) if total is None else total,
        whole[0] if total is None else None,
    )
    problems: dict[str, list[int]] = {type: [] for type in DEFINITIONS}
    for at in reads:
        if type := _problem(calls.calls[at].value, bank, allow_negative):
            problems[type].append(at)
    off = sum(map(len, problems.values()))
    data |= {"accounts": len(bank.accounts), "holds": bank.total, "off": off}
    data |= {type.removeprefix("bank-"): len(hits) for type, hits in problems.items()}

    def found(type: str) -> AnomaliesOfType:
        return AnomaliesOfType(
            type, DEFINITIONS[type], problems[type], lambda at: _explanation(calls, type, at, bank, reads)
        )

    reason = f"{counted(off, 'read')} of {len(reads):,} did not add up"
    return verdict(calls, [*map(found, problems)], reason, data, shown)


def _problem(balances: Mapping[Any, Any], bank: Bank, allow_negative: bool) -> str | None:
    if not bank.accounts.issuperset(balances):
        return ACCOUNT
    if None in balances.values():
        return NIL
    if sum(balances.values()) != bank.total:
        return TOTAL
    return NEGATIVE if not allow_negative and any(each < 0 for each in balances.values()) else None


def _explanation(calls: Calls, type: str, at: int, bank: Bank, reads: Sequence[int]) -> Explanation:
    balances = calls.calls[at].value
    record: dict[str, Any] = {"op": calls.calls[at].index}
    if type == TOTAL:
        added = sum(balances.values())
        record |= {"total": added, "expected": bank.total}
        together = edn_text(bank.total)
        said = f"T1 read accounts that add up to {edn_text(added)}, but their total is {together}"
        if bank.first is None:
            return Explanation((at,), f"{said}.", record)
        return Explanation((at, bank.first), f"{said}, as T2, the first read, shows.", record)
    if type == ACCOUNT:
        strange = [account for account in balances if account not in bank.accounts]
        record["unexpected"] = strange
        return Explanation(
            (at, reads[0]), f"T1 read {_accounts(strange)}, which T2, the first read, does not have.", record
        )
    if type == NIL:
        missing = [account for account, balance in balances.items() if balance is None]
        return Explanation(
            (at,), f"T1 read {_accounts(missing)} without a balance.", {**record, "nils": missing}
        )
    negative = {account: balance for account, balance in balances.items() if balance < 0}
    held = ", ".join(
        f"account {edn_text(account)} with {edn_text(balance)}" for account, balance in negative.items()
    )
    return Explanation((at,), f"T1 read {held}.", {**record, "negative": negative})


def _accounts(names: Sequence[Any]) -> str:
    return f"account{'s' if len(names) > 1 else ''} {', '.join(map(edn_text, names))}"
