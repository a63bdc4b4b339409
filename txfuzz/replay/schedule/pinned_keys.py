"""Narrows choices to one key each, so that transactions conflict as required."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from txfuzz.transactions.model import Argument, Choice, Key, Ref, Step, Transaction

_MOST = 20_000  # assignments to try, of a transaction with up to four steps
_MOST_STEPS = 80_000  # in all of them, if there are more: what one takes grows with its steps


@dataclass(frozen=True, slots=True)
class KeyRequirement:
    """A transaction must write or read this logical key. step: the preferred step."""

    key: int
    writes: bool
    step: int | None = None


@dataclass(frozen=True, slots=True)
class PinnedTransaction:
    """steps: for each requirement, the step that meets it."""

    transaction: Transaction
    steps: tuple[int, ...]


def pin_keys(
    transaction: Transaction, recorded: Mapping[int, Sequence[int]], needs: Sequence[KeyRequirement]
) -> PinnedTransaction | None:
    """The transaction with one key per choice; None if no keys meet all requirements.

    recorded: step → its recorded logical keys, which are kept where possible.
    """
    choices = choices_of(transaction)
    kept = _recorded(transaction, recorded)
    wished = dict.fromkeys(need.key for need in needs)
    domains = [_domain(choice, kept.get(at), wished) for at, choice in enumerate(choices)]
    perfect = (len(needs), len(kept))
    best: tuple[tuple[int, int], PinnedTransaction] | None = None
    for keys in islice(product(*domains), min(_MOST, 1 + _MOST_STEPS // len(transaction.steps))):
        if not _differ(choices, keys):
            continue
        pinned_transaction = pinned(transaction, keys)
        met = [_fulfilling_step(pinned_transaction, need) for need in needs]
        steps = [step for step in met if step is not None]
        if len(steps) < len(met):
            continue
        as_wished = sum(need.step in (None, step) for need, step in zip(needs, steps, strict=True))
        as_recorded = sum(kept.get(at) == key for at, key in enumerate(keys))
        rank = (as_wished, as_recorded)
        if best is None or rank > best[0]:
            best = rank, PinnedTransaction(pinned_transaction, tuple(steps))
        if rank == perfect:
            break
    return None if best is None else best[1]


def choices_of(transaction: Transaction) -> list[Choice]:
    """The choices of a transaction, in order."""
    return [term for step in transaction.steps for term in step.key_terms() if isinstance(term, Choice)]


def pinned(transaction: Transaction, keys: Sequence[int]) -> Transaction:
    """The transaction with these keys, one for each of its choices in order."""
    choices = choices_of(transaction)
    return rechosen(
        transaction, [replace(each, keys=(key,)) for each, key in zip(choices, keys, strict=True)]
    )


def rechosen(transaction: Transaction, choices: Sequence[Choice]) -> Transaction:
    """The transaction with its choices replaced by these, in order."""
    left = iter(choices)

    def one(term: Argument) -> Any:
        return next(left) if isinstance(term, Choice) else term

    def step(each: Step) -> Step:
        args = tuple((name, one(arg)) for name, arg in each.args)
        if each.sql is not None:  # whose key is one of its arguments
            own = dict(args).get(each.key_arg or "") if each.f is not None else None
            return replace(each, key=own if isinstance(own, Choice | Ref) else None, args=args)
        return replace(each, key=None if each.key is None else one(each.key))

    return replace(transaction, steps=tuple(step(each) for each in transaction.steps))


def step_acts(transaction: Transaction) -> list[tuple[tuple[str, int], ...] | None]:
    """For each step of a pinned transaction, (f, logical key) of its micro-operations; None if they are
    unknown, or known only after the step has run."""
    named: dict[str, int] = {}
    acts: list[tuple[tuple[str, int], ...] | None] = []
    for step in transaction.steps:
        for term in step.key_terms():
            if isinstance(term, Choice) and term.name is not None:
                named[term.name] = term.keys[0]
        keyed = acting_on(step)
        known = keyed and all(key is not None for _, key in keyed)
        acts.append(
            tuple((f, named[key.name] if isinstance(key, Ref) else key.keys[0]) for f, key in keyed if key)
            if known
            else None
        )
    return acts


def step_keys(transaction: Transaction) -> list[tuple[int, ...]]:
    """For each step of a pinned transaction, the logical keys of its micro-operations."""
    return [() if acts is None else tuple(key for _, key in acts) for acts in step_acts(transaction)]


def acting_on(step: Step) -> list[tuple[str, Key | None]]:
    """(f, key) of each micro-operation of a step; None for keys known only after it has run."""
    terms: Mapping[str | None, Argument | None] = {None: step.key} if step.sql is None else dict(step.args)
    keyed = ((each.f, terms.get(each.key)) for each in step.micro_operations)
    return [(f, key if isinstance(key, Choice | Ref) else None) for f, key in keyed]


def _recorded(transaction: Transaction, recorded: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Choice → its recorded key, where the steps tell."""
    named: dict[str, int] = {}
    found: dict[int, int] = {}
    at = 0
    for number, step in enumerate(transaction.steps):
        keys = [key for _, key in acting_on(step)]
        had = recorded.get(number, ())
        known = list(zip(keys, had, strict=True)) if len(keys) == len(had) else []
        for term in step.key_terms():
            if isinstance(term, Choice):
                if term.name is not None:
                    named[term.name] = at
                found.update((at, key) for own, key in known if own is term)
                at += 1
        for own, key in known:
            if isinstance(own, Ref) and own.name in named:
                found.setdefault(named[own.name], key)
    return found


def _domain(choice: Choice, kept: int | None, wished: Mapping[int, None]) -> list[int]:
    keys = [] if kept is None else [kept]
    keys += [key for key in wished if key in choice.keys and key not in keys]
    # Spare keys, for choices that must differ and choices without a recorded key.
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


def _fulfilling_step(transaction: Transaction, need: KeyRequirement) -> int | None:
    fits = [
        number
        for number, acts in enumerate(step_acts(transaction))
        if any(key == need.key and (f != "r") == need.writes for f, key in acts or ())
    ]
    return need.step if need.step in fits else next(iter(fits), None)
