"""The result of one attempt at a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from txfuzz.database.api import BoundStep, ReadValue
from txfuzz.history.writer import Mop
from txfuzz.replay.stepper.recorder import Recorded


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One statement of a replay.

    alias: None for a sleep. action: step, commit, rollback or sleep. step: its number, from 0. logical: the
    logical key of its micro-operation `mop`. sql: of a raw step. saw: the value read. blocked: it waited
    for a lock; waited_for: held by these aliases, if the database tells. result_after: index in the log of
    the statement after which the result came; its own if it did not wait. code, message: of the error, if
    it failed. held_back: issued later than scheduled, because its session was waiting. added: not in the
    schedule, which left the transaction unfinished.
    """

    alias: str | None
    action: str
    step: int | None = None
    mop: Mop | None = None
    logical: int | None = None
    sql: str | None = None
    saw: ReadValue = None
    blocked: bool = False
    waited_for: tuple[str, ...] = ()
    result_after: int = 0
    code: str = ""
    message: str = ""
    held_back: bool = False
    added: bool = False
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class TransactionOutcome:
    """How one transaction ended. type: ok, fail or info. phase: where, as "step 1" or "commit"."""

    type: str
    code: str = ""
    phase: str = ""


@dataclass(frozen=True)
class Attempt:
    """One run of a schedule.

    outcomes: by alias, in the order in which the transactions ended. operations: its part of the history.
    seen: by alias, the micro-operations with the values read, on logical keys. ended: a sentence if it
    could not continue. refused: a sentence if the database rejects a statement for good. order: of begins
    and ends, as (alias, "begins") and (alias, "ends"). final: the final reads, on logical keys.
    """

    log: tuple[LogEntry, ...]
    outcomes: Mapping[str, TransactionOutcome]
    operations: tuple[Recorded, ...]
    seen: Mapping[str, tuple[Mop, ...]]
    ended: str = ""
    refused: str = ""
    order: tuple[tuple[str, str], ...] = ()
    final: tuple[Mop, ...] = ()
    logical: Mapping[int, int] = field(default_factory=dict)  # physical key → logical key
    steps: Mapping[str, tuple[BoundStep, ...]] = field(default_factory=dict)  # by alias

    @property
    def begun(self) -> tuple[str, ...]:
        """The aliases in the order in which their transactions began."""
        return tuple(alias for alias, what in self.order if what == "begins")

    @property
    def blocked(self) -> tuple[LogEntry, ...]:
        return tuple(entry for entry in self.log if entry.blocked)

    @cached_property
    def judgement_key(self) -> tuple[object, ...]:
        """Equal for attempts that get the same verdict, real-time order aside."""
        ends = sorted((alias, each.type) for alias, each in self.outcomes.items())
        return (tuple(ends), tuple(sorted(self.seen.items())), self.final)

    def diverged(self) -> tuple[str, ...]:
        """Sentences about deviations from the schedule."""
        sentences = []
        for alias, end in self.outcomes.items():
            if end.type != "ok" and end.code != ROLLED_BACK:
                word = "was aborted" if end.type == "fail" else "ended with an unknown outcome"
                sentences.append(f"{alias} {word} at {end.phase} ({end.code})")
        sentences += [
            f"{entry.alias} {named(entry)} was delayed: {entry.alias} was waiting for a lock"
            for entry in self.log
            if entry.held_back
        ]
        open_ = dict.fromkeys(entry.alias for entry in self.log if entry.added)
        sentences += [
            f"the schedule leaves {alias} unfinished: it was completed at the end" for alias in open_
        ]
        return (*sentences, *filter(None, (self.ended, self.refused)))


ROLLED_BACK = "ROLLBACK"  # the code of a transaction that the schedule rolls back


def named(entry: LogEntry) -> str:
    return f"step {entry.step}" if entry.action == "step" else entry.action
