"""The `replay` stanza: a few transactions and the order of their steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ACTIONS = ("step", "commit", "rollback", "sleep")
EDGES = ("ww", "wr", "rw")


@dataclass(frozen=True, slots=True)
class Participant:
    """One transaction of a replay, in its own session.

    alias: its name in the schedule. txn: the transaction of the workload that it runs. template: the
    transaction that this one was narrowed from, by which equal findings are recognised.
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

    action: step, commit, rollback or sleep. alias: the transaction; may be None for a sleep.
    steps: the number of steps, 0 for all remaining. ms: milliseconds to sleep.
    """

    action: str
    alias: str | None = None
    steps: int = 1
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Missing:
    """The edge between two aliases that a replay is to bring about on the focus key."""

    kind: str
    source: str
    target: str


@dataclass(frozen=True)
class Replay:
    """One interleaving of a few transactions.

    schedule: followed in this order; unfinished transactions are then completed and committed in the order
    of `transactions`. focus_key: the logical key that they are to share. pause_after: alias → the numbers
    of steps after which others take over, ascending; used only without a schedule, otherwise a record of
    it. missing, anomaly: what the replay is expected to show.
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
        """The schedule; without one, all run to their first pause, then all to the second, and so on, and
        finally each to its end, one after the other."""
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
