"""The `replay` stanza: which transactions, and the order in which their steps are issued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ACTIONS = ("step", "commit", "rollback", "sleep")
EDGES = ("ww", "wr", "rw")


@dataclass(frozen=True, slots=True)
class Participant:
    """One transaction of a replay, on a session of its own.

    alias: what the schedule calls it. txn: the transaction of the workload that it runs.
    template: what that transaction was narrowed from; by it findings know each other.
    """

    alias: str
    txn: str
    template: str | None = None

    @property
    def origin(self) -> str:
        return self.template or self.txn


@dataclass(frozen=True, slots=True)
class Action:
    """One entry of a schedule.

    action: step, commit, rollback or sleep. alias: who acts; None for a sleep of nobody's.
    steps: how many steps; 0 for all that are left, or up to the pause. ms: how long to sleep.
    """

    action: str
    alias: str | None = None
    steps: int = 1
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Missing:
    """The edge that a replay is to bring about, on the focus key: from one alias to another."""

    kind: str
    source: str
    target: str


@dataclass(frozen=True)
class Replay:
    """One interleaving of a few transactions.

    schedule: followed in this order; what it leaves open is finished and committed afterwards, in
    the order of the transactions. focus_key: the logical key on which they are to meet.
    pause_after: alias → after how many steps its first `steps: 0` ends. missing, anomaly: what the
    replay is to show, by which it is judged.
    """

    transactions: tuple[Participant, ...]
    schedule: tuple[Action, ...] = ()
    enabled: bool = True
    focus_key: int | None = None
    pause_after: Mapping[str, int] = field(default_factory=dict)
    missing: Missing | None = None
    anomaly: str | None = None

    def txn(self, alias: str) -> str:
        return next(each.txn for each in self.transactions if each.alias == alias)

    def actions(self) -> tuple[Action, ...]:
        """The schedule; without one, everybody runs to its pause, then to its end, one after the other."""
        if self.schedule:
            return self.schedule
        drains = tuple(Action("step", each.alias, 0) for each in self.transactions)
        first = tuple(each for each in drains if each.alias in self.pause_after)
        ends = (
            act for each in drains for act in (Action("step", each.alias, 0), Action("commit", each.alias))
        )
        return (*first, *ends)
