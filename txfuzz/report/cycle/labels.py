"""Short labels for transactions, micro-operations and dependencies, for pictures."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, TypeAlias

from txfuzz.analysis.checker.anomaly_types import anomaly_type
from txfuzz.analysis.describe import elapsed
from txfuzz.analysis.result import Anomaly
from txfuzz.analysis.views.cycle_parts import Edge, MissingEdge, TransactionView
from txfuzz.analysis.views.mop_view import MopView
from txfuzz.history.values import edn, identity

MEANINGS: Mapping[str, str] = {
    "wr": "reads from: one wrote what the other read",
    "ww": "overwrites: the other wrote the next version",
    "rw": "anti-dependency: the other wrote the version after the one read",
    "process": "order of one process",
    "realtime": "completed before the other was invoked",
}
# The workload's name for a key of the history, by the identity of that key
LogicalKeys: TypeAlias = Mapping[Hashable, int | None]

_LIST_SHOWN = 3  # elements of a list
_VALUE_SHOWN = 18  # characters of a value


def meaning_of(anomaly: Anomaly) -> tuple[str, str]:
    """What this type of anomaly is, and where it is defined ("" for another analyzer's type)."""
    try:
        entry = anomaly_type(anomaly.type)
    except KeyError:
        return anomaly.definition, ""
    return entry.meaning, entry.source


def short(value: Any) -> str:
    """A value as EDN; only the end of a long list, which is where dependencies arise."""
    if isinstance(value, tuple | list):
        shown = [short(each) for each in value[-_LIST_SHOWN:]]
        return f"[{'… ' if len(value) > _LIST_SHOWN else ''}{' '.join(shown)}]"
    text = edn(value)
    return text if len(text) <= _VALUE_SHOWN else text[: _VALUE_SHOWN - 1] + "…"


def short_mop(mop: MopView, outcome: str) -> str:
    """A micro-operation: "r 3 [1 2]", "append 3 4"; "?" for what a transaction that failed may have read."""
    unknown = mop.reads and mop.value is None and outcome != "committed"
    return f"{mop.f} {short(mop.key)} {'?' if unknown else short(mop.value)}"


def transaction_note(view: TransactionView, between: str = " · ") -> str:
    """A transaction's template, process, duration, and outcome if it did not commit."""
    said = [*([view.template] if view.template else []), f"process {view.process}"]
    if view.start is not None and view.end is not None and view.start <= view.end:
        said.append(elapsed(view.end - view.start))
    if view.outcome != "committed":
        said.append("failed" if view.outcome == "failed" else "outcome unknown")
    return between.join(said)


def edge_title(edge: Edge) -> str:
    """The kind of a dependency and where it arose: "rw on key 3"."""
    if edge.kind in ("process", "realtime"):
        return edge.kind
    life = "" if edge.logical_key in (None, edge.key) else f" (logical {edge.logical_key})"
    return f"{edge.kind} on key {short(edge.key)}{life}"


def edge_values(edge: Edge, made: MopView | None) -> str:
    """The values that prove a dependency: "saw [1], 2 followed". made: the source's micro-operation."""
    value, following = short(edge.value), short(edge.next_value)
    if edge.kind == "wr":
        return f"{'appended' if made and made.f == 'append' else 'wrote'} {value}, the other read it"
    if edge.kind == "ww":
        return f"{value}, then {following}"
    if edge.kind == "rw":
        return f"saw {short(made.value) if made else value}, {following} followed"
    if edge.kind == "process":
        return "the same process, earlier"
    return "completed before the other began"


def missing_key(missing: MissingEdge, views: Mapping[int, TransactionView], logical: LogicalKeys) -> str:
    """The key of the missing edge, as the transaction that touched it has it: "key 1007 (logical 7)"; only
    the logical key if both are the same, or if neither transaction touched it."""
    for row, made in ((missing.source, missing.source_mop), (missing.target, missing.target_mop)):
        mops = views[row].mops
        for mop in (*([] if made is None else [mops[made]]), *mops):
            if logical.get(identity(mop.key)) == missing.key:
                return f"key {_key(mop, logical)}"
    physical = any(name is not None and name != key for key, name in logical.items())
    return f"{'logical ' if physical else ''}key {missing.key}"


def missing_steps(
    missing: MissingEdge, views: Mapping[int, TransactionView], logical: LogicalKeys
) -> list[str]:
    """The steps that would have to meet, and the actual key of a step that used another one, in short
    parts; nothing if neither is known.

    ["reader step 1", "→ writer step 0,", "here on key 1010 (logical 9)"]
    """
    first = _step(missing.source_template, missing.source_step)
    second = _step(missing.target_template, missing.target_step)
    if not first and not second:
        return []

    def parts(end: str, row: int, made: int | None) -> list[str]:
        mop = None if made is None else views[row].mops[made]
        if mop is None or logical.get(identity(mop.key)) in (None, missing.key):
            return [end]
        return [f"{end},", f"here on key {_key(mop, logical)}"]

    return [
        *parts(first or "?", missing.source, missing.source_mop),
        *parts(f"→ {second or '?'}", missing.target, missing.target_mop),
    ]


def missing_ends(missing: MissingEdge) -> str:
    """The steps that would have to meet: "reader step 1 → writer step 0"; nothing if neither is known."""
    source = _step(missing.source_template, missing.source_step)
    target = _step(missing.target_template, missing.target_step)
    return f"{source or '?'} → {target or '?'}" if source or target else ""


def _step(template: str | None, step: int | None) -> str:
    return " ".join([*([template] if template else []), *([] if step is None else [f"step {step}"])])


def _key(mop: MopView, logical: LogicalKeys) -> str:
    """The key of a micro-operation as shown in the boxes, and the workload's name for it."""
    name = logical.get(identity(mop.key))
    return short(mop.key) if name in (None, mop.key) else f"{short(mop.key)} (logical {name})"
