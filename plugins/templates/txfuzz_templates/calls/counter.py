"""Jepsen's counter: a read lies between what was acknowledged before it and attempted before its end."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from txfuzz.plugin_api import Call, Calls, Part, Verdict, edn_text

from ..analyzers.anomalies import counted
from .anomalies import (
    AnomaliesOfType,
    Explanation,
    check_functions,
    functions,
    is_number,
    ok_reads,
    verdict,
    wrong,
)

BELOW, ABOVE = "counter-below", "counter-above"
DEFINITIONS = {
    BELOW: "Counter below its bound: a read shows less than had been acknowledged before it began. "
    "(Jepsen's counter checker)",
    ABOVE: "Counter above its bound: a read shows more than had been attempted before it ended. "
    "(Jepsen's counter checker)",
}


def is_counter(calls: Calls) -> bool:
    """Whether there are additions and reads of numbers only."""
    adds = [call.asked for call in calls.calls if call.f == "add"]
    values = [call.value for call in calls.calls if call.f == "read" and call.value is not None]
    return functions(calls) == {"add", "read"} and bool(values) and all(map(is_number, [*adds, *values]))


def judge_counter(calls: Calls, shown: int) -> Part:
    """Failed additions count for nothing, those with unknown outcome only for the farther bound.

    Jepsen's checker rejects negative numbers; here they count the other way round.
    """
    check_functions(calls, ("add", "read"), "counter")
    adds = [call for call in calls.calls if call.f == "add"]
    for add in adds:
        if not is_number(_amount(add)):
            raise wrong(calls, add, "a number to add", _amount(add))
    reads = ok_reads(calls)
    for at in reads:
        if not is_number(calls.calls[at].value):
            raise wrong(calls, calls.calls[at], "a number as what a counter shows", calls.calls[at].value)
    possible = [add for add in adds if add.type != "fail"]
    certain = [add for add in adds if add.type == "ok"]
    asked = {
        sign: _Sums((add.began, _amount(add)) for add in possible if _sign(add) == sign) for sign in (1, -1)
    }
    acked = {
        sign: _Sums((add.ended, _amount(add)) for add in certain if _sign(add) == sign) for sign in (1, -1)
    }
    bounds = {}
    for at in reads:
        call = calls.calls[at]
        least = acked[1].before(call.began) + asked[-1].before(call.ended)
        bounds[at] = (least, asked[1].before(call.ended) + acked[-1].before(call.began))
    low = [at for at in reads if calls.calls[at].value < bounds[at][0]]
    high = [at for at in reads if calls.calls[at].value > bounds[at][1]]

    def tell(at: int) -> Explanation:
        call, (least, most) = calls.calls[at], bounds[at]
        below = call.value < least
        why = (
            f"although {edn_text(least)} had been acknowledged before it began"
            if below
            else f"although no more than {edn_text(most)} had been attempted before it ended"
        )
        record = {"op": call.index, "count": call.value, "least": least, "most": most}
        return Explanation((at,), f"T1 read {edn_text(call.value)}, {why}.", record)

    data: dict[str, Any] = {"adds": len(certain), "reads": len(reads), "below": len(low), "above": len(high)}
    if not reads:
        return Part(Verdict.UNKNOWN, "no read of the counter is known to have succeeded", data=data)
    found = [
        AnomaliesOfType(type, DEFINITIONS[type], hits, tell) for type, hits in ((BELOW, low), (ABOVE, high))
    ]
    reason = f"{counted(len(low) + len(high), 'read')} of {len(reads):,} outside the bounds of the counter"
    return verdict(calls, found, reason, data, shown)


def _amount(add: Call) -> Any:
    return add.value if add.asked is None else add.asked


def _sign(add: Call) -> int:
    return -1 if _amount(add) < 0 else 1


class _Sums:
    """Prefix sums of amounts by position."""

    def __init__(self, amounts: Iterable[tuple[int, Any]]) -> None:
        ordered = sorted(amounts, key=lambda each: each[0])
        self._at: Sequence[int] = [at for at, _ in ordered]
        self._sums = [0, *accumulate(amount for _, amount in ordered)]

    def before(self, position: int) -> Any:
        return self._sums[bisect_left(self._at, position)]
