"""`mutate`: which kinds of change feedback may make, and the words and values to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txfuzz.database.api import Capabilities
from txfuzz.workload.allowed_changes import EVERYTHING, KINDS, AllowedChanges
from txfuzz.workload.yaml.nodes import Node
from txfuzz.workload.yaml.raw_statements import FUNCTIONS
from txfuzz.workload.yaml.scheduling import ROWS, read_form, read_level, read_lock

_KINDS = f"a list of kinds of change ({', '.join(KINDS)}), or all"
_NOUNS = {
    "isolation": "isolation levels",
    "locks": "locks",
    "rows": "ways in which rows come about",
}
_OPTIONS = ("plans", "layout")
_FORMS = "forms"
_FIELD = {"isolation": "levels"}  # of AllowedChanges, where it is not the kind


def read_allowed_changes(node: Node, adapter: str, capabilities: Capabilities | None) -> AllowedChanges:
    """`mutate`: the word `all`, or a list of kinds, each alone or as {kind: what to choose from}.

    capabilities: of the adapter; None while the database is not known.
    """
    if node.value == "all":
        return EVERYTHING
    found: dict[str, Any] = {}
    for item in node.items(_KINDS):
        if isinstance(item.value, Mapping):
            words = _chosen(item, adapter, capabilities)
        else:
            words = {item.one_of("a kind of change", KINDS): None}
        for kind in words:
            if kind in found:
                raise item.place.error(f"found the duplicate kind {kind!r} in `mutate`", "each once")
        found |= words
    kinds = tuple(kind for kind in KINDS if kind in found)
    given = {_FIELD.get(kind, kind): words for kind, words in found.items() if words is not None}
    return AllowedChanges(kinds, **given)


def _chosen(node: Node, adapter: str, capabilities: Capabilities | None) -> dict[str, Any]:
    """The words, or the values of options, to choose from."""
    found: dict[str, Any] = {}
    for kind, listed in node.fields("a kind of change with words", (*_NOUNS, _FORMS, *_OPTIONS)).items():
        if kind == _FORMS:
            found[kind] = _forms(listed, adapter, capabilities)
            continue
        if kind in _OPTIONS:
            found[kind] = _values(listed, kind)
            continue
        items = listed.items(f"a list of {_NOUNS[kind]}")
        if not items:
            raise listed.unexpected(f"at least one word, or {kind} without a list for all of them")
        found[kind] = tuple(dict.fromkeys(_word(kind, item, adapter, capabilities) for item in items))
    return found


def _word(kind: str, node: Node, adapter: str, capabilities: Capabilities | None) -> str:
    if kind == "isolation":
        return read_level(node, adapter, capabilities)
    if kind == "locks":
        return read_lock(node, adapter, capabilities)
    return node.one_of("how rows come about", ROWS)


def _forms(node: Node, adapter: str, capabilities: Capabilities | None) -> dict[str, tuple[str, ...]]:
    """Operation → its forms."""
    found = {}
    for f, listed in node.fields("forms to choose from", FUNCTIONS).items():
        words = listed.items("a list of forms")
        if not words:
            raise listed.unexpected("at least one form")
        found[f] = tuple(dict.fromkeys(read_form(word, f, adapter, capabilities) for word in words))
    if not found:
        raise node.unexpected("at least one operation, or forms without a mapping for all of them")
    return found


def _values(node: Node, kind: str) -> dict[str, tuple[Any, ...]]:
    """Option → values; the adapter's own checks come later."""
    found = {}
    for name, listed in node.mapping(
        f"options of the adapter, each with a list of values, for {kind}"
    ).items():
        items = listed.items("a list of values")
        if not items:
            raise listed.unexpected("at least one value")
        found[name] = tuple(dict.fromkeys(map(_value, items)))
    if not found:
        raise node.unexpected(f"at least one option, or {kind} without a mapping for all of them")
    return found


def _value(node: Node) -> Any:
    if not isinstance(node.value, str | int | float):
        raise node.unexpected("a value: text, a number, or true or false")
    return node.value
