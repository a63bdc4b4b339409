"""What PostgreSQL promises of transactions that are spread over a primary and its standbys.

Sources, in the documentation of PostgreSQL: "Hot Standby" (what a standby shows, and when), "Serializable
Isolation Level" and the "Caveats" of Concurrency Control (a standby has no SERIALIZABLE, and may show states
that no serial order explains), `synchronous_commit` (what COMMIT waits for), and "Synchronous Replication".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from txfuzz.plugin_api import KILL, TERMINATE, EndpointRole, EndpointUse, Promise
from txfuzz_postgres.options import PostgresOptions
from txfuzz_postgres.statements import PROMISES

PRIMARY, STANDBY = "primary", "standby"
# Abilities that faults need beside those of any server
LAG, KILL_STANDBY, FAIL_OVER = "lag", "kill-standby", "fail-over"
ON_STANDBY = ("read uncommitted", "read committed", "repeatable read")

ONE_ORDER = "snapshot-isolation"
TWO_ORDERS = "parallel-snapshot-isolation"
NO_LOSS = "read-uncommitted"  # the strongest model that says nothing about transactions that are gone

LATE = (
    "PostgreSQL never promised that a standby shows what has been committed: with {replication} replication "
    "it shows a state of the past, which is the newest only after a while"
)
SEEN_EARLY = (
    "PostgreSQL never promised that a primary shows what a standby has shown: with remote_apply COMMIT "
    "returns when the standby shows the transaction, and the primary shows it last"
)
OTHER_ORDER = (
    "PostgreSQL never promised one order of transactions at a primary and at its standbys: a standby shows "
    "them in the order of the log, the primary in the order in which their sessions finish, and SERIALIZABLE "
    "is not enforced on a standby"
)
LOST = (
    "PostgreSQL never promised that an asynchronous standby has all that the primary acknowledged: a "
    "failover loses the last commits, and what read or overwrote them"
)
SHOWN_AHEAD = (
    "PostgreSQL never promised that one standby has what another has shown: a standby shows a transaction "
    "before its COMMIT returns, and a failover to another one loses it"
)
NOT_WAITED_FOR = (
    "PostgreSQL never promised that standbys have a transaction whose COMMIT was cut short: when its session "
    "is terminated or the server starts again, the primary shows it without waiting, and a failover loses it"
)
BACK_IN_TIME = (
    "PostgreSQL never promised that a standby which was killed shows at once what it had shown: it can be "
    "read as soon as its state is consistent, and replays the rest of the log it has after that"
)


def roles(standbys: int) -> dict[str, EndpointRole]:
    return {
        PRIMARY: EndpointRole(tuple(PROMISES), count=1),
        STANDBY: EndpointRole(
            ON_STANDBY,
            read_only=True,
            count=standbys,
            how="`standbys: 1` under `database:` starts one, and `url` names one of yours",
        ),
    }


def promise_across(options: PostgresOptions, uses: Sequence[EndpointUse], faults: Collection[str]) -> Promise:
    """See txfuzz.plugin_api.HasEndpoints."""
    used = {level for use in uses for level in use.levels}
    weakest = PROMISES[next(level for level in PROMISES if level in used)]
    on_standby = [use for use in uses if use.endpoint.role == STANDBY]
    elsewhere = [use for use in uses if use.endpoint.role != STANDBY]
    because = _about_standbys(options, on_standby, elsewhere)
    if FAIL_OVER in faults and (why := _what_is_lost(options, on_standby, faults)):
        return Promise(NO_LOSS, (*why, *because))
    if not on_standby or weakest not in (ONE_ORDER, "serializable"):
        return Promise(weakest, because)
    if any(use.reads for use in elsewhere):
        return Promise(TWO_ORDERS, because)
    ours = all(use.endpoint.url is None for use in uses)
    if options.replication == "remote_apply" and ours and len(on_standby) == 1:
        if KILL_STANDBY in faults:
            return Promise(ONE_ORDER, (*because, BACK_IN_TIME))
        return Promise("strong-snapshot-isolation", because)
    return Promise(ONE_ORDER, because)


def _what_is_lost(
    options: PostgresOptions, on_standby: Sequence[EndpointUse], faults: Collection[str]
) -> tuple[str, ...]:
    """Why a failover may lose what transactions rest on; empty if it may not."""
    if options.replication == "asynchronous":
        return (LOST,)
    found = []
    if options.standbys > 1 and on_standby:
        found.append(SHOWN_AHEAD)
    if KILL in faults or TERMINATE in faults:
        found.append(NOT_WAITED_FOR)
    return tuple(found)


def _about_standbys(
    options: PostgresOptions, on_standby: Sequence[EndpointUse], elsewhere: Sequence[EndpointUse]
) -> tuple[str, ...]:
    if not on_standby:
        return ()
    read_twice = any(use.reads for use in elsewhere)
    applied = options.replication == "remote_apply" and all(use.endpoint.url is None for use in on_standby)
    said = [] if applied else [LATE.format(replication=options.replication)]
    if applied and (read_twice or len(on_standby) > 1):
        said.append(SEEN_EARLY)
    if read_twice:
        said.append(OTHER_ORDER)
    return tuple(said)
