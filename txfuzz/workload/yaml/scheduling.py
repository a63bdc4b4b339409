"""The mix, the scheduling, the lifetime of keys, and which of them feedback may change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from txfuzz.common.durations import seconds_in
from txfuzz.database.api import Capabilities
from txfuzz.database.isolation_levels import level_named
from txfuzz.errors import did_you_mean
from txfuzz.transactions.model import Transaction
from txfuzz.workload.allowed_changes import EVERYTHING, KINDS, AllowedChanges
from txfuzz.workload.model import PAUSES, SENDING, KeyLife, Scheduling, ThinkTime, Weight
from txfuzz.workload.yaml.nodes import Node
from txfuzz.workload.yaml.raw_statements import FUNCTIONS

LONGEST = 366 * 24 * 3600.0
ROWS = ("fresh", "inserted", "deleted")
MOST_CLIENTS = 10_000  # each opens a connection
MOST_DIRECTED = 64  # sessions, beside the clients
_SHOWN_WEIGHTS = 3  # in a message
LONGEST_PAUSE = 1.0  # seconds, inside a transaction
_KINDS = f"a list of kinds of change ({', '.join(KINDS)}), or all"
_NOUNS = {
    "isolation": "isolation levels",
    "locks": "locks",
    "rows": "ways in which rows come about",
}
_OPTIONS = ("plans", "layout")
_FORMS = "forms"
_FIELD = {"isolation": "levels"}  # of AllowedChanges, where it is not the kind


def equal_mix(transactions: Sequence[Transaction]) -> tuple[Weight, ...]:
    return tuple(Weight(transaction.name, 1) for transaction in transactions)


def read_mix(node: Node, transactions: Sequence[Transaction]) -> tuple[Weight, ...]:
    names = [transaction.name for transaction in transactions]
    mix: dict[str, Weight] = {}
    expected = "a list of {txn: NAME, weight: N}"
    if isinstance(node.value, Mapping):
        weights = [f"{{txn: {name}, weight: {each.plain()}}}" for name, each in node.value.items()]
        more = ", …" if weights[_SHOWN_WEIGHTS:] else ""
        raise node.unexpected(expected, f"write `mix: [{', '.join(weights[:_SHOWN_WEIGHTS])}{more}]`")
    for item in node.items(expected):
        fields = item.fields("an entry of the mix", ("txn", "weight"), ("txn",))
        named = fields["txn"]
        name = named.text("the name of a transaction")
        if name not in names:
            raise named.place.error(
                f"found the unknown transaction {name!r} in the mix", "", did_you_mean(name, names)
            )
        if name in mix:
            raise named.place.error(f"found the duplicate transaction {name!r} in the mix", "each once")
        mix[name] = Weight(name, fields["weight"].number("a weight") if "weight" in fields else 1)
    if not any(weight.weight > 0 for weight in mix.values()):
        found = "a mix whose weights are all zero" if mix else "an empty mix"
        raise node.place.error(f"found {found}", "a weight above zero")
    return tuple(mix.values())


def read_scheduling(node: Node) -> Scheduling:
    fields = node.fields(
        "scheduling",
        ("clients", "transactions", "duration", "barrier_every", "think_time", "sending", "directed"),
    )
    given: dict[str, Any] = {}
    if "transactions" in fields and "duration" in fields:
        both = (fields["transactions"].name_place, fields["duration"].name_place)
        later = max(both, key=lambda place: (place.line, place.column))
        raise later.error("found both transactions and duration in scheduling", "one of them")
    if "clients" in fields:
        given["clients"] = fields["clients"].whole("the number of clients", 1, MOST_CLIENTS)
    if "transactions" in fields:
        given["transactions"] = fields["transactions"].whole("the number of transactions", 1)
    if "duration" in fields:
        given |= {"transactions": None, "duration": read_duration(fields["duration"])}
    if "barrier_every" in fields:
        given["barrier_every"] = fields["barrier_every"].whole(
            "the number of transactions between barriers", 0
        )
    if "think_time" in fields:
        given["think_time"] = _think_time(fields["think_time"])
    if "sending" in fields:
        given["sending"] = fields["sending"].one_of("how statements are sent", SENDING)
    if "directed" in fields:
        given["directed"] = fields["directed"].whole(
            "the number of sessions for directed schedules", 0, MOST_DIRECTED
        )
    return Scheduling(**given)


def _think_time(node: Node) -> ThinkTime:
    """One duration, the longest pause; or a mapping."""
    if not isinstance(node.value, Mapping):
        return ThinkTime(_pause(node))
    fields = node.fields("think_time", ("least", "most", "before"), ("most",))
    least = _pause(fields["least"]) if "least" in fields else 0.0
    most = _pause(fields["most"])
    if least > most:
        raise fields["least"].unexpected("a pause no longer than the longest one (`most`)")
    before = fields["before"].one_of("what clients pause before", PAUSES) if "before" in fields else "step"
    return ThinkTime(most, least, before)


def _pause(node: Node) -> float:
    """In seconds; 0 for none."""
    if node.value == 0 and type(node.value) in (int, float):
        return 0.0
    seconds = read_duration(node)
    if seconds > LONGEST_PAUSE:
        raise node.unexpected(f"a pause of at most {LONGEST_PAUSE:g}s, as in 500us or 2ms")
    return seconds


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


def read_level(node: Node, adapter: str, capabilities: Capabilities | None) -> str:
    """An isolation level as the adapter spells it."""
    word = node.text("an isolation level")
    if capabilities is None:
        return word
    with node.place.added_to_errors():
        return level_named(capabilities, word)


def read_lock(node: Node, adapter: str, capabilities: Capabilities | None) -> str:
    """A lock of a reading step, in the adapter's words."""
    word = node.text("the word for a lock")
    if capabilities is None:
        return word
    locks = capabilities.locks
    if not locks:
        raise node.place.error(f"found {word!r}", f"no lock: adapter {adapter!r} has no locking reads")
    if word not in locks:
        raise node.place.error(
            f"found {word!r}", f"a lock that adapter {adapter!r} supports", did_you_mean(word, locks)
        )
    return word


def read_form(node: Node, f: str, adapter: str, capabilities: Capabilities | None) -> str:
    """Another way to write the steps of this operation, in the adapter's words."""
    word = node.text("the word for a form")
    if capabilities is None:
        return word
    forms = capabilities.forms.get(f, ())
    if not forms:
        raise node.place.error(f"found {word!r}", f"no form: adapter {adapter!r} writes {f!r} in one way")
    if word not in forms:
        raise node.place.error(
            f"found {word!r}", f"a form of {f!r} that adapter {adapter!r} knows", did_you_mean(word, forms)
        )
    return word


def read_key_life(node: Node) -> KeyLife:
    fields = node.fields("keys", ("writes", "rows"))
    given: dict[str, Any] = {}
    if "writes" in fields:
        given["writes"] = fields["writes"].whole("the number of writes per generation", 1)
    if "rows" in fields:
        given["rows"] = fields["rows"].one_of("how rows are created", ROWS)
    return KeyLife(**given)


def read_duration(node: Node) -> float:
    """In seconds."""
    value, seconds = node.value, 0.0
    if isinstance(value, str):
        seconds = seconds_in(value) or 0.0
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    if not 0 < seconds <= LONGEST:
        raise node.unexpected("a duration such as 30s, 5m or 2h, or a number of seconds")
    return float(seconds)
