"""Adds parsed operations, from EDN or JSON, to a builder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from txfuzz.errors import HistoryError
from txfuzz.history.builder import FUNCTIONS, TYPES, HistoryBuilder
from txfuzz.history.columns.interning import LARGEST_PROCESS
from txfuzz.history.values import Keyword, Mop, Tagged, display_name, edn

_LARGEST = 1 << 63


def add_operation(builder: HistoryBuilder, form: Any, line: int) -> None:
    """Add a parsed operation; HistoryError with the line if it is invalid."""

    def wrong(expected: str, found: Any) -> HistoryError:
        return HistoryError(f"{builder.source}:{line}: expected {expected}, found {_short(found)}")

    while isinstance(form, Tagged):  # records are written as maps under a tag
        form = form.value
    if not isinstance(form, Mapping):
        raise wrong("an operation map", form)
    fields = by_name(form)
    process = fields.get("process")
    kind = name_of(fields.get("type"))
    value = fields.get("value")
    if process is not None and type(process) is not int:
        if isinstance(process, bool | float):
            raise wrong("an integer or a name as :process", process)
        if not _is_client(builder, process, kind, value):
            builder.pass_over(process)
            return
    if kind != "invoke" and kind not in TYPES:
        raise wrong(":type to be one of :invoke, :ok, :fail and :info", fields.get("type"))
    numbers = {}
    for key in ("index", "time"):
        number = fields.get(key)
        if isinstance(number, float) and key == "time" and number.is_integer():
            number = int(number)
        if number is not None and type(number) is not int:
            raise wrong(f"an integer as :{key}", number)
        numbers[key] = number
    for key, number in numbers.items():
        if number is not None and not -_LARGEST < number < _LARGEST:
            raise wrong(f":{key} to fit 64 bits", number)
    if type(process) is int and abs(process) > LARGEST_PROCESS:
        raise wrong(":process to fit 62 bits", process)
    mops = None if value is None else to_mops(builder, value, line)
    whole = mops is not None and is_list(value) and len(mops) == len(value)
    if kind == "ok" and mops and is_list(value):
        builder.valueless_reads += sum(is_list(mop) and len(mop) == 2 for mop in value)
    txn = fields.get("txn")
    builder.add(
        kind,
        process,
        mops,
        index=numbers["index"],
        time=numbers["time"],
        txn=txn if isinstance(txn, str) else txn.name if isinstance(txn, Keyword) else None,
        steps=_integers(fields.get("steps")) if whole else None,
        logical=_integers(fields.get("logical"), or_nil=True) if whole else None,
        line=line,
    )


def to_mops(builder: HistoryBuilder, value: Any, line: int) -> list[Mop]:
    """The micro-operations of an operation's value; anything else is noted as unknown."""
    if not is_list(value):
        builder.unknown(line, edn(value))
        return []
    mops = []
    for mop in value:
        f = name_of(mop[0]) if is_list(mop) and len(mop) in (2, 3) else None
        if f in FUNCTIONS and len(mop) == 3:
            mops.append((f, mop[1], mop[2]))
        elif f == "r":  # [:r k], which is [:r k nil] in Clojure
            mops.append((f, mop[1], None))
        else:
            builder.unknown(line, edn(mop))
    return mops


def _is_client(builder: HistoryBuilder, process: Any, type: str | None, value: Any) -> bool:
    """Whether an operation of a process that is not an integer belongs to a client.

    It does if it has micro-operations, or if its process has had some; otherwise it is an event of the run,
    mostly of the nemesis.
    """
    if is_list(value) and any(is_list(mop) and mop and name_of(mop[0]) in FUNCTIONS for mop in value):
        return True
    if builder.processes.knows(process):
        return type != "info" or builder.is_open(process)
    return type == "invoke" and value is None and display_name(process) != "nemesis"


def by_name(form: Mapping[Any, Any]) -> dict[str, Any]:
    """Name → value of an operation, without namespaces; keys without a namespace take precedence."""
    fields = {}
    for key, value in form.items():
        name = name_of(key)
        if name is not None:
            namespace, _, plain = name.rpartition("/")
            if not namespace or plain not in fields:
                fields[plain] = value
    return fields


def name_of(value: Any) -> str | None:
    """The name of a keyword, which in JSON is a string with or without a colon."""
    if isinstance(value, Keyword):
        return value.name
    return value.removeprefix(":") if isinstance(value, str) else None


def is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _integers(value: Any, or_nil: bool = False) -> tuple[Any, ...] | None:
    """A vector of integers as a tuple; None for anything else."""
    if not is_list(value):
        return None
    fits = all(
        (type(item) is int and -_LARGEST < item < _LARGEST) or (or_nil and item is None) for item in value
    )
    return tuple(value) if fits else None


def _short(value: Any) -> str:
    text = edn(value)
    return text if len(text) <= 60 else text[:60] + " …"
