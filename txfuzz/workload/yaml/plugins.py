"""The plugin objects that a workload names: the adapter under `database:`, analyzers, heuristics,
the strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txfuzz.common.options import build, options_of
from txfuzz.common.secrets import masked
from txfuzz.database.api import Capabilities
from txfuzz.database.isolation_levels import capabilities_of, level_named
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.workload.model import DatabaseSpec, PluginSpec
from txfuzz.workload.vocabulary import Vocabulary
from txfuzz.workload.yaml.endpoints import read_endpoints, read_url
from txfuzz.workload.yaml.nodes import Node

DATABASE_FIELDS = ("adapter", "isolation", "url", "endpoints")


def read_database(node: Node, vocabulary: Vocabulary | None) -> tuple[DatabaseSpec, Capabilities | None]:
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
    capabilities = capabilities_of(adapter)
    level = _level(fields["isolation"], capabilities) if "isolation" in fields else None
    endpoints = read_endpoints(fields.get("endpoints"), name, capabilities)
    return DatabaseSpec(name, level, url, plain_options(options), endpoints), capabilities


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
