"""The places that transactions may go to: `endpoints` under `database:`, and `at` of a transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from txfuzz.database.api import Capabilities
from txfuzz.database.endpoints import Endpoint
from txfuzz.database.isolation_levels import level_named
from txfuzz.errors import did_you_mean
from txfuzz.transactions.model import Transaction
from txfuzz.workload.endpoints import check_roles
from txfuzz.workload.yaml.nodes import Node

_ROLE = "the role of the endpoint, or a mapping with role, isolation and url"


def read_endpoints(
    node: Node | None, adapter: str, capabilities: Capabilities | None
) -> tuple[Endpoint, ...]:
    """In their order. capabilities: of the adapter; None while the database is not known."""
    if node is None:
        return ()
    named = node.mapping("the endpoints as a mapping of name to role")
    if not named:
        raise node.place.error("found no endpoint", "at least one")
    found: list[Endpoint] = []
    of_role: Counter[str] = Counter()
    for name, value in named.items():
        endpoint = _endpoint(name, value, of_role, capabilities)
        if endpoint.url is None:
            of_role[endpoint.role] += 1
        found.append(endpoint)
        if capabilities is not None:
            with value.name_place.added_to_errors():
                check_roles((endpoint,), adapter, capabilities)
    if found[0].read_only:
        raise node.place.error(
            f"found the endpoint {found[0].name!r} first, where nothing can be written",
            "first the one at which every key is read at the end, and to which transactions without `at` go",
        )
    return tuple(found)


def _endpoint(
    name: str, node: Node, before: Mapping[str, int], capabilities: Capabilities | None
) -> Endpoint:
    role, isolation, url = name, None, None
    if isinstance(node.value, Mapping):
        fields = node.fields("an endpoint", ("role", "isolation", "url"))
        role = fields["role"].text(_ROLE) if "role" in fields else name
        url = read_url(fields["url"]) if "url" in fields else None
        if "isolation" in fields:
            isolation = fields["isolation"].text("an isolation level")
            if capabilities is not None:
                with fields["isolation"].place.added_to_errors():
                    isolation = level_named(capabilities, isolation)
    else:
        role = node.text(_ROLE)
    known = capabilities.endpoints.get(role) if capabilities is not None else None
    read_only = known is not None and known.read_only
    return Endpoint(name, role, before.get(role, 0) if url is None else 0, url, isolation, read_only)


def read_url(node: Node) -> str:
    if not isinstance(node.value, str) or not node.value.strip():
        raise node.unexpected("a database URL, or $NAME to take it from an environment variable")
    return node.value


def read_at(node: Node, endpoints: Sequence[Endpoint]) -> tuple[tuple[str, float], ...]:
    """Where a transaction goes: the name of an endpoint, or names with shares."""
    if not endpoints:
        raise node.name_place.error("found `at`", "`endpoints` under `database:` first")
    if not isinstance(node.value, Mapping):
        return ((_named(node, node.text("the name of an endpoint"), endpoints), 1.0),)
    shares = []
    for name, share in node.mapping("names of endpoints with shares").items():
        shares.append((_named(Node(share.name_place, name), name, endpoints), share.number("a share")))
    if not any(share > 0 for _, share in shares):
        raise node.place.error("found no share above zero", "one")
    return tuple(shares)


def _named(node: Node, name: str, endpoints: Sequence[Endpoint]) -> str:
    names = [each.name for each in endpoints]
    if name not in names:
        raise node.place.error(f"found the unknown endpoint {name!r}", "", did_you_mean(name, names))
    return name


def check_writes(node: Node, transaction: Transaction, endpoints: Sequence[Endpoint]) -> None:
    """A transaction that writes or locks cannot go where nothing is written. node: its `at`."""
    asked = {name for name, share in transaction.mode.at if share > 0}
    for endpoint in endpoints:
        if endpoint.name in asked and endpoint.read_only:
            if transaction.writes:
                found = f"found {transaction.name!r}, which writes, at the endpoint {endpoint.name!r}"
            elif any(step.lock for step in transaction.steps):
                found = f"found {transaction.name!r}, which locks rows, at the endpoint {endpoint.name!r}"
            else:
                continue
            raise node.place.error(found, f"only reads there: a {endpoint.role} is read-only")
