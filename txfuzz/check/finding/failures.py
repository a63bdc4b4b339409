"""What is wrong with a schedule that fails, in a few words that are the same for all that fail alike.

They name the user's transactions, steps, tables and invariants, and no values: these differ from one
combination of arguments to the next.
"""

from __future__ import annotations

from collections.abc import Iterator

from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.difference import Place, StatementPlace, TablePlace, ValuePlace
from txfuzz.check.serial.judge import Order, SerialAnswer

_OF_TRANSACTION = StatementPlace | ValuePlace


def failures(attempt: FollowedSchedule, judge: str = "serial") -> tuple[str, ...]:
    """What goes wrong in it; empty if nothing does. judge: "invariants" asks for no serial order."""
    return tuple(_failures(attempt, judge))


def is_unknown(attempt: FollowedSchedule, judge: str = "serial") -> bool:
    """Whether it could not be judged."""
    if judge == "invariants":
        return bool(attempt.trace.stuck)
    return attempt.judgement.answer is SerialAnswer.UNKNOWN


def also_in_series(attempt: FollowedSchedule) -> bool:
    """Does it break an invariant although a serial order gives the same, so that no level can help?"""
    return bool(attempt.broken) and attempt.judgement.answer is SerialAnswer.EXPLAINED


def fits_no_order(attempt: FollowedSchedule) -> bool:
    return attempt.judgement.answer is SerialAnswer.UNEXPLAINED


def firsts(attempt: FollowedSchedule) -> tuple[tuple[Order, Place], ...]:
    """Each serial order with the first place at which the outcome differs from it."""
    judgement = attempt.judgement
    compared = [(judgement.order, judgement.differences), *judgement.others]
    return tuple((order, found[0].place) for order, found in compared if found)


def _failures(attempt: FollowedSchedule, judge: str) -> Iterator[str]:
    for name in attempt.broken:
        yield f"{name}: broken, even in series" if also_in_series(attempt) else f"{name}: broken"
    if judge == "serial" and fits_no_order(attempt):
        yield _no_order(attempt)


def _no_order(attempt: FollowedSchedule) -> str:
    found = firsts(attempt)
    names = {
        label: transaction.name
        for label, (transaction, _) in zip(attempt.program.labels, attempt.program.calls, strict=True)
    }
    orders, places = [order for order, _ in found], [place for _, place in found]
    if len(found) == 2:
        one, other = places
        if isinstance(one, _OF_TRANSACTION) and isinstance(other, _OF_TRANSACTION):
            if (one.transaction, other.transaction) == (orders[0][-1], orders[1][-1]):
                who = sorted({names[one.transaction], names[other.transaction]})
                return (
                    f"neither {who[0]} {'saw the other' if len(who) == 1 else f'nor {who[1]} saw the other'}"
                )
            if one.transaction == other.transaction and one != other:
                return f"{names[one.transaction]} saw no single state"
    tables = sorted({place.table for place in places if isinstance(place, TablePlace)})
    if len(tables) == 1 and all(isinstance(place, TablePlace) for place in places):
        return f"rows of {tables[0]} that no order leaves"
    returned = sorted({names[place.transaction] for place in places if isinstance(place, ValuePlace)})
    if len(returned) == 1 and all(isinstance(place, ValuePlace) for place in places):
        return f"{returned[0]} returned what no order gives"
    return "an outcome that no order gives"
