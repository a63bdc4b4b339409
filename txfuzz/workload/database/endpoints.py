"""Where the transactions of a workload go, and at which level they run there."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from txfuzz.common.secrets import SecretText
from txfuzz.database.api import Capabilities
from txfuzz.database.endpoints import Endpoint, EndpointRole, EndpointUse, HasEndpoints, Promise
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.transactions.model import Mode, Transaction
from txfuzz.workload.model import Workload

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def modes_of(transaction: Transaction, endpoints: tuple[Endpoint, ...]) -> tuple[tuple[Mode, float], ...]:
    """How the transaction may begin, each with its share: once for each endpoint that it may go to."""
    mode = transaction.mode
    if not endpoints:
        return ((mode, 1.0),)
    by_name = {each.name: each for each in endpoints}
    return tuple(
        (replace(mode, isolation=mode.isolation or by_name[name].isolation, at=((name, 1.0),)), share)
        for name, share in mode.at or ((endpoints[0].name, 1.0),)
        if share > 0
    )


def levels_in(workload: Workload, level: str) -> Iterator[tuple[Transaction, str | None, str]]:
    """For each transaction of the mix and each endpoint that it may go to: the level at which it runs.

    level: of transactions without a level of their own.
    """
    asked = {weight.txn for weight in workload.mix if weight.weight > 0}
    for transaction in workload.transactions:
        if transaction.name in asked:
            for mode, _ in modes_of(transaction, workload.database.endpoints):
                yield transaction, mode.endpoint, mode.isolation or level


def uses_of(workload: Workload, level: str) -> tuple[EndpointUse, ...]:
    """What the workload does at each of its endpoints; those without transactions are left out."""
    found = []
    for endpoint in workload.database.endpoints:
        here = [(each, word) for each, name, word in levels_in(workload, level) if name == endpoint.name]
        steps = [step for transaction, _ in here for step in transaction.steps]
        if here:
            found.append(
                EndpointUse(
                    endpoint,
                    frozenset(word for _, word in here),
                    reads=any(step.reads or step.sql is not None for step in steps),
                    writes=any(step.writes or step.f is None for step in steps),
                )
            )
    return tuple(found)


def promise_of(
    workload: Workload,
    adapter: HasEndpoints,
    capabilities: Capabilities,
    level: str,
    faults: Collection[str],
) -> Promise:
    """What the adapter promises of this workload. UsageError for a level that an endpoint does not have.

    faults: the abilities that its faults need.
    """
    if not workload.database.endpoints:
        role = next(iter(capabilities.endpoints))
        placed = replace(workload.database, endpoints=(Endpoint(role, role),))
        workload = replace(workload, database=placed)
    uses = uses_of(workload, level)
    for use in uses:
        check_levels(use, capabilities.endpoints)
    # Feedback may run the transactions of the first endpoint at other levels.
    first = replace(uses[0], levels=uses[0].levels | set(workload.mutate.levels))
    return adapter.promise_across((first, *uses[1:]), faults)


def check_levels(use: EndpointUse, roles: Mapping[str, EndpointRole]) -> None:
    endpoint = use.endpoint
    has = roles[endpoint.role].levels
    for word in sorted(use.levels):
        if word not in has:
            raise UsageError(
                f"a transaction at the endpoint {endpoint.name!r} would run at {word!r}, which a "
                f"{endpoint.role} does not have ({', '.join(has)}): give the endpoint or the transaction an "
                "`isolation` of its own"
            )


def check_roles(endpoints: tuple[Endpoint, ...], adapter: str, capabilities: Capabilities) -> None:
    """UsageError for a role that the adapter does not have, or more of one than its server has."""
    roles = capabilities.endpoints
    if not roles:
        raise UsageError(f"adapter {adapter!r} has one place only, and no endpoints")
    for endpoint in endpoints:
        role = roles.get(endpoint.role)
        if role is None:
            raise UsageError(
                f"endpoint {endpoint.name!r}: adapter {adapter!r} has no {endpoint.role!r}: "
                f"{did_you_mean(endpoint.role, roles)}"
            )
        if endpoint.url is None and endpoint.number >= role.count:
            how = f"; {role.how}" if role.how else ""
            raise UsageError(
                f"endpoint {endpoint.name!r}: adapter {adapter!r} has {role.count} of the role "
                f"{endpoint.role!r} with these options{how}"
            )


def level_words(workload: Workload, level: str | None = None) -> str | None:
    """The isolation level in sentences; with endpoints, that of each: "serializable at primary and …"."""
    level = level or workload.database.isolation
    if level is None or not workload.database.endpoints:
        return level
    said = [f"{' or '.join(sorted(use.levels))} at {use.endpoint.name}" for use in uses_of(workload, level)]
    return " and ".join(said)


def reachable(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """The same with the URLs that environment variables hold. UsageError if one of these is not set."""
    return tuple(
        each if each.url is None else replace(each, url=SecretText(url_in_environment(each.url)))
        for each in endpoints
    )


def url_in_environment(url: str) -> str:
    """The URL, or that in the environment variable that `$NAME` names. UsageError if it is not set."""
    variable = _VARIABLE.fullmatch(url)
    if variable is None:
        return url
    name = variable[1] or variable[2]
    found = os.environ.get(name, "")
    if not found.strip():
        how = "is empty" if name in os.environ else "is not set"
        raise UsageError(f"the database URL is taken from the environment variable {name}, which {how}")
    return found
