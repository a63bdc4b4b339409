"""Operations in memory as a History, or as the lines of a file.

An operation is an Operation, or a mapping with the names of Elle's keys:
{"type": "ok", "process": 0, "value": [["r", "x", [1]], ["append", "y", 2]]}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, TypeAlias

from txfuzz.errors import HistoryError
from txfuzz.history.builder import FUNCTIONS, HistoryBuilder
from txfuzz.history.formats.parsed_operation import add_operation, is_list, name_of
from txfuzz.history.model import History
from txfuzz.history.operations import Operation
from txfuzz.history.values import Keyword, Map, edn

AnyOperation: TypeAlias = Operation | Mapping[str, Any]

_NAMES = ("type", "f")  # keys whose values are names, which EDN writes as keywords


def as_history(operations: Iterable[AnyOperation], source: str = "operations") -> History:
    """The history of these operations, in their order, as reading them from a file would give it.

    Raises HistoryError, `source:number: expected …`, for invalid operations; numbers start at 1.
    """
    builder = HistoryBuilder(source)
    for number, operation in enumerate(operations, 1):
        form = _fields(operation)
        if not isinstance(form, Map):
            raise HistoryError(f"{source}:{number}: expected an operation, found {operation!r:.60}")
        add_operation(builder, form, number)
    if not builder.operations:
        raise HistoryError(f"{source}: expected operations, found none")
    return builder.finish()


def operation_lines(operations: Sequence[AnyOperation], form: str, source: str) -> Iterator[bytes]:
    """Each operation as a line without its end. form: "edn", else JSON.

    Raises HistoryError for values that JSON cannot represent.
    """
    from txfuzz.history.formats.json_operations import fields_json

    for index, operation in enumerate(operations):
        fields = _fields(operation)
        if form != "edn":
            yield fields_json({"index": index, **{str(name): fields[name] for name in fields}}, source)
            continue
        named = {Keyword("index"): index} | {
            Keyword(str(name).removeprefix(":")): _keywords(str(name).removeprefix(":"), value)
            for name, value in fields.items()
        }
        yield edn(named).encode("utf-8", "replace")


def _fields(operation: AnyOperation) -> Any:
    """An operation as a mapping of hashable values, without None."""
    if isinstance(operation, Operation):
        told = {name: getattr(operation, name) for name in ("type", "process", "index", "time", "txn")}
        told |= {"steps": operation.steps, "logical": operation.logical, "f": "txn"}
        told = {name: value for name, value in told.items() if value is not None}
        return _plain({**told, "value": operation.mops})
    return _plain(operation)


def _plain(value: Any) -> Any:
    """The value made hashable: lists as tuples, and so on."""
    if isinstance(value, str | bytes):
        return value
    if isinstance(value, Mapping):
        return Map((_plain(name), _plain(item)) for name, item in value.items())
    if isinstance(value, Set):
        return frozenset(_plain(item) for item in value)
    if isinstance(value, Sequence):
        return tuple(_plain(item) for item in value)
    return value


def _keywords(name: str, value: Any) -> Any:
    """A value as Elle expects it in EDN: types, functions and the nemesis are keywords."""
    if isinstance(value, str) and (name in _NAMES or (name == "process" and value == "nemesis")):
        return Keyword(value.removeprefix(":"))
    if name != "value" or not is_list(value):
        return value
    return tuple(
        (Keyword(str(name_of(mop[0]))), *mop[1:])
        if is_list(mop) and mop and name_of(mop[0]) in FUNCTIONS
        else mop
        for mop in value
    )
