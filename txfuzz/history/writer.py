"""Writes histories: single EDN lines, for the recorder of a live run, and whole files in EDN or JSON.

The format is Elle's, one map per line, with additional keys on the invocation, which Elle ignores: the
template, the endpoint where it runs (if the workload has endpoints), and the step and logical key of each
micro-operation. The lines of a live run have to be cheap.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from txfuzz.errors import HistoryError, OutputError
from txfuzz.history.values import Mop as Mop  # for the recorders, too
from txfuzz.history.values import edn

if TYPE_CHECKING:
    from txfuzz.history.in_memory import AnyOperation
    from txfuzz.history.model import History
    from txfuzz.history.operations import Operation

# "json": one array with an operation per line. "jsonl": an operation per line.
Form = Literal["edn", "json", "jsonl"]
_FORMS: dict[str, Form] = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def invoke_line(
    index: int,
    process: int,
    time: int,
    txn: str,
    steps: Sequence[int],
    logical: Sequence[int | None],
    mops: Iterable[Mop],
    *,
    at: str | None = None,
) -> bytes:
    """The invocation of a transaction. time: nanoseconds since the start of the run.

    steps, logical: for each micro-operation the step of the template and the logical key. at: the name of the
    endpoint where it runs.
    """
    where = "" if at is None else f":at {_text(at)}, "
    return (
        f"{{:index {index}, :type :invoke, :process {process}, :f :txn, :time {time}, :txn {_text(txn)}, "
        f"{where}:steps {_vector(tuple(steps))}, :logical {_vector(tuple(logical))}, "
        f":value {mops_text(mops)}}}\n"
    ).encode("utf-8", "replace")


def complete_line(
    index: int,
    type: str,
    process: int,
    time: int,
    mops: Iterable[Mop],
    error: tuple[str, str] | None = None,
    *,
    steps: Sequence[int] | None = None,
    logical: Sequence[int | None] = (),
) -> bytes:
    """The completion of a transaction. type: "ok", "fail" or "info".

    error: (code, phase) unless ok, such as ("40001", "commit"). steps, logical: as in the invocation, if the
    micro-operations may differ from it.
    """
    tail = "" if error is None else f", :error [{_text(error[0])} {_text(error[1])}]"
    own = ""
    if steps is not None:
        own = f":steps {_vector(tuple(steps))}, :logical {_vector(tuple(logical))}, "
    return (
        f"{{:index {index}, :type :{type}, :process {process}, :f :txn, :time {time}, "
        f"{own}:value {mops_text(mops)}{tail}}}\n"
    ).encode("utf-8", "replace")


def event_line(index: int, time: int, f: str, value: Any) -> bytes:
    """An event that is not a transaction, such as a fault."""
    return (
        f"{{:index {index}, :type :info, :process :nemesis, :f :{f}, :time {time}, :value {edn(value)}}}\n"
    ).encode("utf-8", "replace")


def write_history(
    path: str | os.PathLike[str], history: History | Iterable[AnyOperation], form: Form | None = None
) -> None:
    """Write a history so that reading it gives the same one. Elle can read it, too.

    history: as `read_history` gives it, or its operations in their order: each an Operation or a mapping,
    {"type": "ok", "process": 0, "value": [["r", "x", [1]], ["append", "y", 2]]}. All keys of mappings are
    written, unknown ones included; a History has no errors and no nemesis.
    form: by default from the suffix of the path (.json, .jsonl, else EDN); a final .gz compresses.

    Raises HistoryError for invalid operations and for values that the form cannot represent, before anything
    is written; OutputError if the file cannot be written.
    """
    name = os.fspath(path)
    plain = name.removesuffix(".gz")
    form = form or _FORMS.get(os.path.splitext(plain)[1].lower(), "edn")
    lines = _checked_lines(history, form)
    try:
        with ExitStack() as files:
            out: IO[bytes] = files.enter_context(open(name, "wb"))
            if plain != name:
                import gzip

                packed = gzip.GzipFile("", "wb", compresslevel=6, fileobj=out, mtime=0)
                out = cast(IO[bytes], files.enter_context(packed))
            out.writelines(lines)
    except OSError as error:
        raise OutputError(f"{name}: {error.strerror or error}") from None


def _checked_lines(history: History | Iterable[AnyOperation], form: Form) -> Iterator[bytes]:
    """The lines of the file; HistoryError before the first one for an invalid history."""
    from txfuzz.history.in_memory import as_history, operation_lines
    from txfuzz.history.model import History

    given = None if isinstance(history, History) else list(history)
    whole = history if isinstance(history, History) else as_history(given or ())
    if whole.unknown_mops:
        line, text = whole.unknown_mops[0]
        raise HistoryError(
            f"{whole.source}:{line}: a history with unknown micro-operations cannot be written again, "
            f"found {text}"
        )
    if given is None:
        return history_lines(whole, form)
    # operations in memory are few enough to be formatted before the file is opened
    return _framed(iter(list(operation_lines(given, form, whole.source))), form)


def history_lines(history: History, form: Form = "edn") -> Iterator[bytes]:
    """The lines of the file that `write_history` writes."""
    from txfuzz.history.operations import operations

    if form == "edn":
        yield from map(_operation_line, operations(history))
        return
    from txfuzz.history.formats.json_operations import operation_json

    yield from _framed((operation_json(each, history.source) for each in operations(history)), form)


def _framed(operations: Iterator[bytes], form: Form) -> Iterator[bytes]:
    """Operations without line ends as the lines of a file."""
    before, between, after = (b"[", b",\n", b"]\n") if form == "json" else (b"", b"\n", b"\n")
    for operation in operations:
        yield before + operation
        before = between
    yield after


def _operation_line(operation: Operation) -> bytes:
    one = operation
    parts = [f"{{:index {one.index}, :type :{one.type}, :process {edn(one.process)}, :f :txn"]
    for name in ("time", "txn", "steps", "logical"):
        value = getattr(one, name)
        if value is not None:
            parts.append(f":{name} {edn(value)}")
    parts.append(f":value {'nil' if one.mops is None else mops_text(one.mops)}}}\n")
    return ", ".join(parts).encode()


def mops_text(mops: Iterable[Mop]) -> str:
    """Micro-operations as EDN, e.g. [[:r 12 [1 2]] [:append 12 4]]."""
    # A run produces only numbers, nil and lists of numbers, so they are handled first.
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
    if set(map(type, items)) <= _PLAIN:
        return _short_numbers(items) if len(items) <= _SHORT else _numbers(items)
    return " ".join([edn(item) for item in items])


def _numbers(items: tuple[int, ...]) -> str:
    # The repr of a tuple of numbers is the fastest way to their text.
    return repr(items)[1:-1].replace(",", "")


# Values are numbered per key, so a run reads the same short lists over and over.
_SHORT = 64
_short_numbers = lru_cache(maxsize=1 << 13)(_numbers)


_PLAIN = {int}


@lru_cache(maxsize=4096)
def _text(value: str) -> str:
    return edn(value)


@lru_cache(maxsize=4096)
def _vector(items: tuple[int | None, ...]) -> str:
    return f"[{' '.join('nil' if item is None else str(item) for item in items)}]"
