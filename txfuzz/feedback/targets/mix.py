"""`mix`: how often each transaction runs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.targets.target import Target, Written, short
from txfuzz.workload.model import Weight, Workload


def read_mix(workload: Workload) -> dict[str, float]:
    mix: dict[str, float] = {}
    for each in workload.mix:
        mix[each.txn] = mix.get(each.txn, 0.0) + each.weight
    return mix


def write_mix(workload: Workload, value: Any, original: Workload) -> Written:
    if not isinstance(value, dict):
        raise UsageError(f"mix must be a mapping of transaction to weight, found {short(value)}")
    known = [transaction.name for transaction in workload.transactions]
    for name, weight in value.items():
        if name not in known:
            raise UsageError(f"mix names an unknown transaction {name!r}: {did_you_mean(str(name), known)}")
        if type(weight) not in (int, float) or not math.isfinite(weight) or weight < 0:
            raise UsageError(f"the weight of {name!r} must be a non-negative number, found {weight!r}")
    if not sum(value.values()) > 0:
        raise UsageError("no transaction of the mix has a weight")
    weights = read_mix(original)
    began = {transaction.name for transaction in original.transactions}
    for name, weight in value.items():
        if weight and name in began and not weights.get(name, 0.0):
            raise UsageError(f"{name!r} has no weight in the workload, so it cannot be given one")
    return replace(workload, mix=tuple(Weight(name, float(weight)) for name, weight in value.items())), ()


MIX = Target("mix", "the mix", read_mix, write_mix)
