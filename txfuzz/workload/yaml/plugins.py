"""The plugin objects that a workload names: the adapter under `database:` with its endpoints, analyzers,
heuristics, the strategy; and to which endpoints transactions go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from txfuzz.common.options import build, options_of
from txfuzz.common.secrets import masked
from txfuzz.database.api import Capabilities
from txfuzz.database.endpoints import Endpoint
from txfuzz.database.isolation_levels import capabilities_of, level_named
from txfuzz.database.schemes import options_of_url
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.transactions.model import Transaction
from txfuzz.workload.database.endpoints import check_roles
from txfuzz.workload.model import AS_IN_FILE, DatabaseChoice, DatabaseSpec, PluginSpec
from txfuzz.workload.vocabulary import Vocabulary
from txfuzz.workload.yaml.nodes import Node

_ROLE = "the role of the endpoint, or a mapping with role, isolation and url"
DATABASE_FIELDS = ("adapter", "isolation", "url", "endpoints")


def read_database(
    node: Node, vocabulary: Vocabulary | None, choice: DatabaseChoice = AS_IN_FILE
) -> tuple[DatabaseSpec, Capabilities | None]:
    """The database and its capabilities; None for these if no adapter is named or looked up."""
    fields = node.mapping("the database as a mapping")
    options = {name: value for name, value in fields.items() if name not in DATABASE_FIELDS}
    url = read_url(fields["url"]) if "url" in fields else None
    name = fields["adapter"].text("the name of an adapter") if "adapter" in fields else None
    if name is None:
        for option, value in options.items():
            raise value.name_place.error(
                f"found the field {option!r} in a database without an adapter",
                "`adapter` as well if this is an adapter option",
                did_you_mean(option, DATABASE_FIELDS),
            )
    if name is None or vocabulary is None:
        level = fields["isolation"].text("an isolation level") if "isolation" in fields else None
        endpoints = read_endpoints(fields.get("endpoints"), name or "", None)
        return DatabaseSpec(name, level, url, plain_options(options), endpoints), None
    with fields["adapter"].place.added_to_errors():
        adapter_class = vocabulary.find("adapter", name)
    _refuse_unknown(options, adapter_class, name)
    adapter = built_from(adapter_class, options, f"adapter {name!r}", node)
    given = plain_options(options)
    decided = options_of_url(adapter_class, choice.url or _known(url))
    if any(option not in given for option in decided):
        given = {**decided, **given}
        adapter = build(adapter_class, given, f"adapter {name!r}")
    capabilities = capabilities_of(adapter)
    level = _level(fields["isolation"], capabilities) if "isolation" in fields else None
    endpoints = read_endpoints(fields.get("endpoints"), name, capabilities)
    return DatabaseSpec(name, level, url, given, endpoints), capabilities


def chosen_spec(
    spec: DatabaseSpec, vocabulary: Vocabulary, choice: DatabaseChoice
) -> tuple[DatabaseSpec, Capabilities]:
    """The adapter that was chosen, in place of the one that a file names, or of none."""
    name = choice.adapter or ""
    adapter_class = vocabulary.find("adapter", name)
    options = options_of_url(adapter_class, choice.url)
    capabilities = capabilities_of(build(adapter_class, options, f"adapter {name!r}"))
    if spec.endpoints:
        check_roles(spec.endpoints, name, capabilities)
    if spec.adapter is not None:
        return DatabaseSpec(name, options=options, endpoints=spec.endpoints), capabilities
    level = None if spec.isolation is None else level_named(capabilities, spec.isolation)
    return replace(spec, adapter=name, isolation=level, options=options), capabilities


def _known(url: str | None) -> str | None:
    """The URL of a file, unless it is one of the environment."""
    return None if url is None or url.startswith("$") else url


def read_named(node: Node, kind: str, vocabulary: Vocabulary | None) -> tuple[PluginSpec, ...]:
    """A list of analyzers or heuristics: names, or mappings with `name` and options."""
    found: dict[str, PluginSpec] = {}
    for item in node.items(f"a list of {kind}s"):
        spec = read_one(item, kind, vocabulary)
        if spec.name in found:
            named = item.value["name"] if isinstance(item.value, Mapping) else item
            raise named.place.error(f"found the duplicate {kind} {spec.name!r}", "each once")
        found[spec.name] = spec
    return tuple(found.values())


def read_one(node: Node, kind: str, vocabulary: Vocabulary | None) -> PluginSpec:
    """An analyzer, heuristic or strategy: a name, or a mapping with `name` and options."""
    one = f"{'an' if kind == 'analyzer' else 'a'} {kind}"
    named, options = node, dict[str, Node]()
    if isinstance(node.value, Mapping):
        if "name" not in node.value:
            raise node.place.error(f"found {one} without the field 'name'")
        named = node.value["name"]
        options = {option: value for option, value in node.value.items() if option != "name"}
    name = named.text(f"the name of {one}")
    if vocabulary is not None:
        with named.place.added_to_errors():
            its_class = vocabulary.find(kind, name)
        built_from(its_class, options, f"{kind} {name!r}", node)
    return PluginSpec(name, plain_options(options))


def _level(node: Node, capabilities: Capabilities) -> str:
    word = node.text("an isolation level")
    with node.place.added_to_errors():
        return level_named(capabilities, word)


def _refuse_unknown(options: Mapping[str, Node], adapter: type, name: str) -> None:
    """A misspelled field may be meant as one of `database` itself or as an option of the adapter."""
    known = {option.name for option in options_of(adapter)}
    for option, value in options.items():
        if option not in known:
            raise value.name_place.error(
                f"found the unknown field {option!r} in the database",
                f"a field of `database` or an option of adapter {name!r}",
                did_you_mean(option, (*DATABASE_FIELDS, *known)),
            )


def built_from(its_class: type, options: Mapping[str, Node], owner: str, node: Node) -> Any:
    """The object; errors are reported at the option that caused them."""
    try:
        return build(its_class, plain_options(options), owner)
    except UsageError as error:
        place = _culprit(its_class, options, owner, str(error))
        try:  # again, without a password that the message might quote
            build(its_class, masked(plain_options(options)), owner)
        except UsageError as safe:
            raise (place or node).place.error(str(safe)) from None
        raise (place or node).place.error(
            f"found an option value that {owner} rejects", "another value"
        ) from None


def _culprit(its_class: type, options: Mapping[str, Node], owner: str, complaint: str) -> Node | None:
    """The first option with which the complaint appears."""
    known = {option.name for option in options_of(its_class)}
    some: dict[str, Node] = {}
    for name, node in options.items():
        some[name] = node
        try:
            build(its_class, plain_options(some), owner)
        except UsageError as error:
            if str(error) == complaint:
                return node if name in known else Node(node.name_place, node.value)
    return None


def plain_options(options: Mapping[str, Node]) -> dict[str, Any]:
    return {name: node.plain() for name, node in options.items()}


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
