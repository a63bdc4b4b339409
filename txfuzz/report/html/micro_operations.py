"""Micro-operations as the analysis writes them (EDN), taken apart for cells of a picture."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from txfuzz.analysis.result import Edge, MissingEdge

_VALUE = 14  # characters of a value
_LIST = 3  # elements of a list
_MOST = 400  # micro-operations of one transaction


@dataclass(frozen=True, slots=True)
class Mop:
    """f: r, append or w. key, value: EDN text. last: the newest version it read or wrote."""

    f: str
    key: str
    value: str
    last: str

    @property
    def reads(self) -> bool:
        return self.f == "r"

    @property
    def text(self) -> str:
        """In few words: "r 3 [… 5 6 7]", "append 3 8"."""
        value = self.value
        if value.startswith("["):
            items = list(_words(value[1:-1]))
            shown = " ".join(_short(item) for item in items[-_LIST:])
            value = f"[{'… ' if len(items) > _LIST else ''}{shown}]"
        else:
            value = _short(value)
        return f"{self.f} {_short(self.key)} {value}"


def mops_of(text: str) -> list[Mop]:
    """The micro-operations of a transaction, as many as could be taken apart."""
    found: list[Mop] = []
    for outer in _words(text):
        words = list(_words(outer[1:-1])) if outer.startswith("[") else []
        if len(words) == 3 and words[0].startswith(":") and len(found) < _MOST:
            f, key, value = words
            items = list(_words(value[1:-1])) if value.startswith("[") else [value]
            found.append(Mop(f[1:], key, value, items[-1] if items else "nil"))
    return found


def ends(edge: Edge, source: list[Mop], target: list[Mop]) -> tuple[int | None, int | None]:
    """The places of the micro-operations that make an edge, in either transaction."""
    if edge.kind in ("process", "realtime"):
        return None, None
    return (
        _find(source, edge.key, edge.kind == "rw", edge.value),
        _find(target, edge.key, edge.kind == "wr", edge.value if edge.kind == "wr" else edge.next_value),
    )


def missing_ends(missing: MissingEdge, source: list[Mop], target: list[Mop]) -> tuple[int | None, int | None]:
    """Where the missing edge would have to arise: the step says it, where every step makes one."""

    def find(mops: list[Mop], step: int | None, reads: bool) -> int | None:
        if step is not None and step < len(mops) and mops[step].reads == reads:
            return step
        return next((at for at, mop in enumerate(mops) if mop.reads == reads), None)

    return find(source, missing.source_step, missing.kind == "rw"), find(
        target, missing.target_step, missing.kind == "wr"
    )


def _find(mops: list[Mop], key: Any, reads: bool, value: Any) -> int | None:
    """The micro-operation on that key with that value, else the first of its kind on the key."""
    candidates = [at for at, mop in enumerate(mops) if mop.reads == reads and _same(mop.key, key)]
    exact = (at for at in candidates if _same(mops[at].last, value))
    return next(exact, candidates[0] if candidates else None)


def _same(text: str, value: Any) -> bool:
    if value is None:
        return text == "nil"
    return text in (str(value), json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"


def cells(text: str) -> int:
    """How many columns of a fixed-width font a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _words(text: str) -> Iterator[str]:
    """EDN values between blanks; brackets and strings stay whole."""
    depth, start, quoted, at = 0, None, False, 0
    while at < len(text):
        char = text[at]
        if quoted:
            if char == "\\":
                at += 1
            quoted = char != '"'
        elif char in " ,\n\t" and not depth:
            if start is not None:
                yield text[start:at]
            start = None
        else:
            start = at if start is None else start
            quoted = char == '"'
            depth += (char in "[({") - (char in "])}")
        at += 1
    if start is not None:
        yield text[start:]
