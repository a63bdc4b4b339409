"""Transaction templates and analyzers for their invariants: the hooks that register them."""

from __future__ import annotations

from txfuzz.plugin_api import Template, hookimpl

txfuzz_api_version = (1, 0)  # of txfuzz.plugin_api


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
