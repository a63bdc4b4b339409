"""What the attempts at one schedule came to in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from txfuzz.analysis.result import as_data
from txfuzz.replay.insert_races import insert_races
from txfuzz.replay.judge import Judgement
from txfuzz.replay.stepper.attempt import Attempt, LogEntry
from txfuzz.workload.replay import Missing, Replay


@dataclass(frozen=True)
class ReplayResult:
    """What the attempts at one schedule came to.

    appeared: attempts in which the missing edge arose on the focus key; None where the stanza
    names none. closed: attempts that showed what the stanza is to show. violated: attempts that
    contradict `expect`, be it otherwise. anomalies: in how many attempts each type was found.
    outcomes: by alias, "ok" or the database's code → attempts. diverged: sentences about what went
    otherwise than the schedule says, with the number of attempts. insert_races: sentences about two that
    insert one row at once, which comes of fresh rows, with the number of attempts. log: of one
    attempt, one that closed if any did. committed: transactions, of all attempts. ended: the sentence
    of an attempt that could not go on.
    """

    attempts: int
    closed: int
    expect: str
    isolation: str
    focus_key: int | None = None
    missing: Missing | None = None
    anomaly: str | None = None
    appeared: int | None = None
    violated: int = 0
    anomalies: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    diverged: Mapping[str, int] = field(default_factory=dict)
    insert_races: Mapping[str, int] = field(default_factory=dict)
    log: tuple[LogEntry, ...] = ()
    committed: int = 0
    ended: str = ""

    @property
    def unseen(self) -> bool:
        """Does no statement carry a micro-operation, so that there is nothing to judge by?"""
        return all(entry.mop is None for entry in self.log)

    def to_json(self) -> dict[str, Any]:
        return {name: as_data(getattr(self, name)) for name in self.__dataclass_fields__}


class ReplayResultBuilder:
    """Adds attempts up to a ReplayResult. rows: "fresh" or "inserted", as the workload's keys are."""

    def __init__(self, replay: Replay, expect: str, isolation: str, rows: str) -> None:
        self._replay, self._expect, self._isolation, self._rows = replay, expect, isolation, rows
        self._attempts: list[tuple[Attempt, bool]] = []
        self._appeared = 0
        self._violated = 0
        self._anomalies: Counter[str] = Counter()

    def add(self, attempt: Attempt, judgement: Judgement) -> bool:
        """Did this attempt show what the replay is to show?"""
        appeared = has_appeared(self._replay, judgement)
        closed = has_closed(self._replay, judgement)
        self._appeared += appeared
        self._violated += bool(judgement.types)
        self._anomalies.update(judgement.all_types)
        self._attempts.append((attempt, closed))
        return closed

    def result(self) -> ReplayResult:
        outcomes: dict[str, Counter[str]] = {each.alias: Counter() for each in self._replay.transactions}
        diverged: Counter[str] = Counter()
        races: Counter[str] = Counter()
        for attempt, _ in self._attempts:
            diverged.update(attempt.diverged())
            if self._rows == "fresh":
                races.update(insert_races(attempt))
            for alias, outcome in attempt.outcomes.items():
                outcomes[alias][outcome.code or outcome.type] += 1
        shown = next((each for each, closed in self._attempts if closed), None)
        shown = shown or (self._attempts[0][0] if self._attempts else None)
        return ReplayResult(
            attempts=len(self._attempts),
            closed=sum(closed for _, closed in self._attempts),
            expect=self._expect,
            isolation=self._isolation,
            focus_key=self._replay.focus_key,
            missing=self._replay.missing,
            anomaly=self._replay.anomaly,
            appeared=None if self._replay.missing is None else self._appeared,
            violated=self._violated,
            anomalies=dict(self._anomalies),
            outcomes=outcomes,
            diverged=dict(diverged),
            insert_races=dict(races),
            log=shown.log if shown else (),
            committed=sum(
                outcome.type == "ok" for each, _ in self._attempts for outcome in each.outcomes.values()
            ),
            ended=next((each.ended for each, _ in self._attempts if each.ended), ""),
        )


def has_appeared(replay: Replay, judgement: Judgement) -> bool:
    """Did the missing edge arise, on the focus key where there is one?"""
    missing = replay.missing
    return missing is not None and any(
        edge[:3] == (missing.kind, missing.source, missing.target) and replay.focus_key in (None, edge[3])
        for edge in judgement.edges
    )


def has_closed(replay: Replay, judgement: Judgement) -> bool:
    """Did the attempt show what the stanza is to show?

    With a missing edge: that edge, and an anomaly that the model forbids (the cycle may show itself
    as another one, as a lost update is a read skew, too). Else the anomaly that the stanza names,
    or any that is forbidden.
    """
    if replay.missing is not None:
        return has_appeared(replay, judgement) and bool(judgement.types)
    return replay.anomaly in judgement.all_types if replay.anomaly else bool(judgement.types)
