"""Adjustments: what they may change, how they are applied, and how the heuristics are run.

Targets and their values, as JSON data:
  keys                    list of at least two logical keys, from 1: the choices of all
                          transactions are narrowed to them, each to those it already has; a
                          choice of a single key, or with none of them, stays as it is
  mix                     mapping of transaction → weight
  scheduling.clients      whole number, from 1 to MOST_CLIENTS
  scheduling.barrier_every  whole number, at least 0
  keys.writes             whole number, at least 1: writes to a key before it is replaced by another
  init_schema             true or false

Adjustments stay within the workload that the campaign began with: no step gets a key that it could
not choose there, and no transaction without a weight gets one. Otherwise a campaign would report
anomalies that its workload cannot have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from txfuzz.common.key_ranges import key_union
from txfuzz.common.sentences import listed
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.feedback.contract import Adjustment, FeedbackResult, Heuristic
from txfuzz.feedback.key_choices import FEWEST_KEYS, can_choose, choices, narrowed
from txfuzz.workload.model import Weight, Workload
from txfuzz.workload.yaml.keys import LARGEST_KEY
from txfuzz.workload.yaml.scheduling import MOST_CLIENTS

_NAMED = 5  # keys or steps in a sentence


def current(workload: Workload, target: str) -> Any:
    """The value of a target, in the form of `before`. UsageError for an unknown target."""
    return _target(target).read(workload)


def apply(
    workload: Workload, adjustments: Iterable[Adjustment], original: Workload | None = None
) -> Workload:
    """The workload with these changes, one after another.

    original: the workload that the campaign began with, whose bounds apply; None for this one.
    Raises UsageError, naming the heuristic, for an unknown target, for a `before` that is not the
    current value, and for a change that would make the workload invalid.
    """
    for each in adjustments:
        workload, _ = _applied(workload, each, original or workload)
    return workload


def _applied(workload: Workload, each: Adjustment, original: Workload) -> tuple[Workload, tuple[str, ...]]:
    """The workload with this change, and sentences without full stops on what of it was not done."""
    try:
        target = _target(each.target)
        before = target.read(workload)
        if _plain(each.before) != before:
            raise UsageError(
                f"it says that {each.target} is {_short(each.before)}, but it is {_short(before)}"
            )
        changed, remarks = target.write(workload, _plain(each.after), original)
    except UsageError as error:
        raise UsageError(f"heuristic {each.heuristic!r}: {error}") from None
    return changed, tuple(f"heuristic {each.heuristic!r}: {remark}" for remark in remarks)


def propose_all(
    heuristics: Sequence[Heuristic],
    feedback: FeedbackResult,
    workload: Workload,
    random: Random,
    *,
    fixed: Collection[str] = (),
) -> tuple[Workload, tuple[Adjustment, ...], tuple[str, ...]]:
    """Run the heuristics in this order; each one sees the changes of the earlier ones.

    Every heuristic has its own stream of random numbers, derived from its name, so that other
    heuristics do not affect what it draws. fixed: targets that no heuristic may change. Returns the
    workload, the adjustments that changed something (with `after` as it turned out), and warnings:
    for every heuristic that failed, which changes nothing, and for changes that the workload that
    the campaign began with does not allow.
    """
    root = random.getrandbits(64)
    made: list[Adjustment] = []
    warnings: list[str] = []
    for place, heuristic in enumerate(heuristics):
        earlier = sum(each.name == heuristic.name for each in heuristics[:place])
        draws = Random(f"{root}/{heuristic.name}/{earlier}")
        try:
            proposed = checked(heuristic, heuristic.propose(feedback, workload, draws))
            changed, done, remarks = apply_all(
                workload, [each for each in proposed if each.target not in fixed], feedback.original
            )
        except UsageError as error:
            warnings.append(f"{error}; it was skipped in this iteration")
        except Exception as error:
            warnings.append(
                f"heuristic {heuristic.name!r} failed ({type(error).__name__}: {error}); "
                "it was skipped in this iteration"
            )
        else:
            workload = changed
            made += done
            warnings += remarks
    return workload, tuple(made), tuple(warnings)


def apply_all(
    workload: Workload, proposed: Iterable[Adjustment], original: Workload | None
) -> tuple[Workload, list[Adjustment], list[str]]:
    """The workload with all these changes, the adjustments that changed something, and warnings.

    Raises UsageError as `apply` does.
    """
    made: list[Adjustment] = []
    warnings: list[str] = []
    for each in proposed:
        workload, remarks = _applied(workload, each, original or workload)
        warnings += remarks
        after = _plain(each.after) if each.target != "keys" else current(workload, "keys")
        if _plain(each.before) != after:
            made.append(replace(each, after=after))
    return workload, made, warnings


def fewest_keys(workload: Workload) -> int:
    """The smallest number of keys with which every transaction can make its choices."""
    needs = [
        1 + len(choice.distinct_from)
        for transaction in workload.transactions
        for choice in choices(transaction)
        if len(choice.keys) > 1
    ]
    return max([FEWEST_KEYS, *needs])


def checked(heuristic: Heuristic, proposed: Any) -> tuple[Adjustment, ...]:
    """The adjustments that a heuristic proposed, under its name. UsageError if they are not adjustments."""
    if not isinstance(proposed, tuple | list) or not all(isinstance(each, Adjustment) for each in proposed):
        raise UsageError(
            f"heuristic {heuristic.name!r} returned {_short(proposed)}, expected a tuple of adjustments"
        )
    return tuple(replace(each, heuristic=heuristic.name) for each in proposed)


def _plain(value: Any) -> Any:
    """JSON data in normal form: tuples and ranges as lists."""
    return list(value) if isinstance(value, tuple | range) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


@dataclass(frozen=True)
class _Target:
    """write: from a workload, a value and the original workload to the new workload, and sentences about
    what was not done."""

    read: Callable[[Workload], Any]
    write: Callable[[Workload, Any, Workload], tuple[Workload, tuple[str, ...]]]


def _read_keys(workload: Workload) -> list[int]:
    chosen = [choice.keys for transaction in workload.transactions for choice in choices(transaction)]
    return list(key_union(keys for keys in chosen if len(keys) > 1))


def _write_keys(workload: Workload, value: Any, original: Workload) -> tuple[Workload, tuple[str, ...]]:
    if not isinstance(value, list) or not all(type(key) is int for key in value):
        raise UsageError(f"keys must be a list of whole numbers, found {_short(value)}")
    if any(not 1 <= key <= LARGEST_KEY for key in value):
        raise UsageError(f"keys must be from 1 to {LARGEST_KEY}, found {_short(value)}")
    keys = tuple(dict.fromkeys(value))
    done = narrowed(workload, keys, original)
    left = len(keys) - len(done.strangers)
    if keys and not left:
        raise UsageError(f"no transaction of the workload chooses from any of the keys {_short(value)}")
    least = fewest_keys(workload)
    if left < least:
        raise UsageError(f"this workload needs at least {least} keys to choose from, found {_short(value)}")
    for transaction in done.workload.transactions:
        if not can_choose(transaction):
            raise UsageError(
                f"with the keys {_short(list(keys))} the choices of transaction {transaction.name!r} cannot "
                "differ as its distinct_from requires"
            )
    return done.workload, tuple(_not_done(done.strangers, done.untouched))


def _not_done(strangers: Sequence[int], untouched: Sequence[tuple[str, int]]) -> Iterable[str]:
    if strangers:
        keys = f"{'key' if len(strangers) == 1 else 'keys'} {listed(strangers, most=_NAMED)}"
        yield f"ignored {keys}, which no transaction of the workload can choose"
    if untouched:
        steps = listed((f"{name!r} step {number}" for name, number in untouched), most=_NAMED)
        yield f"no change to {steps}, which can choose none of the keys"


def _read_mix(workload: Workload) -> dict[str, float]:
    mix: dict[str, float] = {}
    for each in workload.mix:
        mix[each.txn] = mix.get(each.txn, 0.0) + each.weight
    return mix


def _write_mix(workload: Workload, value: Any, original: Workload) -> tuple[Workload, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise UsageError(f"mix must be a mapping of transaction to weight, found {_short(value)}")
    known = [transaction.name for transaction in workload.transactions]
    for name, weight in value.items():
        if name not in known:
            raise UsageError(f"mix names an unknown transaction {name!r}: {did_you_mean(str(name), known)}")
        if type(weight) not in (int, float) or not math.isfinite(weight) or weight < 0:
            raise UsageError(f"the weight of {name!r} must be a non-negative number, found {weight!r}")
    if not sum(value.values()) > 0:
        raise UsageError("no transaction of the mix has a weight")
    weights = _read_mix(original)
    for name, weight in value.items():
        if weight and not weights.get(name, 0.0):
            raise UsageError(f"{name!r} has no weight in the workload, so it cannot be given one")
    return replace(workload, mix=tuple(Weight(name, float(weight)) for name, weight in value.items())), ()


def _scheduling(name: str, least: int, most: int | None = None) -> _Target:
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"

    def write(workload: Workload, value: Any, original: Workload) -> tuple[Workload, tuple[str, ...]]:
        if type(value) is not int or value < least or (most is not None and value > most):
            raise UsageError(f"scheduling.{name} must be a whole number {bounds}, found {value!r}")
        return replace(workload, scheduling=replace(workload.scheduling, **{name: value})), ()

    return _Target(lambda workload: getattr(workload.scheduling, name), write)


def _write_writes(workload: Workload, value: Any, original: Workload) -> tuple[Workload, tuple[str, ...]]:
    if type(value) is not int or value < 1:
        raise UsageError(f"keys.writes must be a whole number of at least 1, found {value!r}")
    return replace(workload, keys=replace(workload.keys, writes=value)), ()


def _write_init(workload: Workload, value: Any, original: Workload) -> tuple[Workload, tuple[str, ...]]:
    if type(value) is not bool:
        raise UsageError(f"init_schema must be true or false, found {value!r}")
    return replace(workload, init_schema=value), ()


TARGETS = {
    "keys": _Target(_read_keys, _write_keys),
    "mix": _Target(_read_mix, _write_mix),
    "scheduling.clients": _scheduling("clients", 1, MOST_CLIENTS),
    "scheduling.barrier_every": _scheduling("barrier_every", 0),
    "keys.writes": _Target(lambda workload: workload.keys.writes, _write_writes),
    "init_schema": _Target(lambda workload: workload.init_schema, _write_init),
}


def _target(name: str) -> _Target:
    if name not in TARGETS:
        raise UsageError(f"unknown target {name!r}: {did_you_mean(str(name), TARGETS)}")
    return TARGETS[name]
