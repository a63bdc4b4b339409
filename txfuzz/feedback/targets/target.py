"""What a target of adjustments is, and words that several of them use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

from txfuzz.common.sentences import listed
from txfuzz.workload.model import Workload

Written = tuple[Workload, tuple[str, ...]]
_KEYS = 8  # keys listed individually


@dataclass(frozen=True)
class Target:
    """One thing that an adjustment can change.

    kind: of txfuzz.workload.allowed_changes.KINDS, which has to be allowed. noun: what changes, in plain
    words. read: its value. write: from a workload, a value in plain JSON data and the workload that the
    campaign began with, to the new workload and sentences about what was not done; UsageError for a value
    that is not allowed. words: a value in words. difference: what changes, where that is shorter than two
    values.
    """

    kind: str
    noun: str
    read: Callable[[Workload], Any]
    write: Callable[[Workload, Any, Workload], Written]
    words: Callable[[Any], str] | None = None
    difference: Callable[[Any, Any], str] | None = None


def plain(value: Any) -> Any:
    """JSON data in normal form: tuples and ranges as lists, everywhere."""
    if type(value) in (str, int, float, bool, NoneType):  # most by far
        return value
    if isinstance(value, tuple | list | range):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return value


def short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def told(words: Iterable[str], most: int, none: str = "none") -> str:
    """The first few of them, and how many more."""
    several = list(words)
    return listed(several, most=most) if several else none


def keys_in_words(keys: Sequence[Any]) -> str:
    """A few keys by name, many as a count."""
    if not keys or len(keys) > _KEYS:
        return f"{len(keys):,} keys"
    return f"{'key' if len(keys) == 1 else 'keys'} {listed(map(str, keys))}"
