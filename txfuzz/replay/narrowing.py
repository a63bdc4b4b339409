"""Choices of keys narrowed to one key each, so that transactions meet where they are to meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from txfuzz.workload.model import Argument, Choice, Key, Ref, Step, Transaction

_MOST = 20_000  # assignments that are looked at


@dataclass(frozen=True, slots=True)
class Need:
    """A transaction has to touch this logical key. writes: else it has to read it. step: where it
    is wished; another one will do."""

    key: int
    writes: bool
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Narrowed:
    """steps: for each need, the step that meets it."""

    transaction: Transaction
    steps: tuple[int, ...]


def narrow(transaction: Transaction, recorded: Mapping[int, int], needs: Sequence[Need]) -> Narrowed | None:
    """The transaction with one key for every choice; None where no keys meet all needs.

    recorded: step → the logical key that it once had; as many as possible are kept.
    """
    choices = choices_of(transaction)
    kept = _recorded(transaction, recorded)
    wished = dict.fromkeys(need.key for need in needs)
    domains = [_domain(choice, kept.get(at), wished) for at, choice in enumerate(choices)]
    best: tuple[tuple[int, int], Narrowed] | None = None
    for keys in islice(product(*domains), _MOST):
        if not _differ(choices, keys):
            continue
        narrowed = pinned(transaction, keys)
        met = [_meeting(narrowed, need) for need in needs]
        steps = [step for step in met if step is not None]
        if len(steps) < len(met):
            continue
        as_wished = sum(need.step in (None, step) for need, step in zip(needs, steps, strict=True))
        as_recorded = sum(kept.get(at) == key for at, key in enumerate(keys))
        rank = (as_wished, as_recorded)
        if best is None or rank > best[0]:
            best = rank, Narrowed(narrowed, tuple(steps))
    return None if best is None else best[1]


def choices_of(transaction: Transaction) -> list[Choice]:
    """In the order in which they are made."""
    return [term for step in transaction.steps for term in step.key_terms() if isinstance(term, Choice)]


def pinned(transaction: Transaction, keys: Sequence[int]) -> Transaction:
    """The transaction with these keys, one for each of its choices in their order."""
    choices = choices_of(transaction)
    return rechosen(
        transaction, [replace(each, keys=(key,)) for each, key in zip(choices, keys, strict=True)]
    )


def rechosen(transaction: Transaction, choices: Sequence[Choice]) -> Transaction:
    """The transaction with these choices in the place of its own, in their order."""
    left = iter(choices)

    def one(term: Argument) -> Any:
        return next(left) if isinstance(term, Choice) else term

    def step(each: Step) -> Step:
        args = tuple((name, one(arg)) for name, arg in each.args)
        if each.sql is not None:  # whose key is one of its arguments
            return replace(each, key=acting_on(replace(each, args=args)), args=args)
        return replace(each, key=None if each.key is None else one(each.key))

    return replace(transaction, steps=tuple(step(each) for each in transaction.steps))


def step_keys(transaction: Transaction) -> list[int | None]:
    """Of a pinned transaction: the logical key of each step's micro-operation."""
    named: dict[str, int] = {}
    keys: list[int | None] = []
    for step in transaction.steps:
        for term in step.key_terms():
            if isinstance(term, Choice) and term.name is not None:
                named[term.name] = term.keys[0]
        own = acting_on(step)
        keys.append(None if own is None else named[own.name] if isinstance(own, Ref) else own.keys[0])
    return keys


def acting_on(step: Step) -> Key | None:
    """The key of the step's micro-operation; None where it is known only once the step has run."""
    own = step.key if step.sql is None else dict(step.args).get(step.key_arg or "")
    return own if step.f is not None and isinstance(own, Choice | Ref) else None


def _recorded(transaction: Transaction, recorded: Mapping[int, int]) -> dict[int, int]:
    """Choice → the key that it once had, as far as the steps tell."""
    named: dict[str, int] = {}
    found: dict[int, int] = {}
    at = 0
    for number, step in enumerate(transaction.steps):
        own = acting_on(step)
        for term in step.key_terms():
            if isinstance(term, Choice):
                if term.name is not None:
                    named[term.name] = at
                if term is own and number in recorded:
                    found[at] = recorded[number]
                at += 1
        if isinstance(own, Ref) and number in recorded and own.name in named:
            found.setdefault(named[own.name], recorded[number])
    return found


def _domain(choice: Choice, kept: int | None, wished: Mapping[int, None]) -> list[int]:
    keys = [] if kept is None else [kept]
    keys += [key for key in wished if key in choice.keys and key not in keys]
    # Others stand by where keys must differ, and where nothing was recorded.
    room = 1 + len(choice.distinct_from) if kept is None or choice.distinct_from else 0
    return keys + list(islice(_others(choice, keys), room))


def _others(choice: Choice, keys: Sequence[int]) -> Iterator[int]:
    return (key for key in choice.keys if key not in keys)


def _differ(choices: Sequence[Choice], keys: Sequence[int]) -> bool:
    named: dict[str, int] = {}
    for choice, key in zip(choices, keys, strict=True):
        if any(named.get(other) == key for other in choice.distinct_from):
            return False
        if choice.name is not None:
            named[choice.name] = key
    return True


def _meeting(transaction: Transaction, need: Need) -> int | None:
    keys = step_keys(transaction)
    fits = [
        number
        for number, (step, key) in enumerate(zip(transaction.steps, keys, strict=True))
        if key == need.key and (step.writes if need.writes else step.reads)
    ]
    return need.step if need.step in fits else next(iter(fits), None)
