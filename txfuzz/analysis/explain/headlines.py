"""What happened in one sentence, for readers who do not know the field's names, and what to tell first.

The name comes from the shape of the finding where the shape has one of its own: a cycle on one key, in which
a transaction writes what it had read before another wrote it, is a lost update (P4 of Berenson and others,
SIGMOD 1995), whatever the checker's type for such cycles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from txfuzz.analysis.checker.anomaly_types import anomaly_type
from txfuzz.analysis.result import Anomaly, Edge, TransactionView
from txfuzz.common.sentences import counted, listed
from txfuzz.history.values import edn

Views: TypeAlias = Sequence[TransactionView]
Names: TypeAlias = Sequence[str]  # what to call them
_Told: TypeAlias = tuple[str, str]  # the name of the shape, empty if it is the type's, and the sentence

_CHAIN = 4  # edges of a cycle told one by one
_LONGEST = 200  # characters of another analyzer's sentence
_VALUE = 24  # characters of a key

# From what everybody understands to what only the field does; within that, the weaker the model that is
# broken, the earlier. Types of other analyzers state a rule of the application and come before all.
_TELLING = (
    "unwritten-read", "G1a", "dirty-update", "G1b", "duplicate-elements", "lost-update", "internal",
    "fractured-read", "G1c", "G-single-item", "G2-item", "G-nonadjacent-item", "G0", "future-read",
    "incompatible-order", "cyclic-versions",
)  # fmt: skip


def telling(anomaly: Anomaly, broken: Collection[str] = ()) -> tuple[int, ...]:
    """A key to sort by: what a reader should see first comes first.

    broken: the types that contradict what the database itself promises; they come before all others.
    """
    return (
        anomaly.type not in broken,
        telling_type(anomaly.type),
        len(anomaly.transactions) or 99,
        not anomaly.edges,
    )


def telling_type(name: str) -> int:
    """The place of a type among all; of the types that hold an order as well, behind those that do not."""
    for at, suffix in enumerate(("-process", "-realtime", "-cycle-exists"), 1):
        if name.endswith(suffix):
            plain = name.removesuffix(suffix)
            return 100 * at + (_TELLING.index(plain) if plain in _TELLING else 0)
    return 1 + _TELLING.index(name) if name in _TELLING else 0


def with_headlines(anomalies: Iterable[Anomaly]) -> tuple[Anomaly, ...]:
    """The same anomalies, each with its headline; one that an analyzer has set is kept."""
    return tuple(replace(each, headline=headline(each)) for each in anomalies)


def headline(anomaly: Anomaly) -> str:
    """Its plain name, its type, and what happened: "Write skew (G2-item): two book transactions each …"."""
    if anomaly.headline:
        return anomaly.headline
    try:
        usual = anomaly_type(anomaly.type).name
    except KeyError:  # another analyzer's type
        told = (anomaly.explanation or anomaly.definition).strip().partition("\n")[0].rstrip(".")
        return f"{anomaly.type}: {told[:_LONGEST]}" if told else anomaly.type
    name, sentence = _cycle(anomaly) if anomaly.edges else ("", _fact(anomaly))
    named = f"{name or usual} ({anomaly.type})"
    return f"{named}: {sentence}" if sentence else named


def headline_parts(anomaly: Anomaly) -> tuple[str, str]:
    """The headline as a title, "Write skew (G2-item)", and as a whole sentence, empty if there is none."""
    title, _, told = headline(anomaly).partition(": ")
    if told.startswith(("one ", "two ", "the ")):  # names of transactions stay as they are
        told = f"{told[0].upper()}{told[1:]}"
    return title, f"{told}." if told else ""


# -- cycles ---------------------------------------------------------------------------------


def _cycle(anomaly: Anomaly) -> tuple[str, str]:
    """The name of its shape, empty if that is the type's, and the sentence."""
    views, edges = anomaly.transactions, anomaly.edges
    kinds, names = [edge.kind for edge in edges], _labels(views)
    for shape, tell in _SHAPES.items():
        for turn in range(len(kinds)):
            if (*kinds[turn:], *kinds[:turn]) == shape:
                turned = (*edges[turn:], *edges[:turn])
                return tell(turned, (*views[turn:], *views[:turn]), [*names[turn:], *names[:turn]])
    return _other_name(anomaly), _chain(edges, names)


def _other_name(anomaly: Anomaly) -> str:
    """For cycles whose type is named after a shape that they do not have."""
    kinds = [edge.kind for edge in anomaly.edges]
    readers = [
        view
        for edge, view in zip(anomaly.edges, anomaly.transactions, strict=False)
        if edge.kind == "rw" and not any(not mop.reads for mop in view.mops) and not view.left_out
    ]
    if anomaly.type == "G2-item":
        if len(kinds) == 3 and kinds.count("rw") == 2 and readers:
            return "Read-only transaction anomaly"
        return "Anti-dependency cycle"
    return "Cycle with separate anti-dependencies" if anomaly.type == "G-nonadjacent-item" else ""


def _lost_update(edges: Sequence[Edge], views: Views, names: Names) -> _Told:
    """T1 –ww→ T2 –rw→ T1: T2 read, T1 wrote, T2 wrote."""
    first, second = views
    if not _same_key(edges):
        return "", (
            f"{_one(second, first)} missed what {_other(first, second)} wrote to {_key(edges[1])}, but wrote "
            f"{_key(edges[0])} after it"
        )
    return "Lost update", (
        f"{_one(second, first)} read {_key(edges[0])}, {_other(first, second)} wrote it, and "
        f"{_again(second, first)} wrote it without having seen that"
    )


def _read_skew(edges: Sequence[Edge], views: Views, names: Names) -> _Told:
    """T1 –wr→ T2 –rw→ T1"""
    writer, reader = views
    if _same_key(edges):
        return "Non-repeatable read", (
            f"{_one(reader, writer)} read {_key(edges[0])} both with and without what "
            f"{_other(writer, reader)} wrote"
        )
    return "", (
        f"{_one(reader, writer)} saw what {_other(writer, reader)} wrote to {_key(edges[0])}, but not what "
        f"it wrote to {_key(edges[1])}"
    )


def _write_skew(edges: Sequence[Edge], views: Views, names: Names) -> _Told:
    if _same_key(edges):
        return (
            "Lost update",
            f"{_both(views)} each wrote {_key(edges[0])} without seeing what the other wrote",
        )
    return "", f"{_both(views)} each missed what the other wrote ({_keys(edges)})"


def _long_fork(edges: Sequence[Edge], views: Views, names: Names) -> _Told:
    """W1 –wr→ R1 –rw→ W2 –wr→ R2 –rw→ W1"""
    return "", (
        f"{names[1]} saw {names[0]} ({_key(edges[0])}) but not {names[2]} ({_key(edges[1])}), and "
        f"{names[3]} saw it the other way round"
    )


def _stale(edges: Sequence[Edge], views: Views, names: Names) -> _Told:
    """T1 –realtime or process→ T2 –rw→ T1"""
    writer, reader = views
    if edges[0].kind == "process":
        return "Own write not seen", (
            f"{_one(reader, writer)} missed what {_other(writer, reader)} of the same client had written to "
            f"{_key(edges[1])}"
        )
    return "Stale read", (
        f"{_one(reader, writer)} missed what {_other(writer, reader)} had written to {_key(edges[1])}, "
        "though that had ended before it began"
    )


def _each_read(edges: Sequence[Edge], views: Views, names: Names) -> _Told:
    return "", f"{_both(views)} each read what the other wrote ({_keys(edges)})"


def _each_overwrote(edges: Sequence[Edge], views: Views, names: Names) -> _Told:
    return "", f"{_both(views)} each overwrote what the other wrote ({_keys(edges)})"


# By the kinds of the edges, turned so that they match; the transactions are turned along
_SHAPES: Mapping[tuple[str, ...], Callable[[Sequence[Edge], Views, Names], _Told]] = {
    ("ww", "rw"): _lost_update,
    ("wr", "rw"): _read_skew,
    ("rw", "rw"): _write_skew,
    ("wr", "rw", "wr", "rw"): _long_fork,
    ("realtime", "rw"): _stale,
    ("process", "rw"): _stale,
    ("wr", "wr"): _each_read,
    ("ww", "ww"): _each_overwrote,
}


def _chain(edges: Sequence[Edge], names: Names) -> str:
    """A phrase for each edge; of a long cycle only how many transactions missed the next one's write."""
    if len(edges) > _CHAIN:
        missed = sum(edge.kind == "rw" for edge in edges)
        told = f", {missed:,} of which missed what the next one wrote" if missed else ""
        return f"{counted(len(names), 'transaction')} depend on each other in a circle{told}"
    following = [*names[1:], *names[:1]]
    return listed(_phrase(*each) for each in zip(edges, names, following, strict=True))


def _phrase(edge: Edge, source: str, target: str) -> str:
    match edge.kind:
        case "rw":
            return f"{source} missed what {target} wrote to {_key(edge)}"
        case "wr":
            return f"{target} saw what {source} wrote to {_key(edge)}"
        case "ww":
            return f"{target} wrote {_key(edge)} after {source}"
        case "process":
            return f"{target} came after {source} on the same client"
    return f"{target} began after {source} had ended"


# -- what is no cycle -----------------------------------------------------------------------


def _fact(anomaly: Anomaly) -> str:
    """The sentence of an anomaly that is not a cycle; empty if it is told without transactions."""
    views = anomaly.transactions
    if not views:
        return ""
    key = _key_in(anomaly.record)
    first, last = views[0], views[-1]
    match anomaly.type:
        case "unwritten-read":
            return f"{_labels(views)[0]} read a value {key('in')}that no transaction wrote"
        case "G1a":
            return f"{_one(first, last)} read what {_other(last, first)} wrote {key('to')}and rolled back"
        case "G1b":
            return (
                f"{_one(first, last)} read {key('from')}what {_other(last, first)} wrote only for a moment "
                "and replaced before its end"
            )
        case "internal":
            return (
                f"{_labels(views)[0]} did not find {key('', 'a key')}as it had last read or written it itself"
            )
        case "future-read":
            return f"{_labels(views)[0]} read {key('in')}what it wrote only later"
        case "duplicate-elements":
            return (
                f"{_labels(views)[0]} read {key('', 'a list ')}with an element twice that was appended once"
            )
        case "incompatible-order":
            return f"{_both(views)} saw the writes {key('to')}in different orders"
        case "dirty-update":
            return f"{_one(last, first)} built on what {_other(first, last)} wrote {key('to')}and rolled back"
        case "fractured-read":
            return f"{_one(first, last)} saw only a part of what {_other(last, first)} wrote"
        case "lost-update":
            return _lost_by_all(anomaly, key)
        case "cyclic-versions":
            return f"the writes {key('to')}follow each other in a circle"
    return ""


def _lost_by_all(anomaly: Anomaly, key: Callable[..., str]) -> str:
    number = max(len(anomaly.transactions), len(anomaly.record.get("txns", ())))
    if number == 2:
        return (
            f"{_both(anomaly.transactions)} each read {key('', 'a key ')}in the same state and then wrote it"
        )
    return (
        f"{counted(number, 'transaction')} each read {key('', 'a key ')}in the same state and then wrote it"
    )


def _key_in(record: Mapping[str, Any]) -> Callable[..., str]:
    """Says the key of a record behind a preposition, with a space at the end; empty if it names none."""
    found = record.get("key")
    if found is None:
        mop = re.match(r'\[:\w+ ("[^"]*"|\S+)', str(record.get("mop", "")))
        found = mop[1] if mop else None

    def said(before: str, instead: str = "") -> str:
        if found is None:
            return instead
        return f"{before} key {_cut(str(found))} ".lstrip()

    return said


# -- names ----------------------------------------------------------------------------------


def _labels(views: Sequence[TransactionView]) -> list[str]:
    """By template where that tells them apart, else T1, T2, … as in the explanation below the headline."""
    templates = [view.template for view in views]
    return [
        template if template and templates.count(template) == 1 else f"T{at}"
        for at, template in enumerate(templates, 1)
    ]


def _alike(one: TransactionView, other: TransactionView) -> bool:
    return one.template is not None and one.template == other.template


def _one(view: TransactionView, beside: TransactionView) -> str:
    if view.template is None:
        return "one transaction"
    return f"one {view.template} transaction" if _alike(view, beside) else view.template


def _other(view: TransactionView, beside: TransactionView) -> str:
    return "another" if view.template is None or _alike(view, beside) else view.template


def _again(view: TransactionView, beside: TransactionView) -> str:
    return "the first" if view.template is None or _alike(view, beside) else view.template


def _both(views: Sequence[TransactionView]) -> str:
    first, second = views[0], views[-1]
    if first.template is None or second.template is None:
        return "two transactions"
    return (
        f"two {first.template} transactions"
        if _alike(first, second)
        else f"{first.template} and " + (second.template)
    )


def _same_key(edges: Sequence[Edge]) -> bool:
    return len({edn(edge.key) for edge in edges}) == 1


def _keys(edges: Sequence[Edge]) -> str:
    names = dict.fromkeys(_cut(edn(edge.key)) for edge in edges)
    return f"key{'s'[: len(names) > 1]} {listed(names)}"


def _key(edge: Edge) -> str:
    return f"key {_cut(edn(edge.key))}"


def _cut(text: str) -> str:
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"
