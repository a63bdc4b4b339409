"""Transactions, micro-operations and dependencies in few words, for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from txfuzz.analysis.describe import elapsed, key_text, name_of, process_of, read_text, value_text
from txfuzz.analysis.result import Edge, MissingEdge
from txfuzz.common.kind import Kind
from txfuzz.history.model import APPEND, INFO, OK, READ, UNKNOWN, History
from txfuzz.history.values import edn

_LIST_SHOWN = 3  # elements of a list
_VALUE_SHOWN = 18  # characters of a value


def transaction_name(history: History, row: int) -> str:
    """Elle's name for it: T and the index of its completion."""
    return f"T{name_of(history, row)}"


def transaction_note(history: History, row: int) -> str:
    """What else there is to say of a transaction: template, process, how long, how it ended."""
    template = int(history.template[row])
    said = [] if template < 0 else [history.templates[template]]
    said.append(f"process {process_of(history, row)}")
    start, end = int(history.invoke_time[row]), int(history.complete_time[row])
    if 0 <= start <= end:
        said.append(elapsed(end - start))
    if history.type[row] != OK:
        said.append("outcome unknown" if history.type[row] == INFO else "failed")
    return " · ".join(said)


def short(text: str, most: int = _VALUE_SHOWN) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def short_list(values: Sequence[Any]) -> str:
    """A list as EDN; of a long one its end, which is what dependencies are made of."""
    shown = [short(edn(value)) for value in values[-_LIST_SHOWN:]]
    return f"[{'… ' if len(values) > _LIST_SHOWN else ''}{' '.join(shown)}]"


def short_mop(history: History, mop: int) -> str:
    """A micro-operation: "r 3 [1 2]", "append 3 4", "w 3 4"."""
    key = short(key_text(history, int(history.mop_key[mop])))
    if history.mop_f[mop] == READ:
        return f"r {key} {short_read(history, mop)}"
    f = "append" if history.mop_f[mop] == APPEND else "w"
    return f"{f} {key} {short(value_text(history, int(history.mop_value[mop])))}"


def short_read(history: History, mop: int) -> str:
    """What a read saw, "?" where the history does not say."""
    value = int(history.mop_value[mop])
    if value == UNKNOWN:
        return "?"
    if history.kind is Kind.RW_REGISTER or value < 0:
        return short(read_text(history, mop))
    return short_list(history.values(history.read_elements(value)))


def edge_title(edge: Edge) -> str:
    """The kind of a dependency and where it arose: "rw on key 3"."""
    if edge.kind in ("process", "realtime"):
        return edge.kind
    key = short(edn(edge.key))
    life = "" if edge.logical_key in (None, edge.key) else f" (logical {edge.logical_key})"
    return f"{edge.kind} on key {key}{life}"


def edge_values(history: History, edge: Edge) -> str:
    """The values that prove a dependency: "saw [1], 2 followed"."""
    value, following = short(edn(edge.value)), short(edn(edge.next_value))
    if edge.kind == "wr":
        return f"{'wrote' if history.kind is Kind.RW_REGISTER else 'appended'} {value}, the other read it"
    if edge.kind == "ww":
        return f"{value}, then {following}"
    if edge.kind == "rw":
        read, _ = ends_of(history, edge)
        return f"saw {value if read is None else short_read(history, read)}, {following} followed"
    if edge.kind == "process":
        return "the same process, earlier"
    return "completed before the other began"


def missing_key(history: History, missing: MissingEdge) -> str:
    """The key of the missing edge: the one that the end which touched it has, "key 1007 (logical 7)"; the
    logical key alone where that is the same, or where the history does not tell."""
    for end, mop in zip((missing.source, missing.target), ends_of_missing(history, missing), strict=True):
        mops = range(int(history.mops[end]), int(history.mops[end + 1]))
        for each in (*([] if mop is None else [mop]), *mops):
            if history.logical[history.mop_key[each]] == missing.key:
                return f"key {_key_of(history, each)}"
    pairs = zip(history.keys, history.logical, strict=True)
    physical = any(logical not in (None, key) for key, logical in pairs)
    return f"{'logical ' if physical else ''}key {missing.key}"


def missing_steps(history: History, missing: MissingEdge) -> list[str]:
    """The steps that would have to meet, and of one that acted on another key, on which, in short parts;
    nothing where none is known.

    ["reader step 1", "→ writer step 0,", "here on key 1010 (logical 9)"]
    """
    first = _end(missing.source_template, missing.source_step)
    second = _end(missing.target_template, missing.target_step)
    if not first and not second:
        return []

    def parts(end: str, mop: int | None) -> list[str]:
        if mop is None or history.logical[history.mop_key[mop]] in (None, missing.key):
            return [end]
        return [f"{end},", f"here on key {_key_of(history, mop)}"]

    source, target = ends_of_missing(history, missing)
    return [*parts(first or "?", source), *parts(f"→ {second or '?'}", target)]


def _key_of(history: History, mop: int) -> str:
    """The key of a micro-operation as the boxes show it, and the workload's name for it."""
    at = int(history.mop_key[mop])
    key, logical = key_text(history, at), history.logical[at]
    return short(key) if logical is None or str(logical) == key else f"{short(key)} (logical {logical})"


def missing_ends(missing: MissingEdge) -> str:
    """The steps that would have to meet: "reader step 1 → writer step 0"; nothing where none is known."""
    source = _end(missing.source_template, missing.source_step)
    target = _end(missing.target_template, missing.target_step)
    return f"{source or '?'} → {target or '?'}" if source or target else ""


def _end(template: str | None, step: int | None) -> str:
    return " ".join([*([template] if template else []), *([] if step is None else [f"step {step}"])])


def ends_of(history: History, edge: Edge) -> tuple[int | None, int | None]:
    """The micro-operations that make a dependency, source and target; None where none is found."""
    if edge.kind in ("process", "realtime"):
        return None, None
    key = edn(edge.key)

    def find(row: int, reads: bool, value: Any) -> int | None:
        for mop in range(int(history.mops[row]), int(history.mops[row + 1])):
            same = key_text(history, int(history.mop_key[mop])) == key
            if same and (history.mop_f[mop] == READ) == reads and _last(history, mop) == edn(value):
                return mop
        return None

    return (
        find(edge.source, edge.kind == "rw", edge.value),
        find(edge.target, edge.kind == "wr", edge.value if edge.kind == "wr" else edge.next_value),
    )


def _last(history: History, mop: int) -> str:
    """The version that a micro-operation read or wrote, as EDN; nil for the initial state."""
    value = int(history.mop_value[mop])
    if value < 0:
        return "nil"
    if history.mop_f[mop] == READ and history.kind is not Kind.RW_REGISTER:
        return edn(history.element_value[int(history.read_elements(value)[-1])])
    return edn(history.element_value[value])


def ends_of_missing(history: History, missing: MissingEdge) -> tuple[int | None, int | None]:
    """The micro-operations of the steps that would have to meet; None where the history does not say."""

    def find(row: int, step: int | None, reads: bool) -> int | None:
        mops = np.arange(int(history.mops[row]), int(history.mops[row + 1]))
        fits = (history.mop_f[mops] == READ) == reads
        if step is not None:
            fits &= history.mop_step[mops] == step
        else:
            fits &= [history.logical[key] == missing.key for key in history.mop_key[mops]]
        return int(mops[fits][0]) if fits.any() else None

    return (
        find(missing.source, missing.source_step, missing.kind == "rw"),
        find(missing.target, missing.target_step, missing.kind == "wr"),
    )
