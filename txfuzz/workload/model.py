"""What to run on a database: transactions, their mix, keys, isolation and scheduling, as values.

A Workload is immutable. The feedback loop makes the next one from it by adjustments
(txfuzz.feedback); its YAML form is read by txfuzz.workload.yaml.reader and written by
txfuzz.workload.yaml.writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from txfuzz.common.key_ranges import Keys, key_union
from txfuzz.common.kind import Kind
from txfuzz.database.endpoints import Endpoint
from txfuzz.transactions.model import Choice, Step, Transaction, kind_of
from txfuzz.workload.allowed_changes import AllowedChanges
from txfuzz.workload.campaign import Campaign
from txfuzz.workload.directed import DirectedSchedule
from txfuzz.workload.replay import Replay


@dataclass(frozen=True, slots=True)
class Weight:
    """How often a transaction runs, relative to the others."""

    txn: str
    weight: float


@dataclass(frozen=True, slots=True)
class PluginSpec:
    """A plugin object by name, with its options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault by name, with its options and its times in seconds since the clients started.

    at: once at each of these times. every: repeatedly, at this interval; times: at most this often.
    One of `at` and `every` is set. when: one of MOMENTS, a moment of a directed schedule for which a fault
    that is due waits: a COMMIT is about to be sent, or a transaction has written and not ended; None for
    none.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    at: tuple[float, ...] = ()
    every: float | None = None
    times: int | None = None
    when: str | None = None


MOMENTS = ("commit", "lock")


@dataclass(frozen=True, slots=True)
class DatabaseSpec:
    """Which adapter, where, and at which isolation level (the database's own word for it).

    endpoints: the places that transactions may go to; those that name none go to the first.
    """

    adapter: str | None = None
    isolation: str | None = None
    url: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    endpoints: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class DatabaseChoice:
    """What replaces a file's `database`. adapter: by name; None leaves it to the file, but where that is
    another one, its level, URL and options are left out, since they are those of another database. url: the
    one that will be used in place of the file's, if that is known."""

    adapter: str | None = None
    url: str | None = field(default=None, repr=False)


AS_IN_FILE = DatabaseChoice()


@dataclass(frozen=True, slots=True)
class ThinkTime:
    """A pause of clients inside their transactions, drawn anew each time.

    least, most: seconds. before: one of PAUSES: each step but the first, each write but a first step,
    or COMMIT.
    """

    most: float
    least: float = 0.0
    before: str = "step"


PAUSES = ("step", "write", "commit")
SENDING = ("batched", "stepped")


@dataclass(frozen=True, slots=True)
class Scheduling:
    """Concurrent clients, and when to stop.

    transactions: stop after this many; duration: or after this many seconds. Exactly one of them is set.
    barrier_every: after this many transactions each, all clients wait for each other, so that the next
    ones start together; 0 for never. think_time: None for no pauses. sending: "batched" lets adapters
    send BEGIN and COMMIT along with a step; "stepped" sends each on its own. directed: at most so many
    further sessions play the workload's directed schedules; one with more transactions is not played.
    """

    clients: int = 8
    transactions: int | None = 2000
    duration: float | None = None
    barrier_every: int = 0
    think_time: ThinkTime | None = None
    sending: str = "batched"
    directed: int = 4


@dataclass(frozen=True, slots=True)
class KeyLife:
    """The lifetime of a generation of a logical key.

    writes: issued writes after which the next generation opens. rows: "fresh" rows are created by the
    first write; "inserted" rows are committed before the generation is used; "deleted" ones are inserted and
    deleted again before that.
    """

    writes: int = 32
    rows: str = "fresh"


@dataclass(frozen=True, slots=True)
class Workload:
    """What to run, on which database, at which rate, and the model that the history is checked against.

    expect: a consistency model in Elle's terms; None for the one that the isolation level promises.
    analyzers, heuristics: None for all installed defaults. strategy: None for the default one.
    replay: an order of steps to follow instead of fuzzing.
    campaign: default settings for campaigns.
    mutate: what feedback may change.
    directed: schedules that sessions of their own play while the clients run.
    """

    name: str
    transactions: tuple[Transaction, ...]
    mix: tuple[Weight, ...]
    about: str = ""
    database: DatabaseSpec = DatabaseSpec()
    expect: str | None = None
    init_schema: bool = True
    seed: int = 0
    scheduling: Scheduling = Scheduling()
    keys: KeyLife = KeyLife()
    analyzers: tuple[PluginSpec, ...] | None = None
    heuristics: tuple[PluginSpec, ...] | None = None
    strategy: PluginSpec | None = None
    faults: tuple[FaultSpec, ...] = ()
    replay: Replay | None = None
    campaign: Campaign | None = None
    mutate: AllowedChanges = field(default_factory=AllowedChanges)
    directed: tuple[DirectedSchedule, ...] = ()

    @property
    def kind(self) -> Kind:
        """rw-register when any step writes a register, list-append otherwise."""
        return kind_of(self.transactions)

    @property
    def own_lists(self) -> bool:
        """Does it write lists with its own SQL, which may replace whole lists?"""
        steps = (step for each in self.transactions for step in each.steps)
        return any(step.sql is not None and step.f == "append" for step in steps)

    @property
    def own_sql(self) -> tuple[str, ...]:
        """The transactions with SQL of its own."""
        return tuple(
            each.name for each in self.transactions if any(step.sql is not None for step in each.steps)
        )

    @property
    def locked(self) -> tuple[str, ...]:
        """The transactions of which every read is one for update."""
        return tuple(
            each.name
            for each in self.transactions
            if any(step.reads for step in each.steps)
            and all(_for_update(step) for step in each.steps if step.reads)
        )

    @property
    def own_tables(self) -> bool:
        """Do its micro-operations act on its own tables?"""
        return any(step.own_table and step.f for each in self.transactions for step in each.steps)

    @property
    def varied(self) -> Mapping[str, Any]:
        """The options of its adapter that feedback may change, with their values."""
        options = self.database.options
        return {name: options[name] for name in self.mutate.varied if name in options}

    def transaction(self, name: str) -> Transaction:
        return next(txn for txn in self.transactions if txn.name == name)

    def logical_keys(self) -> Keys:
        """Every logical key that a transaction may choose, in order; a range if they are contiguous."""
        steps = (step for txn in self.transactions for step in txn.steps)
        return key_union(key.keys for step in steps for key in step.key_terms() if isinstance(key, Choice))


def _for_update(read: Step) -> bool:
    return read.lock == "update" or "for update" in " ".join((read.sql or "").lower().split())
