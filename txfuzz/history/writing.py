"""One line of a history as bytes: what the recorder of a live run writes, so it has to be cheap.

The form is Elle's, one map a line, with three keys of ours on the invocation (Elle ignores keys
that it does not know): the template, the step of each micro-operation, and its logical key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from txfuzz.history.values import edn

# (f, key, value): f is "r", "append" or "w"; the value of a read is None or what it saw.
Mop = tuple[str, Any, Any]


def invoke_line(
    index: int,
    process: int,
    time: int,
    txn: str,
    steps: Sequence[int],
    logical: Sequence[int | None],
    mops: Iterable[Mop],
) -> bytes:
    """The invocation of a transaction. time: nanoseconds since the start of the run.

    steps, logical: for each micro-operation the step of the template and the logical key.
    """
    return (
        f"{{:index {index}, :type :invoke, :process {process}, :f :txn, :time {time}, :txn {_text(txn)}, "
        f":steps {_vector(tuple(steps))}, :logical {_vector(tuple(logical))}, :value {mops_text(mops)}}}\n"
    ).encode("utf-8", "replace")


def complete_line(
    index: int,
    type: str,
    process: int,
    time: int,
    mops: Iterable[Mop],
    error: tuple[str, str] | None = None,
) -> bytes:
    """The completion of a transaction. type: "ok", "fail" or "info".

    error: why it is not ok: (code, phase), say ("40001", "commit").
    """
    tail = "" if error is None else f", :error [{_text(error[0])} {_text(error[1])}]"
    return (
        f"{{:index {index}, :type :{type}, :process {process}, :f :txn, :time {time}, "
        f":value {mops_text(mops)}{tail}}}\n"
    ).encode("utf-8", "replace")


def event_line(index: int, time: int, f: str, value: Any) -> bytes:
    """Something that happened beside the transactions (a fault, an iteration that begins)."""
    return (
        f"{{:index {index}, :type :info, :process :nemesis, :f :{f}, :time {time}, :value {edn(value)}}}\n"
    ).encode("utf-8", "replace")


def mops_text(mops: Iterable[Mop]) -> str:
    """Micro-operations as EDN, e.g. [[:r 12 [1 2]] [:append 12 4]]."""
    # Numbers, nil and lists of numbers are all that a run produces; they get the short way.
    parts = []
    for f, key, value in mops:
        key_text = key if type(key) is int else edn(key)
        if value is None:
            parts.append(f"[:{f} {key_text} nil]")
        elif type(value) is int:
            parts.append(f"[:{f} {key_text} {value}]")
        elif type(value) is tuple:
            parts.append(f"[:{f} {key_text} [{_spaced(value)}]]")
        else:
            parts.append(f"[:{f} {key_text} {edn(value)}]")
    return f"[{' '.join(parts)}]"


def _spaced(items: tuple[Any, ...]) -> str:
    # Python's own text of a tuple of numbers is the quickest way to theirs.
    if set(map(type, items)) <= _PLAIN:
        return repr(items)[1:-1].replace(",", "")
    return " ".join([edn(item) for item in items])


_PLAIN = {int}


@lru_cache(maxsize=4096)
def _text(value: str) -> str:
    return edn(value)


@lru_cache(maxsize=4096)
def _vector(items: tuple[int | None, ...]) -> str:
    return f"[{' '.join('nil' if item is None else str(item) for item in items)}]"
