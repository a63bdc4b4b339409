"""One attempt as others are to see it: with logical keys in the place of physical ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Script, ScriptLine
from txfuzz.replay.stepper.attempt import Attempt, LogEntry
from txfuzz.transactions.model import NewValue

_MOP = re.compile(rb"(\[:(?:r|append|w) )(\d+)")


def portrait(attempt: Attempt) -> Attempt:
    """The same attempt, its keys renamed to the logical ones everywhere."""
    names = attempt.logical

    def renamed(line: bytes) -> bytes:
        head, value, mops = line.partition(b":value ")
        return head + value + _MOP.sub(lambda mop: mop[1] + b"%d" % names.get(int(mop[2]), int(mop[2])), mops)

    return replace(
        attempt,
        lines=tuple(renamed(line) for line in attempt.lines),
        log=tuple(_entry(entry, names) for entry in attempt.log),
        steps={alias: tuple(_step(step, names) for step in steps) for alias, steps in attempt.steps.items()},
        logical={name: name for name in names.values()},
    )


def script_of(attempt: Attempt, title: str, kind: Kind, isolation: str, rows: str) -> Script:
    """A portrait as a script, in the order in which its statements were issued."""
    begun: set[str] = set()
    lines = []
    for entry in attempt.log:
        if entry.alias is None or entry.action == "sleep":
            continue
        step = None if entry.step is None else attempt.steps[entry.alias][entry.step]
        first = entry.alias not in begun
        begun.add(entry.alias)
        lines.append(ScriptLine(entry.alias, entry.action, step, first, entry.saw, entry.blocked, entry.code))
    keys = tuple(sorted(attempt.logical))
    return Script(title, kind, isolation, tuple(lines), keys, keys if rows == "inserted" else ())


def _entry(entry: LogEntry, names: Mapping[int, int]) -> LogEntry:
    if entry.mop is None:
        return entry
    f, key, value = entry.mop
    return replace(entry, mop=(f, names.get(key, key), value))


def _step(step: BoundStep, names: Mapping[int, int]) -> BoundStep:
    keys = {name for name, term in step.step.args if not isinstance(term, NewValue)}
    args = {name: names.get(value, value) if name in keys else value for name, value in step.args.items()}
    return step._replace(key=None if step.key is None else names.get(step.key, step.key), args=args)
