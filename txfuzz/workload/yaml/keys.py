"""The keys of a step: choices, references to them, literal numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from txfuzz.common.key_ranges import Keys, key_count
from txfuzz.common.sentences import listed
from txfuzz.errors import WorkloadError, did_you_mean
from txfuzz.transactions.distinct_choices import satisfiable
from txfuzz.transactions.model import Choice, Key, Ref, Returned, Transaction
from txfuzz.workload.yaml.nodes import Node

LARGEST_KEY = (1 << 63) - 1
MOST_KEYS = 1_000_000  # per workload, since heuristics look at each of them
_FORMS = "a key: {choice: {from: [1, 2]}}, {choice: {range: [1, 9]}}, {ref: NAME} or a number"
_A_KEY = "a key"


class ChosenKeys:
    """What a transaction has chosen so far, in the order of its steps."""

    def __init__(self) -> None:
        self._choices: list[Choice] = []
        self._names: set[str] = set()
        self._returned: set[str] = set()

    def read_argument(self, node: Node) -> Key | Returned:
        """A key, or a value returned by an earlier statement."""
        if isinstance(node.value, Mapping) and "ref" in node.value:
            name = node.value["ref"]
            if name.value in self._returned:
                node.fields("a ref", ("ref",))
                return Returned(name.text("a name"))
        return self.read_key(node)

    def returns(self, node: Node, name: str) -> None:
        """A statement returns a value under this name, for later statements."""
        if name in self._names:
            raise node.name_place.error(f"found the duplicate name {name!r}", "a name that no key has (`as`)")
        self._returned.add(name)

    def read_key(self, node: Node) -> Key:
        if type(node.value) is int:
            return self._add(Choice((_key(node),)), node)
        fields = node.mapping(_FORMS)
        if "ref" in fields:
            node.fields("a ref", ("ref",))
            return Ref(self._known(fields["ref"]))
        fields = node.fields("a key", ("choice", "as", "distinct_from", "ref"), ("choice",))
        keys = _keys(fields["choice"])
        name = self._new_name(fields["as"]) if "as" in fields else None
        if "distinct_from" not in fields:
            return self._add(Choice(keys, name), node)
        listed = fields["distinct_from"]
        others = tuple(self._known(other) for other in listed.items("a list of names of earlier choices"))
        return self._add(Choice(keys, name, tuple(dict.fromkeys(others))), listed)

    def _new_name(self, node: Node) -> str:
        name = node.text("a name for the chosen key")
        if name in self._names | self._returned:
            raise node.place.error(f"found the duplicate name {name!r}", "a different name for each choice")
        return name

    def _known(self, node: Node) -> str:
        name = node.text("the name of an earlier choice")
        if name not in self._names:
            known = self._names | self._returned
            hint = did_you_mean(name, known) if known else "no earlier step names one with `as`"
            raise node.place.error(f"found {name!r}", "the name of an earlier choice", hint)
        return name

    def _add(self, choice: Choice, node: Node) -> Choice:
        self._choices.append(choice)
        if choice.name is not None:
            self._names.add(choice.name)
        if choice.distinct_from and not satisfiable(self._choices):
            count = len(choice.keys)
            others = listed(map(repr, choice.distinct_from))
            keys = "1 key" if count == 1 else f"{count} keys"
            raise node.place.error(f"found a choice of {keys} that cannot differ from {others}", "more keys")
        return choice


def check_count(transactions: Sequence[Transaction], node: Node) -> None:
    """Refuse a workload that chooses from more than MOST_KEYS keys."""
    terms = (term for each in transactions for step in each.steps for term in step.key_terms())
    count = key_count(term.keys for term in terms if isinstance(term, Choice))
    if count > MOST_KEYS:
        raise _too_many(node, f"transactions that choose from {count:,} keys in total")


def _too_many(node: Node, found: str) -> WorkloadError:
    return node.place.error(f"found {found}", f"at most {MOST_KEYS:,}")


def _keys(node: Node) -> Keys:
    fields = node.fields("a choice", ("from", "range"))
    if len(fields) != 1:
        found = "both `from` and `range`" if fields else "neither `from` nor `range`"
        raise node.place.error(f"found {found} in a choice", "one of them")
    return _listed(fields["from"]) if "from" in fields else _ranged(fields["range"])


def _listed(node: Node) -> tuple[int, ...]:
    items = node.items("a list of keys")
    if not items:
        raise node.place.error("found an empty choice", "at least one key")
    keys: dict[int, Node] = {}
    for item in items:
        key = _key(item)
        if key in keys:
            raise item.place.error(f"found the duplicate key {key}", "each key once")
        keys[key] = item
    return tuple(keys)


def _ranged(node: Node) -> range:
    bounds = node.items("the first and the last key, as in [1, 9]")
    if len(bounds) != 2:
        raise node.place.error(
            f"found a list of length {len(bounds)}", "the first and the last key, as in [1, 9]"
        )
    first, last = map(_key, bounds)
    if first > last:
        raise node.place.error(f"found a range from {first} to {last}", "the smaller key first")
    if last - first >= MOST_KEYS:
        raise _too_many(node, f"a range of {last - first + 1:,} keys")
    return range(first, last + 1)


def _key(node: Node) -> int:
    return node.whole(_A_KEY, 1, LARGEST_KEY)
