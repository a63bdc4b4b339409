"""Small histories of every sort, as EDN: good, anomalous, odd, and impossible to judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from txfuzz.history.model import History
from txfuzz.history.reader import read_history_bytes

# One transaction per line: process, outcome, micro-operations. They run one after the
# other, except that those marked `|` are all invoked before the first of them completes.
_SERIAL_LISTS = """
0 ok [[:append 1 1] [:append 2 1]]
1 ok [[:r 1 [1]] [:append 1 2]]
2 ok [[:r 1 [1 2]] [:r 2 [1]]]
0 fail [[:append 1 3]]
1 ok [[:append 2 2]]
2 ok [[:r 1 [1 2]] [:r 2 [1 2]]]
"""
_SERIAL_REGISTERS = """
0 ok [[:w 1 1] [:w 2 1]]
1 ok [[:r 1 1] [:w 1 2]]
2 ok [[:r 1 2] [:r 2 1]]
"""
_UNFINISHED = """
0 ok [[:append 1 1]]
1 info [[:append 1 2] [:r 2 nil]]
2 ok [[:r 1 [1]] [:r 2 nil]]
3 open [[:append 1 3]]
"""
_LOST_UPDATE = """
0 ok [[:append 1 1]]
| 0 ok [[:r 1 [1]] [:append 1 2]]
| 1 ok [[:r 1 [1]] [:append 1 3]]
2 ok [[:r 1 [1 2 3]]]
"""
_WRITE_SKEW = """
| 0 ok [[:r 1 nil] [:r 2 nil] [:append 1 1]]
| 1 ok [[:r 1 nil] [:r 2 nil] [:append 2 1]]
2 ok [[:r 1 [1]] [:r 2 [1]]]
"""
_ABORTED_READ = """
0 ok [[:append 1 1]]
0 fail [[:append 1 2]]
1 ok [[:r 1 [1 2]]]
"""
_REGISTER_LOST_UPDATE = """
0 ok [[:w 1 1]]
| 0 ok [[:r 1 1] [:w 1 2]]
| 1 ok [[:r 1 1] [:w 1 3]]
"""
_STRINGS = """
0 ok [[:append "a" 1]]
1 ok [[:r "a" [1]] [:append :b 1]]
"""
_DUPLICATES = """
0 ok [[:append 1 1]]
1 ok [[:append 1 1]]
2 ok [[:r 1 [1 1]]]
"""
_UNKNOWN = """
0 ok [[:append 1 1]]
1 ok [[:increment 1 1]]
2 ok [[:r 1 [1]]]
"""
_REGISTER_DUPLICATES = """
0 ok [[:w 1 1]]
1 ok [[:w 1 1]]
2 ok [[:r 1 1]]
"""


def edn(transactions: str) -> str:
    """The operations of these transactions, one map per line."""
    lines: list[str] = []
    waiting: list[str] = []

    def operation(type: str, process: str, value: str) -> str:
        at = len(lines)
        return (
            f"{{:index {at}, :type :{type}, :process {process}, :f :txn, :time {at * 1000}, :value {value}}}"
        )

    def complete() -> None:
        for each in waiting:
            process, type, value = each.split(" ", 2)
            if type != "open":
                lines.append(operation(type, process, value))
        waiting.clear()

    for line in transactions.strip().splitlines():
        each = line.removeprefix("| ")
        if each == line:
            complete()
        process, _, value = each.split(" ", 2)
        lines.append(operation("invoke", process, value))
        waiting.append(each)
        if each == line:
            complete()
    complete()
    return "\n".join(lines) + "\n"


def history_of(text: str, name: str = "sample") -> History:
    return read_history_bytes(text.encode(), name)


CLEAN: Mapping[str, str] = {
    "of lists, one after the other": edn(_SERIAL_LISTS),
    "of registers, one after the other": edn(_SERIAL_REGISTERS),
    "of one transaction": edn("0 ok [[:append 1 1]]"),
    "in which nothing committed": edn("0 fail [[:append 1 1]]"),
    "of nothing but a fault": "{:index 0, :type :info, :process :nemesis, :f :kill, :time 0, :value nil}\n",
    "with unfinished transactions": edn(_UNFINISHED),
    "with keys that are no numbers": edn(_STRINGS),
}
ANOMALOUS: Mapping[str, str] = {
    "with a lost update": edn(_LOST_UPDATE),
    "with a write skew": edn(_WRITE_SKEW),
    "with an aborted read": edn(_ABORTED_READ),
    "of registers with a lost update": edn(_REGISTER_LOST_UPDATE),
}
MALFORMED: Mapping[str, str] = {
    "in which a value was appended twice": edn(_DUPLICATES),
    "in which a value was written twice": edn(_REGISTER_DUPLICATES),
    "with an unknown micro-operation": edn(_UNKNOWN),
}


def renamed(history: History) -> History:
    """The same with processes and keys renamed and reordered."""
    process = history.process.copy()
    clients = process >= 0
    process[clients] = 10 * (process.max(initial=0) - process[clients]) + 3
    return replace(
        history,
        process=process,
        keys=_others(history.keys),
        logical=[None if key is None else 100_000 - key for key in history.logical],
    )


def _others(keys: Sequence[Any]) -> list[Any]:
    return [1_000_000 - key if type(key) is int else f"other {key}" for key in keys]
