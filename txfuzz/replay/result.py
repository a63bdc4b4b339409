"""The combined result of the attempts at one schedule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from txfuzz.analysis.result import as_data
from txfuzz.replay.insert_races import insert_races
from txfuzz.replay.judge import Judgement
from txfuzz.replay.stepper.attempt import Attempt, LogEntry
from txfuzz.workload.replay import Missing, Replay


@dataclass(frozen=True)
class ReplayResult:
    """The result of all attempts at one schedule. Numbers count attempts.

    appeared: the missing edge arose on the focus key; None if the stanza names none. closed: it showed
    what the stanza expects. violated: it violates `expect` in any way. anomalies: by type. outcomes: by
    alias and "ok" or the database's error code. diverged: by sentence about a deviation from the schedule.
    insert_races: by sentence about two transactions that insert the same fresh row. log: of one attempt,
    preferably one that closed. committed: transactions in all attempts. ended: why an attempt could not
    continue.
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
        """Is there no micro-operation, and so nothing to judge?"""
        return all(entry.mop is None for entry in self.log)

    def to_json(self) -> dict[str, Any]:
        return {name: as_data(getattr(self, name)) for name in self.__dataclass_fields__}


def replay_result(
    replay: Replay, expect: str, isolation: str, rows: str, attempts: Sequence[tuple[Attempt, Judgement]]
) -> ReplayResult:
    """The attempts, added up. rows: "fresh" or "inserted", as in the keys of the workload."""
    closed = [attempt for attempt, judgement in attempts if has_closed(replay, judgement)]
    shown = next(iter(closed), attempts[0][0] if attempts else None)
    outcomes: dict[str, Counter[str]] = {each.alias: Counter() for each in replay.transactions}
    anomalies: Counter[str] = Counter()
    diverged: Counter[str] = Counter()
    races: Counter[str] = Counter()
    for attempt, judgement in attempts:
        anomalies.update(judgement.all_types)
        diverged.update(attempt.diverged())
        if rows == "fresh":
            races.update(insert_races(attempt))
        for alias, outcome in attempt.outcomes.items():
            outcomes[alias][outcome.code or outcome.type] += 1
    appeared = sum(has_appeared(replay, judgement) for _, judgement in attempts)
    return ReplayResult(
        attempts=len(attempts),
        closed=len(closed),
        expect=expect,
        isolation=isolation,
        focus_key=replay.focus_key,
        missing=replay.missing,
        anomaly=replay.anomaly,
        appeared=None if replay.missing is None else appeared,
        violated=sum(bool(judgement.types) for _, judgement in attempts),
        anomalies=dict(anomalies),
        outcomes=outcomes,
        diverged=dict(diverged),
        insert_races=dict(races),
        log=shown.log if shown else (),
        committed=sum(each.type == "ok" for attempt, _ in attempts for each in attempt.outcomes.values()),
        ended=next((attempt.ended for attempt, _ in attempts if attempt.ended), ""),
    )


def has_appeared(replay: Replay, judgement: Judgement) -> bool:
    """Did the missing edge arise, on the focus key if there is one?"""
    missing = replay.missing
    return missing is not None and any(
        edge[:3] == (missing.kind, missing.source, missing.target) and replay.focus_key in (None, edge[3])
        for edge in judgement.edges
    )


def has_closed(replay: Replay, judgement: Judgement) -> bool:
    """Did the attempt show what the stanza expects?

    With a missing edge: that edge and any anomaly that the model forbids (the cycle may be reported as
    another type: a lost update is also a read skew). Otherwise the anomaly that the stanza names, or any
    forbidden one.
    """
    if replay.missing is not None:
        return has_appeared(replay, judgement) and bool(judgement.types)
    return replay.anomaly in judgement.all_types if replay.anomaly else bool(judgement.types)
