"""Adjustments: what they may change, how they apply, and who is asked for them in which order.

Targets and the form of their values, as JSON data:
  keys                    list of logical keys, from 1, at least two: they replace the choices of
                          all transactions, except those of a single key
  mix                     mapping of transaction → weight
  scheduling.clients      whole number, from 1 to MOST_CLIENTS
  scheduling.barrier_every  whole number, at least 0
  init_schema             true or false
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.choices import can_choose, choices, with_keys
from txfuzz.feedback.contract import Adjustment, FeedbackResult, Heuristic
from txfuzz.workload.model import Weight, Workload
from txfuzz.workload.reading_keys import LARGEST_KEY
from txfuzz.workload.reading_scheduling import MOST_CLIENTS
from txfuzz.workload.united import united

FEWEST_KEYS = 2  # on one key alone nothing but lost updates can be found


def current(workload: Workload, target: str) -> Any:
    """What a target is now, in the form that `before` has. UsageError for an unknown target."""
    return _target(target).read(workload)


def apply(workload: Workload, adjustments: Iterable[Adjustment]) -> Workload:
    """The workload with these changes, one after the other.

    Raises UsageError, naming the heuristic, for an unknown target, for a `before` that is not
    true, and for a change that would make the workload invalid.
    """
    for each in adjustments:
        try:
            target = _target(each.target)
            before = target.read(workload)
            if _plain(each.before) != before:
                raise UsageError(
                    f"it says that {each.target} is {_short(each.before)}, but that is {_short(before)}"
                )
            workload = target.write(workload, _plain(each.after))
        except UsageError as error:
            raise UsageError(f"heuristic {each.heuristic!r}: {error}") from None
    return workload


def propose_all(
    heuristics: Sequence[Heuristic],
    feedback: FeedbackResult,
    workload: Workload,
    random: Random,
    *,
    fixed: Collection[str] = (),
) -> tuple[Workload, tuple[Adjustment, ...], tuple[str, ...]]:
    """Ask the heuristics in this order; each one sees what the earlier ones changed.

    Every heuristic has a stream of random numbers of its own, by its name, so that another one
    beside it does not disturb what it draws. fixed: targets that stay as they are, whoever would
    change them. Returns the workload, the adjustments that changed
    something, and a sentence for every heuristic that failed (it changes nothing then).
    """
    root = random.getrandbits(64)
    made: list[Adjustment] = []
    warnings: list[str] = []
    for place, heuristic in enumerate(heuristics):
        earlier = sum(each.name == heuristic.name for each in heuristics[:place])
        draws = Random(f"{root}/{heuristic.name}/{earlier}")
        try:
            proposed = checked(heuristic, heuristic.propose(feedback, workload, draws))
            proposed = tuple(each for each in proposed if each.target not in fixed)
            workload = apply(workload, proposed)
        except UsageError as error:
            warnings.append(f"{error}; it was skipped in this iteration")
        except Exception as error:
            warnings.append(
                f"heuristic {heuristic.name!r} failed ({type(error).__name__}: {error}); "
                "it was skipped in this iteration"
            )
        else:
            made += [each for each in proposed if _plain(each.before) != _plain(each.after)]
    return workload, tuple(made), tuple(warnings)


def fewest_keys(workload: Workload) -> int:
    """How many keys the choices need at least, so that no transaction runs out of them."""
    needs = [
        1 + len(choice.distinct_from)
        for transaction in workload.transactions
        for choice in choices(transaction)
        if len(choice.keys) > 1
    ]
    return max([FEWEST_KEYS, *needs])


def checked(heuristic: Heuristic, proposed: Any) -> tuple[Adjustment, ...]:
    """What a heuristic has proposed, under its name. UsageError for what are no adjustments."""
    if not isinstance(proposed, tuple | list) or not all(isinstance(each, Adjustment) for each in proposed):
        raise UsageError(
            f"heuristic {heuristic.name!r} gave {_short(proposed)}, expected a tuple of adjustments"
        )
    return tuple(replace(each, heuristic=heuristic.name) for each in proposed)


def _plain(value: Any) -> Any:
    """JSON data in one form: tuples and ranges as lists."""
    return list(value) if isinstance(value, tuple | range) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


@dataclass(frozen=True)
class _Target:
    read: Callable[[Workload], Any]
    write: Callable[[Workload, Any], Workload]


def _read_keys(workload: Workload) -> list[int]:
    chosen = [choice.keys for transaction in workload.transactions for choice in choices(transaction)]
    return list(united(keys for keys in chosen if len(keys) > 1))


def _write_keys(workload: Workload, value: Any) -> Workload:
    if not isinstance(value, list) or not all(type(key) is int for key in value):
        raise UsageError(f"keys must be a list of whole numbers, found {_short(value)}")
    if any(not 1 <= key <= LARGEST_KEY for key in value):
        raise UsageError(f"keys must be from 1 to {LARGEST_KEY}, found {_short(value)}")
    keys = tuple(dict.fromkeys(value))
    least = fewest_keys(workload)
    if len(keys) < least:
        raise UsageError(f"this workload needs at least {least} keys to choose from, found {_short(value)}")
    transactions = tuple(with_keys(each, keys) for each in workload.transactions)
    for transaction in transactions:
        if not can_choose(transaction):
            raise UsageError(
                f"with the keys {_short(list(keys))} the choices of transaction {transaction.name!r} cannot "
                "differ as its distinct_from asks"
            )
    return replace(workload, transactions=transactions)


def _read_mix(workload: Workload) -> dict[str, float]:
    mix: dict[str, float] = {}
    for each in workload.mix:
        mix[each.txn] = mix.get(each.txn, 0.0) + each.weight
    return mix


def _write_mix(workload: Workload, value: Any) -> Workload:
    if not isinstance(value, dict):
        raise UsageError(f"mix must be a mapping of transaction to weight, found {_short(value)}")
    known = [transaction.name for transaction in workload.transactions]
    for name, weight in value.items():
        if name not in known:
            raise UsageError(f"mix names an unknown transaction {name!r}: {did_you_mean(str(name), known)}")
        if type(weight) not in (int, float) or not math.isfinite(weight) or weight < 0:
            raise UsageError(
                f"the weight of {name!r} must be a number that is not negative, found {weight!r}"
            )
    if not sum(value.values()) > 0:
        raise UsageError("no transaction of the mix has a weight")
    return replace(workload, mix=tuple(Weight(name, float(weight)) for name, weight in value.items()))


def _scheduling(name: str, least: int, most: int | None = None) -> _Target:
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"

    def write(workload: Workload, value: Any) -> Workload:
        if type(value) is not int or value < least or (most is not None and value > most):
            raise UsageError(f"scheduling.{name} must be a whole number {bounds}, found {value!r}")
        return replace(workload, scheduling=replace(workload.scheduling, **{name: value}))

    return _Target(lambda workload: getattr(workload.scheduling, name), write)


def _write_init(workload: Workload, value: Any) -> Workload:
    if type(value) is not bool:
        raise UsageError(f"init_schema must be true or false, found {value!r}")
    return replace(workload, init_schema=value)


TARGETS = {
    "keys": _Target(_read_keys, _write_keys),
    "mix": _Target(_read_mix, _write_mix),
    "scheduling.clients": _scheduling("clients", 1, MOST_CLIENTS),
    "scheduling.barrier_every": _scheduling("barrier_every", 0),
    "init_schema": _Target(lambda workload: workload.init_schema, _write_init),
}


def _target(name: str) -> _Target:
    if name not in TARGETS:
        raise UsageError(f"unknown target {name!r}: {did_you_mean(str(name), TARGETS)}")
    return TARGETS[name]
