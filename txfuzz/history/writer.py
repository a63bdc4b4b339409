"""Histories as EDN: single lines, as the recorder of a live run writes them, and whole files.

The form is Elle's, one map a line, with three keys of ours on the invocation (Elle ignores keys
that it does not know): the template, the step of each micro-operation, and its logical key.
The lines of a live run have to be cheap. Whole files can be JSON, too.
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

# "json": one vector, an operation a line. "jsonl": an operation a line and nothing around.
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
    *,
    steps: Sequence[int] | None = None,
    logical: Sequence[int | None] = (),
) -> bytes:
    """The completion of a transaction. type: "ok", "fail" or "info".

    error: why it is not ok: (code, phase), say ("40001", "commit"). steps, logical: as in the
    invocation, where the micro-operations may be others than it has said.
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
    """Something that happened beside the transactions (a fault, an iteration that begins)."""
    return (
        f"{{:index {index}, :type :info, :process :nemesis, :f :{f}, :time {time}, :value {edn(value)}}}\n"
    ).encode("utf-8", "replace")


def write_history(
    path: str | os.PathLike[str], history: History | Iterable[AnyOperation], form: Form | None = None
) -> None:
    """Write a history so that reading it gives the same one, and so that Elle can read it.

    history: as `read_history` gives it, or its operations in their order: each an Operation or a mapping,
    {"type": "ok", "process": 0, "value": [["r", "x", [1]], ["append", "y", 2]]}. Of mappings all keys are
    written, also those that say nothing here; a History has no errors and no nemesis.
    form: left out, the suffix of the path decides (.json, .jsonl, else EDN); a further .gz packs.

    Raises HistoryError for operations that are no history, of which nothing is written, or where the form
    has no words for a value; OutputError where the file cannot be written.
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
    """The lines of the file; HistoryError before the first of them where there is no history."""
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
    # a program's operations are few enough to be put into words before the file is touched
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
    if set(map(type, items)) <= _PLAIN:
        return _short_numbers(items) if len(items) <= _SHORT else _numbers(items)
    return " ".join([edn(item) for item in items])


def _numbers(items: tuple[int, ...]) -> str:
    # Python's own text of a tuple of numbers is the quickest way to theirs.
    return repr(items)[1:-1].replace(",", "")


# Values are numbered anew for every key, so a run reads the same short lists again and again.
_SHORT = 64
_short_numbers = lru_cache(maxsize=1 << 13)(_numbers)


_PLAIN = {int}


@lru_cache(maxsize=4096)
def _text(value: str) -> str:
    return edn(value)


@lru_cache(maxsize=4096)
def _vector(items: tuple[int | None, ...]) -> str:
    return f"[{' '.join('nil' if item is None else str(item) for item in items)}]"
