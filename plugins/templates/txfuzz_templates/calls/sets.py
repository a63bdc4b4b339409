"""Jepsen's sets: elements are added one by one, and read all together.

set: the last read has every acknowledged element, and nothing that nobody tried to add.
set-full: every read counts. An element is known once its addition was acknowledged or a read that has it
ended; it is lost if the latest read that lacks it began after that, and after all reads that have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from txfuzz.plugin_api import Calls, Part, Verdict, edn_text, value_identity

from ..analyzers.anomalies import counted
from ..analyzers.set_anomalies import DEFINITIONS, DUPLICATE, LOST, UNEXPECTED
from .anomalies import AnomaliesOfType, Explanation, check_functions, functions, ok_reads, verdict, wrong


@dataclass
class Element:
    """An element. add: the call that added it, preferably an acknowledged one, or None.

    known: the position from which it must be present. by: the call that made it known. having, lacking:
    of the reads that have it, and of those that do not, the one that began last.
    """

    value: Any
    add: int | None = None
    asked: int = -1
    known: int | None = None
    by: int | None = None
    having: int | None = None
    lacking: int | None = None


@dataclass
class Lives:
    """All elements by identity. twice: element → a read that has it more than once."""

    elements: dict[Hashable, Element] = field(default_factory=dict)
    twice: dict[Hashable, int] = field(default_factory=dict)


def is_set(calls: Calls) -> bool:
    """Whether there are additions and reads of collections only."""
    values = [
        call.value
        for call in calls.calls
        if call.f == "read" and call.type == "ok" and call.value is not None
    ]
    return functions(calls) == {"add", "read"} and bool(values) and all(map(_is_collection, values))


def judge_set(calls: Calls, model: str, shown: int) -> Part:
    check_functions(calls, ("add", "read"), model)
    reads = ok_reads(calls)
    for at in reads:
        if not _is_collection(calls.calls[at].value):
            raise wrong(calls, calls.calls[at], "a collection as what a set shows", calls.calls[at].value)
    counting = reads[-1:] if model == "set" else reads
    lives = _lives(calls, counting)
    begins = {at: calls.calls[at].began for at in counting}
    lost = [name for name, each in lives.elements.items() if _is_lost(each, begins)]
    unexpected = [name for name, each in lives.elements.items() if each.add is None]
    stable = [each for each in lives.elements.values() if _is_stable(each, begins)]
    adds = [call for call in calls.calls if call.f == "add"]
    data: dict[str, Any] = {
        "elements": len(lives.elements) - len(unexpected),
        "acknowledged": sum(call.type == "ok" for call in adds),
        "reads": len(reads),
        "never_read": sum(each.having is None and each.lacking is None for each in lives.elements.values()),
        "stable": len(stable),
        "stale": sum(_is_stale(each, begins) for each in stable),
        "lost": len(lost),
        "unexpected": len(unexpected),
        "duplicate": len(lives.twice),
    }
    if not reads:
        return Part(Verdict.UNKNOWN, "the set was never read", data=data)
    told = (
        (LOST, lost, lambda name: _lost(calls, lives.elements[name])),
        (UNEXPECTED, unexpected, lambda name: _unexpected(calls, lives.elements[name])),
        (DUPLICATE, [*lives.twice], lambda name: _duplicate(calls, lives, name)),
    )
    found = [AnomaliesOfType(type, DEFINITIONS[type], hits, tell) for type, hits, tell in told]
    reason = ", ".join(f"{counted(len(hits), 'element')} {_WORDS[type]}" for type, hits, _ in told if hits)
    if not reason and model == "set-full" and not stable:
        return Part(Verdict.UNKNOWN, "no element was read after it was known to be there", data=data)
    return verdict(calls, found, reason, data, shown)


_WORDS = {LOST: "lost", UNEXPECTED: "read but never added", DUPLICATE: "duplicated"}


def _lives(calls: Calls, reads: Sequence[int]) -> Lives:
    """reads: those that count, in order of completion."""
    lives = Lives()
    of_key = _independent(calls, reads)
    for at, call in enumerate(calls.calls):
        if call.f == "add":
            value = call.value if call.asked is None else call.asked
            value = value[1] if of_key else value
            element = lives.elements.setdefault(value_identity(value), Element(value))
            element.asked = call.began if element.add is None else min(element.asked, call.began)
            if element.add is None or (call.type == "ok" and calls.calls[element.add].type != "ok"):
                element.add = at
            if call.type == "ok" and (element.known is None or call.ended < element.known):
                element.known, element.by = call.ended, at
    for at in reads:
        call = calls.calls[at]
        counts = Counter(value_identity(value) for value in call.value)
        values = {value_identity(value): value for value in call.value}
        for name, times in counts.items():
            element = lives.elements.setdefault(name, Element(values[name]))
            if element.known is None or call.ended < element.known:
                element.known, element.by = call.ended, at
            element.having = _later(calls, element.having, at)
            if times > 1:
                lives.twice.setdefault(name, at)
        for name, element in lives.elements.items():
            if name not in counts and element.asked < call.ended:
                element.lacking = _later(calls, element.lacking, at)
    return lives


def _later(calls: Calls, one: int | None, other: int) -> int:
    return other if one is None or calls.calls[one].began < calls.calls[other].began else one


def _is_lost(element: Element, begins: dict[int, int]) -> bool:
    if element.known is None or element.lacking is None:
        return False
    began = begins[element.lacking]
    return began > element.known and (element.having is None or began > begins[element.having])


def _is_stable(element: Element, begins: dict[int, int]) -> bool:
    """Whether all reads from some point on have it."""
    if element.having is None:
        return False
    return element.lacking is None or begins[element.lacking] < begins[element.having]


def _is_stale(element: Element, begins: dict[int, int]) -> bool:
    """Whether a read that began after it was known lacks it, and a later one has it."""
    late = (
        element.known is not None and element.lacking is not None and begins[element.lacking] > element.known
    )
    return late and _is_stable(element, begins)


def _independent(calls: Calls, reads: Sequence[int]) -> bool:
    """Whether additions are pairs of key and element, and reads have only elements.

    Jepsen tests with many sets, one per key, are recorded so; here all must be of one key.
    """
    adds = [call for call in calls.calls if call.f == "add"]
    values = [call.value if call.asked is None else call.asked for call in adds]
    if not adds or not all(isinstance(value, tuple) and len(value) == 2 for value in values):
        return False
    seen = [element for at in reads for element in calls.calls[at].value]
    if not seen or any(isinstance(element, tuple) for element in seen):
        return False
    keys = {value_identity(value[0]) for value in values}
    if len(keys) > 1:
        raise wrong(calls, adds[0], "the sets of one key: split the history by key", values[0])
    return True


def _is_collection(value: Any) -> bool:
    return isinstance(value, Set | Sequence) and not isinstance(value, str)


def _added(calls: Calls, element: Element, name: str) -> str:
    call = calls.calls[element.add or 0]
    outcomes = {"ok": "and was acknowledged", "info": "with an unknown outcome", "fail": "and failed"}
    return f"{name} added {edn_text(element.value)} {outcomes[call.type]}."


def _lost(calls: Calls, element: Element) -> Explanation:
    numbers: list[int] = []
    lines: list[str] = []
    if element.add is not None:
        numbers.append(element.add)
        lines.append(_added(calls, element, "T1"))
    if element.by is not None and element.by not in numbers:
        numbers.append(element.by)
        lines.append(f"T{len(numbers)} read it.")
    lacking = element.lacking or 0
    numbers.append(lacking)
    lines.append(f"T{len(numbers)} began after that and does not have it, nor does any later read.")
    return Explanation(
        tuple(numbers), "\n".join(lines), {"element": element.value, "op": calls.calls[lacking].index}
    )


def _unexpected(calls: Calls, element: Element) -> Explanation:
    read = element.having or 0
    said = f"T1 read {edn_text(element.value)}, which nobody tried to add."
    return Explanation((read,), said, {"element": element.value, "op": calls.calls[read].index})


def _duplicate(calls: Calls, lives: Lives, name: Hashable) -> Explanation:
    element, read = lives.elements[name], lives.twice[name]
    times = sum(value_identity(value) == name for value in calls.calls[read].value)
    said = f"T1 read {edn_text(element.value)} {times} times."
    return Explanation(
        (read,), said, {"element": element.value, "times": times, "op": calls.calls[read].index}
    )
