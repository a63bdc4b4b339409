"""Histories of function calls instead of transactions, such as Jepsen's bank, set and counter.

Pairs each invocation with its completion, whatever values they have.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from txfuzz.errors import HistoryError
from txfuzz.history.builder import HistoryBuilder
from txfuzz.history.byte_source import open_file
from txfuzz.history.formats.parsed_operation import by_name, name_of
from txfuzz.history.reader import Reader
from txfuzz.history.values import Tagged, display_name, edn, identity

Outcome = Literal["ok", "fail", "info"]

_NEMESIS = "nemesis"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a client, and its result.

    f: the function, such as "transfer". asked: the value of its invocation; value: of its completion, None
    if there is none. type: "info" also without a completion. process: as in the history. index: `:index` of
    the completion, Elle's name for the call. began, ended: positions among client operations, -1 if unknown.
    start, end: nanoseconds, None if unknown. line: of the file, for messages.
    """

    f: str
    type: Outcome
    asked: Any = None
    value: Any = None
    process: Any = None
    index: int = -1
    began: int = -1
    ended: int = -1
    start: int | None = None
    end: int | None = None
    line: int = 0


@dataclass(frozen=True)
class Calls:
    """All calls of a history, in the order in which they began.

    operations: number in the file; passed_over: of those that are not a client's, by process.
    """

    calls: Sequence[Call]
    source: str = ""
    operations: int = 0
    passed_over: Mapping[str, int] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def read_calls(path: str | os.PathLike[str]) -> Calls:
    """Read a history of calls, in any form that `read_history` accepts. Raises HistoryError."""
    name = os.fspath(path)
    gathered = _Gathered(name)
    with open_file(path) as file:
        try:
            builder = Reader(file, name, fast=False, add=gathered.add).read()
        except OSError as error:
            raise HistoryError(f"{name}: {error.strerror or error}") from None
    return gathered.calls(builder)


class _Gathered:
    """The calls so far, and the open ones."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._calls: list[Call] = []
        self._open: dict[Hashable, int] = {}
        self._position = 0
        self._uninvoked = 0

    def add(self, builder: HistoryBuilder, form: Any, line: int) -> None:
        """Add a parsed operation."""
        while isinstance(form, Tagged):
            form = form.value
        if not isinstance(form, Mapping):
            raise self._wrong(line, "an operation map", form)
        fields = by_name(form)
        process, type = fields.get("process"), name_of(fields.get("type"))
        if type not in ("invoke", "ok", "fail", "info"):
            raise self._wrong(line, ":type to be one of :invoke, :ok, :fail and :info", fields.get("type"))
        if process is not None and display_name(process) == _NEMESIS:
            builder.pass_over(process)
            return
        index, time = fields.get("index"), fields.get("time")
        index = index if isinstance(index, int) else builder.operations
        time = int(time) if isinstance(time, int | float) and time == time // 1 else None
        builder.operations += 1
        f, value, name = name_of(fields.get("f")) or "", fields.get("value"), identity(process)
        if type == "invoke":
            if name in self._open:
                raise HistoryError(
                    f"{self._source}:{line}: process {display_name(process)} invokes an operation while its "
                    "previous one is still open; expected its completion first"
                )
            self._open[name] = len(self._calls)
            self._calls.append(
                Call(f, "info", value, None, process, index, self._position, start=time, line=line)
            )
        else:
            opened = self._open.pop(name, None)
            ended: Any = {"value": value, "index": index, "ended": self._position, "end": time, "line": line}
            if opened is None:
                self._uninvoked += 1
                self._calls.append(Call(f, cast(Outcome, type), process=process, **ended))
            else:
                call = self._calls[opened]
                self._calls[opened] = replace(call, type=cast(Outcome, type), f=call.f or f, **ended)
        self._position += 1

    def calls(self, builder: HistoryBuilder) -> Calls:
        uninvoked = [f"completions without an invocation: {self._uninvoked}"] if self._uninvoked else []
        return Calls(
            tuple(self._calls),
            self._source,
            builder.operations,
            dict(builder.passed_over),
            (*builder.warnings, *uninvoked),
        )

    def _wrong(self, line: int, expected: str, found: Any) -> HistoryError:
        return HistoryError(f"{self._source}:{line}: expected {expected}, found {edn(found):.60}")
