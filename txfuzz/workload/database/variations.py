"""Which options of its adapter a workload lets change: plans, tables and indexes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from txfuzz.database.api import Adapter
from txfuzz.database.variations import VARIATION_KINDS, Variation, variations_of
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.transactions.model import NewValue, Step
from txfuzz.workload.model import Workload


def with_variations(workload: Workload, adapter: Adapter) -> Workload:
    """The workload with the options and values that feedback may choose from, and their present values.

    Where the workload names none of a kind, all that the adapter declares are allowed, with the value that
    the workload has. Statements that need several keys in one table forbid some.
    Raises UsageError for what the adapter does not let vary.
    """
    allowed = workload.mutate
    known = [each for each in variations_of(adapter) if each.kind in allowed and _fits(each, workload)]
    chosen: dict[str, Any] = {
        kind: _chosen(kind, getattr(allowed, kind), [each for each in known if each.kind == kind], adapter)
        for kind in VARIATION_KINDS
        if kind in allowed
    }
    now = {option: getattr(adapter, option) for values in chosen.values() for option in values}
    options = {**workload.database.options, **now}
    return replace(
        workload,
        database=replace(workload.database, options=options),
        mutate=replace(allowed, **chosen),
    )


def _fits(variation: Variation, workload: Workload) -> bool:
    return not (variation.splits and any(map(_on_several_keys, _steps(workload))))


def _steps(workload: Workload) -> list[Step]:
    return [step for each in workload.transactions for step in each.steps]


def _on_several_keys(step: Step) -> bool:
    """Does its statement name {table} once for keys that may be in several?"""
    if step.sql is None or "{table}" not in step.sql:
        return False
    keys = [arg for _, arg in step.args if not isinstance(arg, NewValue)]
    return len(keys) != 1


def _chosen(
    kind: str, wanted: Mapping[str, tuple[Any, ...]], known: list[Variation], adapter: Adapter
) -> Mapping[str, tuple[Any, ...]]:
    """Option → values. The present value is always among them."""
    by_option = {each.option: each for each in known}
    for option, values in wanted.items():
        if option not in by_option:
            raise UsageError(
                f"mutate: the {kind} of adapter {adapter.name!r} cannot vary by {option!r} here: "
                f"{did_you_mean(option, by_option)}"
            )
        for value in values:
            if value not in by_option[option].values:
                raise UsageError(
                    f"mutate: {option} cannot vary to {value!r}: "
                    f"{did_you_mean(str(value), map(str, by_option[option].values))}"
                )
    values_of = wanted or {option: each.values for option, each in by_option.items()}
    found = {}
    for option, values in values_of.items():
        now = getattr(adapter, option)
        found[option] = values if now in values else (now, *values)
    return found
