"""`transactions`: what transactions do. Only with the owner's leave: `mutate: [transactions]`.

A history has to stay one that can be judged, and the promise that was made must still be the one that is
checked. So what comes out is held to this:
  - it is of the same kind, lists or registers, and still reads and writes;
  - a key is read only if the workload reads it, and written only if the workload writes it;
  - raw SQL, and steps whose keys it returns, may go or come along whole, in their order: the workload's
    own statements are all there is;
  - levels, access modes and locks are among those that the workload has or allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from txfuzz.errors import UsageError, WorkloadError
from txfuzz.feedback.roles import Roles
from txfuzz.feedback.targets.choices import places
from txfuzz.feedback.targets.mix import read_mix, write_mix
from txfuzz.feedback.targets.modes import asked, levels_of, modes_of, only_reads
from txfuzz.feedback.targets.statements import forms_of, locks_of
from txfuzz.feedback.targets.target import Target, Written, plain, short, told
from txfuzz.transactions.model import Choice, Ref, Returned, Step, Transaction, kind_of
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.nodes import Place, node_of
from txfuzz.workload.yaml.steps import TransactionsReader
from txfuzz.workload.yaml.writer import transaction_data

MOST_STEPS = 64  # of a transaction
MOST_TRANSACTIONS = 1000
_HERE = Place("transactions", 1, 1)
_TOLD = 4


def transactions_value(transactions: Sequence[Transaction], mix: Mapping[str, float]) -> dict[str, Any]:
    """A value of the target. mix: transaction → weight."""
    return {"transactions": [plain(transaction_data(each)) for each in transactions], "mix": dict(mix)}


def _read(workload: Workload) -> dict[str, Any]:
    return transactions_value(workload.transactions, read_mix(workload))


def _write(workload: Workload, value: Any, original: Workload) -> Written:
    if not isinstance(value, dict) or set(value) != {"transactions", "mix"}:
        raise UsageError(f"transactions must be a mapping with transactions and mix, found {short(value)}")
    if original.replay is not None:
        raise UsageError("the transactions of a workload with a replay stanza cannot be changed")
    transactions = _parsed(value["transactions"], original)
    changed = replace(workload, transactions=transactions)
    changed, remarks = write_mix(changed, value["mix"], original)
    _check(changed, original)
    return changed, remarks


def _parsed(data: Any, original: Workload) -> tuple[Transaction, ...]:
    try:
        transactions = TransactionsReader(None, "", None, original.database.endpoints).read(
            node_of(data, _HERE)
        )
    except WorkloadError as error:
        raise UsageError(f"transactions: {str(error).removeprefix(f'{_HERE}: ')}") from None
    if len(transactions) > max(MOST_TRANSACTIONS, len(original.transactions)):
        raise UsageError(f"at most {MOST_TRANSACTIONS:,} transactions, found {len(transactions):,}")
    longest = max([MOST_STEPS, *(len(each.steps) for each in original.transactions)])
    for each in transactions:
        if len(each.steps) > longest:
            raise UsageError(f"{each.name!r} may have at most {longest} steps, found {len(each.steps)}")
    return transactions


def _check(workload: Workload, original: Workload) -> None:
    if kind_of(workload.transactions) is not original.kind:
        raise UsageError(f"the transactions no longer make {original.kind.value} histories")
    for does, words in (("reads", "read"), ("writes", "write")):
        if any(getattr(each, does) for each in asked(original)) and not any(
            getattr(each, does) for each in asked(workload)
        ):
            raise UsageError(f"no transaction of the mix would {words} anything")
    roles, sequences = Roles(original), _sequences(original)
    levels, modes = levels_of(original), modes_of(original)
    locks, forms = locks_of(original), forms_of(original)
    began = {each.name: each.mode for each in original.transactions}
    for each in workload.transactions:
        for number, key in roles.forbidden(each):
            step = list(places(each))[number]["step"]
            raise UsageError(
                f"{each.name!r} step {step} would use key {key} as no transaction of the workload does"
            )
        if roles.same_steps(each) is None and _opaque(each.steps) not in sequences:
            raise UsageError(
                f"{each.name!r} has SQL of its own, or a part of a transaction's: the statements of a "
                "transaction go together, in their order"
            )
        if each.mode != began.get(each.name) and (
            each.mode.isolation not in levels or replace(each.mode, isolation=None) not in modes
        ):
            raise UsageError(f"{each.name!r} would begin as no transaction of the workload may")
        if only_reads(each, original) and (each.writes or any(step.lock or step.form for step in each.steps)):
            raise UsageError(f"{each.name!r} is read-only, so it can neither write nor lock")
        for step in each.steps:
            if step.lock not in locks:
                raise UsageError(f"a read of {each.name!r} would take the lock {step.lock!r}")
            if step.f is not None and step.form not in forms[step.f]:
                raise UsageError(f"a step of {each.name!r} would have the form {step.form!r}")


def _sequences(original: Workload) -> set[tuple[object, ...]]:
    """The raw statements that a transaction may have: none, those of one, or of two, merged."""
    found = {(), *(_opaque(each.steps) for each in asked(original))}
    return found | {(*one, *other) for one in found for other in found}


def _opaque(steps: Sequence[Step]) -> tuple[object, ...]:
    """The steps that only their author understands, whatever their keys."""
    return tuple(
        (
            step.f,
            step.sql,
            step.micro_operations,
            step.harmless,
            (step.returns, step.rows, step.on_error),
            step.key if isinstance(step.key, Returned) else None,
            tuple((name, "key" if isinstance(arg, Choice | Ref) else arg) for name, arg in step.args),
        )
        for step in steps
        if step.sql is not None or step.keys_returned
    )


# -- in words ----------------------------------------------------------------------------------


def _difference(before: Any, after: Any) -> str:
    had = {each["name"]: each for each in before["transactions"]}
    has = {each["name"]: each for each in after["transactions"]}
    changes = [
        *(f"{name!r} is {_steps(has[name])} instead of {_steps(had[name])}"
          for name in has if name in had and _steps(has[name]) != _steps(had[name])),
        *(f"{name!r} is new ({_steps(has[name])})" for name in has if name not in had),
        *(f"{name!r} is no longer run" for name in had if name not in has),
    ]  # fmt: skip
    return f"what transactions do: {told(changes, _TOLD, 'their keys, levels or weights')}"


def _steps(transaction: Mapping[str, Any]) -> str:
    """r(a) append(b) SQL"""
    return " ".join(
        "SQL" if "sql" in step else f"{step['f']}({_key(step['key'])})" for step in transaction["steps"]
    )


def _key(key: Any) -> str:
    if isinstance(key, Mapping):
        return str(key.get("ref") or key.get("as") or "…")
    return str(key)


def _words(value: Any) -> str:
    return told((f"{each['name']}: {_steps(each)}" for each in value["transactions"]), _TOLD)


TRANSACTIONS = Target("transactions", "what transactions do", _read, _write, _words, _difference)
