"""`choices`: the keys of single choices, each within the set that it began with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from txfuzz.common.key_ranges import Keys
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.key_choices import can_choose, few_of_each, with_keys
from txfuzz.feedback.roles import Roles, choices
from txfuzz.feedback.targets.target import Target, Written, keys_in_words, short, told
from txfuzz.transactions.model import Choice, Transaction
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.keys import LARGEST_KEY

_FIELDS = ("transaction", "step", "argument", "name", "keys")
_TOLD = 3  # choices in a sentence


def places(transaction: Transaction) -> Iterator[dict[str, Any]]:
    """What identifies each choice: its transaction and step, its argument in raw SQL, its name."""
    for number, step in enumerate(transaction.steps):
        terms = [(None, step.key)] if step.sql is None else list(step.args)
        for argument, term in terms:
            if isinstance(term, Choice):
                place: dict[str, Any] = {"transaction": transaction.name, "step": number}
                if argument is not None:
                    place["argument"] = argument
                if term.name is not None:
                    place["name"] = term.name
                yield place


def _read(workload: Workload) -> list[dict[str, Any]]:
    return [
        {**place, "keys": keys_data(choice.keys)}
        for transaction in workload.transactions
        for place, choice in zip(places(transaction), choices(transaction), strict=True)
    ]


def keys_data(keys: Keys) -> Any:
    """{"range": [first, last]} or a list."""
    return {"range": [keys[0], keys[-1]]} if isinstance(keys, range) else list(keys)


def choices_value(workload: Workload, keys: Mapping[str, Sequence[Keys]]) -> list[dict[str, Any]]:
    """A value of the target. keys: of each choice, by transaction."""
    return [
        {**place, "keys": keys_data(each)}
        for transaction in workload.transactions
        if transaction.name in keys
        for place, each in zip(places(transaction), keys[transaction.name], strict=True)
    ]


def few_choices(
    workload: Workload,
    count: int,
    random: Random,
    original: Workload | None = None,
    held: Sequence[int] = (),
) -> list[dict[str, Any]]:
    """A value of `choices` with a few keys for each choice; see few_of_each."""
    return choices_value(workload, few_of_each(workload, count, random, original, held))


def _write(workload: Workload, value: Any, original: Workload) -> Written:
    if not isinstance(value, list):
        raise UsageError(f"choices must be a list of mappings, found {short(value)}")
    wanted: dict[str, dict[int, Keys]] = {}
    by_name = {each.name: each for each in workload.transactions}
    for entry in value:
        transaction = _transaction(entry, by_name)
        number = _number(entry, transaction)
        if number in wanted.setdefault(transaction.name, {}):
            raise UsageError(f"choices name {_place(entry)} twice")
        wanted[transaction.name][number] = _keys(entry)
    roles, changed = Roles(original), []
    for transaction in workload.transactions:
        given = wanted.get(transaction.name, {})
        sets = [given.get(at, choice.keys) for at, choice in enumerate(choices(transaction))]
        new = with_keys(transaction, sets) if given else transaction
        for at, key in roles.forbidden(new):
            if at in given:
                place = list(places(new))[at]
                raise UsageError(f"{_place(place)} cannot have key {key}, which it did not begin with")
        if given and not can_choose(new):
            raise UsageError(
                f"with these keys the choices of transaction {transaction.name!r} cannot differ as its "
                "distinct_from requires"
            )
        changed.append(new)
    return replace(workload, transactions=tuple(changed)), ()


def _transaction(entry: Any, known: Mapping[str, Transaction]) -> Transaction:
    if not isinstance(entry, dict) or "transaction" not in entry or "keys" not in entry:
        raise UsageError(f"a choice must be a mapping with transaction, step and keys, found {short(entry)}")
    for field in entry:
        if field not in _FIELDS:
            raise UsageError(f"a choice has no field {field!r}: {did_you_mean(str(field), _FIELDS)}")
    name = entry["transaction"]
    if name not in known:
        raise UsageError(f"choices name an unknown transaction {name!r}: {did_you_mean(str(name), known)}")
    return known[name]


def _number(entry: Mapping[str, Any], transaction: Transaction) -> int:
    """Of the only choice that it describes."""
    said = {field: entry[field] for field in ("step", "argument", "name") if field in entry}
    found = [
        number
        for number, place in enumerate(places(transaction))
        if said and all(place.get(field) == value for field, value in said.items())
    ]
    if len(found) != 1:
        has = told((_place(place) for place in places(transaction)), 8)
        which = "no choice" if not found else "several choices"
        raise UsageError(f"{_place(entry)} is {which} of transaction {transaction.name!r}, which has {has}")
    return found[0]


def _keys(entry: Mapping[str, Any]) -> Keys:
    keys = entry["keys"]
    bounds = keys.get("range") if isinstance(keys, dict) and set(keys) == {"range"} else None
    numbers = keys if bounds is None else bounds
    if not isinstance(numbers, list) or not all(
        type(key) is int and 1 <= key <= LARGEST_KEY for key in numbers
    ):
        raise UsageError(
            f"the keys of {_place(entry)} must be a list of whole numbers from 1, or "
            f"{{'range': [first, last]}}, found {short(keys)}"
        )
    if bounds is not None:
        if len(bounds) != 2 or bounds[0] > bounds[1]:
            raise UsageError(f"the range of {_place(entry)} must be [first, last], found {short(bounds)}")
        return range(bounds[0], bounds[1] + 1)
    if not numbers:
        raise UsageError(f"{_place(entry)} needs at least one key to choose from")
    return tuple(dict.fromkeys(numbers))


def _place(place: Mapping[str, Any]) -> str:
    """'xfer' step 1 (a)"""
    step = f" step {place['step']}" if "step" in place else ""
    argument = f" argument {place['argument']}" if "argument" in place else ""
    name = f" ({place['name']})" if "name" in place else ""
    return f"{place.get('transaction')!r}{step}{argument}{name}"


def keys_of_value(data: Any) -> Keys:
    """The opposite of keys_data."""
    return range(data["range"][0], data["range"][1] + 1) if isinstance(data, Mapping) else tuple(data)


def _length(data: Any) -> str:
    return keys_in_words(keys_of_value(data))


def _words(value: Any) -> str:
    return told((f"{_place(each)} {_length(each['keys'])}" for each in value), _TOLD)


def _difference(before: Any, after: Any) -> str:
    had = {_place(each): each["keys"] for each in before}
    moved = [each for each in after if had.get(_place(each)) != each["keys"]]
    changes = (
        f"{_place(each)} from {_length(had[_place(each)])} to {_length(each['keys'])}" for each in moved
    )
    return f"the keys of {told(changes, _TOLD, 'no choice')}"


CHOICES = Target("keys", "the keys of single choices", _read, _write, _words, _difference)
