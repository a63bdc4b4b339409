"""Histories by hand, transaction by transaction, for the analyzers of the template plugin."""

from __future__ import annotations

from typing import Any

from txfuzz.history.model import History
from txfuzz.history.reader import read_history_bytes
from txfuzz.history.values import edn

Mop = tuple[str, Any, Any]


def r(key: Any, *seen: int) -> Mop:
    """A read of a list."""
    return ("r", key, list(seen))


def rr(key: Any, seen: int | None) -> Mop:
    """A read of a register."""
    return ("r", key, seen)


def a(key: Any, value: int) -> Mop:
    return ("append", key, value)


def w(key: Any, value: int) -> Mop:
    return ("w", key, value)


class Tape:
    """Operations in the order of the calls; a millisecond passes with each."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._open: dict[int, tuple[str, tuple[Mop, ...]]] = {}
        self._processes = 0

    def begin(self, template: str, *mops: Mop) -> int:
        """Begin a transaction of a separate process. mops: as they will complete."""
        process, self._processes = self._processes, self._processes + 1
        self._open[process] = (template, mops)
        self._write(process, "invoke", template, [(f, key, None if f == "r" else v) for f, key, v in mops])
        return process

    def end(self, process: int, type: str = "ok") -> None:
        template, mops = self._open.pop(process)
        if type != "ok":
            mops = tuple((f, key, None if f == "r" else value) for f, key, value in mops)
        self._write(process, type, template, list(mops))

    def txn(self, template: str, *mops: Mop, type: str = "ok") -> None:
        self.end(self.begin(template, *mops), type)

    def _write(self, process: int, type: str, template: str, mops: list[Mop]) -> None:
        at = len(self._lines)
        value = " ".join(f"[:{f} {edn(key)} {_value(v)}]" for f, key, v in mops)
        self._lines.append(
            f"{{:index {at}, :type :{type}, :process {process}, :f :txn, :time {at * 1_000_000}, "
            f':txn "{template}", :value [{value}]}}\n'
        )

    @property
    def text(self) -> bytes:
        return "".join(self._lines).encode()

    def history(self) -> History:
        return read_history_bytes(self.text, "by hand")


def _value(value: Any) -> str:
    return (
        f"[{' '.join(map(str, value))}]"
        if isinstance(value, list)
        else "nil"
        if value is None
        else str(value)
    )
