"""Sentences about anomalies that are not cycles, from the facts that the detectors found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from txfuzz.analysis.anomalies.facts import (
    DirtyUpdate,
    Fact,
    FracturedRead,
    FutureRead,
    IncompatibleReads,
    InternalRead,
    LostUpdate,
    ReadElement,
    RepeatedElements,
    VersionCycle,
)
from txfuzz.analysis.checker.anomaly_types import definition
from txfuzz.analysis.describe import (
    key_text,
    labels_of,
    list_text,
    mop_text,
    name_of,
    outcome,
    read_text,
    transaction_view,
    value_text,
)
from txfuzz.analysis.result import Anomaly
from txfuzz.common.kind import Kind
from txfuzz.history.model import History

Words: TypeAlias = tuple[str, dict[str, Any]]  # the sentence, and a record as Elle has it


def explain_fact(history: History, type: str, fact: Fact) -> Anomaly:
    """The anomaly of this type for a fact."""
    sentence, record = _words(history, type, fact, labels_of(history, fact.rows))
    views = tuple(transaction_view(history, row) for row in fact.rows)
    return Anomaly(type, views, sentence, definition(type), (), record)


def _words(history: History, type: str, fact: Fact, names: Sequence[str]) -> Words:
    """names: what to call the transactions of the fact."""
    match fact:
        case ReadElement():
            return (_intermediate_read if type == "G1b" else _dirty_read)(history, fact, names)
        case InternalRead():
            return _internal_read(history, fact, names)
        case FutureRead():
            return _future_read(history, fact, names)
        case RepeatedElements():
            return _repeated_elements(history, fact, names)
        case IncompatibleReads():
            return _incompatible_reads(history, fact, names)
        case DirtyUpdate():
            return _dirty_update(history, fact, names)
        case LostUpdate():
            return _lost_update(history, fact, names)
        case FracturedRead():
            return _fractured_read(history, fact, names)
        case VersionCycle():
            return _version_cycle(history, fact)
    raise TypeError(f"a fact of {type} without words: {fact!r}")


def _is_register(history: History) -> bool:
    return history.kind is Kind.RW_REGISTER


def _wrote(history: History) -> str:
    return "wrote" if _is_register(history) else "appended"


def _key_of(history: History, mop: int) -> str:
    return key_text(history, int(history.mop_key[mop]))


def _dirty_read(history: History, fact: ReadElement, names: Sequence[str]) -> Words:
    """G1a, unwritten-read."""
    value, key = value_text(history, fact.element), _key_of(history, fact.read)
    reader, *writers = (name_of(history, row) for row in fact.rows)
    record: dict[str, Any] = {"op": reader, "mop": mop_text(history, fact.read)}
    if not _is_register(history):
        record["element"] = value
    seen = f"{names[0]} read {value} {'from' if _is_register(history) else 'in'} key {key}"
    if not writers:
        return f"{seen}, a value that no transaction in the history {_wrote(history)}.", record
    record["writer"] = writers[0]
    wrote = f"{names[1]} {_wrote(history)}; but {names[1]} failed"
    return f"{seen}, which {wrote}, so nobody should ever see it.", record


def _intermediate_read(history: History, fact: ReadElement, names: Sequence[str]) -> Words:
    value, key = value_text(history, fact.element), _key_of(history, fact.read)
    seen, wrote = read_text(history, fact.read), _wrote(history)
    if not _is_register(history):
        seen += f", which ends with {value}"
    sentence = (
        f"{names[0]} read key {key} as {seen}; {names[1]} {wrote} {value} there, but {wrote} to key "
        f"{key} again before it ended, so nobody should ever see this state."
    )
    reader, writer = (name_of(history, row) for row in fact.rows)
    return sentence, {"op": reader, "writer": writer, "mop": mop_text(history, fact.read), "element": value}


def _internal_read(history: History, fact: InternalRead, names: Sequence[str]) -> Words:
    before, read = mop_text(history, fact.before), mop_text(history, fact.read)
    sentence = (
        f"{names[0]} read key {_key_of(history, fact.read)} as {read_text(history, fact.read)} although "
        f"its own last operation on the key was {before}."
    )
    return sentence, {"op": name_of(history, fact.rows[0]), "mop": read, "previous": before}


def _future_read(history: History, fact: FutureRead, names: Sequence[str]) -> Words:
    value, read = value_text(history, fact.element), mop_text(history, fact.read)
    sentence = f"{names[0]} read {value} in key {_key_of(history, fact.read)} before appending it: {read}."
    return sentence, {"op": name_of(history, fact.rows[0]), "mop": read, "element": value}


def _repeated_elements(history: History, fact: RepeatedElements, names: Sequence[str]) -> Words:
    counts = {value_text(history, element): count for element, count in fact.counts}
    listed = ", ".join(f"the element {value} {count} times" for value, count in counts.items())
    key, seen = _key_of(history, fact.read), read_text(history, fact.read)
    record = {"op": name_of(history, fact.rows[0]), "mop": mop_text(history, fact.read), "duplicates": counts}
    return f"{names[0]} read key {key} as {seen}, which contains {listed}.", record


def _incompatible_reads(history: History, fact: IncompatibleReads, names: Sequence[str]) -> Words:
    seen = [list_text(history.values(history.read_elements(row))) for row in fact.lists]
    key = key_text(history, fact.key)
    sentence = (
        f"{names[0]} read key {key} as {seen[0]}, {names[1]} read it as {seen[1]}; neither list can have "
        "grown into the other."
    )
    return sentence, {"key": key, "values": seen}


def _dirty_update(history: History, fact: DirtyUpdate, names: Sequence[str]) -> Words:
    values = [value_text(history, element) for element in fact.elements]
    key = key_text(history, int(history.element_key[fact.elements[0]]))
    between = f" (between them {', '.join(values[1:-1])}, outcome unknown)" if values[1:-1] else ""
    sentence = (
        f"{names[0]} {outcome(history, fact.rows[0])}, yet the {values[0]} that it appended to key {key} "
        f"comes before {values[-1]}{between}, which {names[-1]} appended and committed."
    )
    return sentence, {"key": key, "values": values, "txns": [name_of(history, row) for row in fact.rows]}


def _lost_update(history: History, fact: LostUpdate, names: Sequence[str]) -> Words:
    key, seen = _key_of(history, fact.read), read_text(history, fact.read)
    left_out = len(fact.updaters) - len(fact.rows)
    more = f" and {left_out} more" if left_out else ""
    sentence = (
        f"{', '.join(names)}{more} each read key {key} as {seen} and then {_wrote(history)} to it: "
        "all but one of these updates were made without seeing the others."
    )
    return sentence, {"key": key, "value": seen, "txns": [name_of(history, row) for row in fact.updaters]}


def _fractured_read(history: History, fact: FracturedRead, names: Sequence[str]) -> Words:
    keys = [_key_of(history, mop) for mop in (fact.saw, fact.lacked)]
    wrote = _wrote(history)
    ends = ", which" if _is_register(history) else ", which ends with what"
    value = value_text(history, int(history.mop_value[fact.written]))
    sentence = (
        f"{names[0]} read key {keys[0]} as {read_text(history, fact.saw)}{ends} {names[1]} {wrote}, and key "
        f"{keys[1]} as {read_text(history, fact.lacked)}, from before {names[1]} {wrote} "
        f"{value} there: it saw only part of {names[1]}."
    )
    reader, writer = (name_of(history, row) for row in fact.rows)
    mops = [mop_text(history, mop) for mop in (fact.saw, fact.lacked)]
    return sentence, {"op": reader, "writer": writer, "mops": mops}


def _version_cycle(history: History, fact: VersionCycle) -> Words:
    found = fact.versions
    versions, key = [value_text(history, version) for version in found.versions], key_text(history, found.key)
    sentence = (
        f"According to {', '.join(found.sources)}, the order of the versions {', '.join(versions)} of key "
        f"{key} is a cycle."
    )
    return sentence, {"key": key, "scc": versions, "sources": list(found.sources)}
