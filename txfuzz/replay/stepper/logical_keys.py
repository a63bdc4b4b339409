"""Attempts with logical instead of physical keys, and as scripts for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Script, ScriptLine
from txfuzz.history.writer import Mop
from txfuzz.replay.stepper.attempt import Attempt, LogEntry
from txfuzz.replay.stepper.recorder import Recorded, RecordedOperation
from txfuzz.transactions.model import NewValue


def with_logical_keys(attempt: Attempt) -> Attempt:
    """The attempt with logical keys everywhere."""
    names = attempt.logical
    return replace(
        attempt,
        operations=tuple(_operation(each, names) for each in attempt.operations),
        log=tuple(_entry(entry, names) for entry in attempt.log),
        steps={alias: tuple(_step(step, names) for step in steps) for alias, steps in attempt.steps.items()},
        logical={name: name for name in names.values()},
    )


def script_of(
    attempt: Attempt, title: str, kind: Kind, isolation: str, rows: str, why: tuple[str, ...] = ()
) -> Script:
    """An attempt with logical keys as a script, in the order in which its statements were issued. why:
    sentences, with aliases."""
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
    return Script(title, kind, isolation, tuple(lines), keys, keys if rows == "inserted" else (), why)


def renamed(mop: Mop, names: Mapping[int, int]) -> Mop:
    """The micro-operation with its key replaced, if `names` has it."""
    f, key, value = mop
    return f, names.get(key, key), value


def _operation(each: Recorded, names: Mapping[int, int]) -> Recorded:
    if isinstance(each, RecordedOperation):
        return replace(each, mops=tuple(renamed(mop, names) for mop in each.mops))
    return each


def _entry(entry: LogEntry, names: Mapping[int, int]) -> LogEntry:
    return entry if entry.mop is None else replace(entry, mop=renamed(entry.mop, names))


def _step(step: BoundStep, names: Mapping[int, int]) -> BoundStep:
    keys = {name for name, term in step.step.args if not isinstance(term, NewValue)}
    args = {name: names.get(value, value) if name in keys else value for name, value in step.args.items()}
    return step._replace(key=None if step.key is None else names.get(step.key, step.key), args=args)
