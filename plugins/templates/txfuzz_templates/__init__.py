"""Transactions worth asking, and the analyzers for what they promise: the hooks that hand them over."""

from __future__ import annotations

from txfuzz import Template, hookimpl


@hookimpl
def txfuzz_register_templates() -> list[Template]:
    from txfuzz_templates.templates import ALL

    return list(ALL)


@hookimpl
def txfuzz_register_analyzers() -> list[type]:
    from txfuzz_templates.analyzers.bank import BankTotal
    from txfuzz_templates.analyzers.counter import CounterBounds
    from txfuzz_templates.analyzers.sets import SetElements

    return [BankTotal, CounterBounds, SetElements]
