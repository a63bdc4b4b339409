"""The default heuristics and mutators of txfuzz: the hooks that register them."""

from __future__ import annotations

from txfuzz.plugin_api import hookimpl

txfuzz_api_version = (1, 0)  # of txfuzz.plugin_api


@hookimpl
def txfuzz_register_heuristics() -> list[type]:
    from txfuzz_heuristics.hot_keys import HotKeys
    from txfuzz_heuristics.mix import Mix
    from txfuzz_heuristics.scheduling import Scheduling
    from txfuzz_heuristics.schema_init import SchemaInit

    return [HotKeys, Mix, Scheduling, SchemaInit]


@hookimpl
def txfuzz_register_mutators() -> list[type]:
    from txfuzz_heuristics.mutators.database import Layout, Plans
    from txfuzz_heuristics.mutators.keys import FewerKeys, MoreKeys, OtherKeys, WritesPerKey
    from txfuzz_heuristics.mutators.mix import NearTransactions, OneTransaction
    from txfuzz_heuristics.mutators.modes import FaultMoments, FaultTimes, Levels, RowsInAdvance
    from txfuzz_heuristics.mutators.scheduling import (
        Barrier,
        FewerClients,
        FreshTables,
        MoreClients,
        Sending,
        ThinkTime,
    )
    from txfuzz_heuristics.mutators.statements import Forms, Locks
    from txfuzz_heuristics.mutators.transactions import (
        Merge,
        NewTransaction,
        OneLess,
        OneMore,
        Split,
        WriteFirst,
    )

    return [
        FewerKeys,
        MoreKeys,
        OtherKeys,
        WritesPerKey,
        NearTransactions,
        OneTransaction,
        FewerClients,
        MoreClients,
        Barrier,
        FreshTables,
        ThinkTime,
        Sending,
        RowsInAdvance,
        Locks,
        Forms,
        Plans,
        Layout,
        Levels,
        FaultTimes,
        FaultMoments,
        WriteFirst,
        OneMore,
        OneLess,
        Merge,
        Split,
        NewTransaction,
    ]
