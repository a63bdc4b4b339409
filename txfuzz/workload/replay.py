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
    pause_after: alias → after how many of its steps others go on, in ascending order. Beside a
    schedule it is a record of that schedule; without one it is all there is to go by. missing,
    anomaly: what the replay is to show, by which it is judged.
    """

    transactions: tuple[Participant, ...]
    schedule: tuple[Action, ...] = ()
    enabled: bool = True
    focus_key: int | None = None
    pause_after: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    missing: Missing | None = None
    anomaly: str | None = None

    def txn(self, alias: str) -> str:
        return next(each.txn for each in self.transactions if each.alias == alias)

    def actions(self) -> tuple[Action, ...]:
        """The schedule; without one, everybody runs to its first pause, then everybody to its second
        one, and so on, and at last each to its end, one after the other."""
        if self.schedule:
            return self.schedule
        done = dict.fromkeys((each.alias for each in self.transactions), 0)
        found: list[Action] = []
        for turn in range(max(map(len, self.pause_after.values()), default=0)):
            for alias in done:
                pauses = self.pause_after.get(alias, ())[turn : turn + 1]
                for until in pauses:
                    if until > done[alias]:
                        found.append(Action("step", alias, until - done[alias]))
                        done[alias] = until
        for alias in done:
            found += (Action("step", alias, 0), Action("commit", alias))
        return tuple(found)
