"""Hermitage by machine: the scenarios of examples/hermitage on every database, at every level.

Each file is built so that a schedule of its transactions fails exactly where its anomaly has happened. So an
anomaly is possible at a level if some schedule fails, and prevented if all were run and none did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from txfuzz.campaign.check.counting import Counting
from txfuzz.check.contract import SqlInvariant
from txfuzz.check.program import programs
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.transaction import GIVES_UP, SqlTransaction
from txfuzz.database.api import Capabilities, Database
from txfuzz.database.isolation_levels import open_database
from txfuzz.database.scenario import HoldsScenarios
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.scenario import Scenario
from txfuzz.workload.yaml.scenario import read_scenario

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "hermitage"


@dataclass(frozen=True)
class Anomaly:
    """column: Hermitage's. files: the scenarios of its kind; writing: those of them in which the transaction
    that sees the anomaly also writes, which Hermitage's R/O sets apart."""

    column: str
    title: str
    files: tuple[str, ...]
    writing: frozenset[str] = frozenset()


ANOMALIES = (
    Anomaly("G0", "Write cycles", ("g0",)),
    Anomaly("G1a", "Aborted reads", ("g1a",)),
    Anomaly("G1b", "Intermediate reads", ("g1b",)),
    Anomaly("G1c", "Circular information flow", ("g1c",)),
    Anomaly("OTV", "Observed transaction vanishes", ("otv",)),
    Anomaly(
        "PMP",
        "Predicate-many-preceders",
        ("pmp", "pmp-write", "pmp-one-write"),
        frozenset({"pmp-write", "pmp-one-write"}),
    ),
    Anomaly("P4", "Lost update", ("p4",)),
    Anomaly(
        "G-single",
        "Read skew",
        ("g-single", "g-single-predicate", "g-single-write"),
        frozenset({"g-single-write"}),
    ),
    Anomaly("G2-item", "Write skew on rows", ("g2-item",)),
    Anomaly("G2", "Write skew on predicates", ("g2", "g2-two-edges")),
)
FILES = tuple(file for anomaly in ANOMALIES for file in anomaly.files)


@dataclass(frozen=True)
class Host:
    """A database with options of its adapter. note: which ones, in words."""

    adapter: str
    options: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


POSTGRES = Host("postgres")
MARIADB = Host("mariadb")
MARIADB_SNAPSHOTS = Host("mariadb", {"innodb_snapshot_isolation": True}, "innodb_snapshot_isolation")
SQLITE = Host("sqlite")
SQLITE_JOURNAL = Host("sqlite", {"mode": "rollback-journal"}, "rollback journal")
SQLITE_SHARED = Host("sqlite", {"mode": "shared-cache"}, "shared cache")
HOSTS = (POSTGRES, MARIADB, MARIADB_SNAPSHOTS, SQLITE, SQLITE_JOURNAL, SQLITE_SHARED)


@dataclass(frozen=True)
class Cell:
    """What the schedules of one scenario came to at one level. waits: some transaction waited for a lock.
    codes: by which the database aborted one. outcomes: that fail, each as differs from the others.
    first: the failing schedule with fewest switches."""

    schedules: int
    failing: int
    waits: bool
    codes: tuple[str, ...]
    complete: bool
    unknown: int
    first: FollowedSchedule | None = None

    @property
    def sure(self) -> bool:
        """Every schedule was run, and could be judged."""
        return self.complete and not self.unknown

    @property
    def told(self) -> str:
        """ "possible", or how it was prevented."""
        if self.failing:
            return "possible"
        if not self.sure:
            return "unknown"
        how = (["waits"] if self.waits else []) + list(self.codes)
        return f"prevented: {', '.join(how)}" if how else "prevented"


@dataclass(frozen=True)
class OpenHost:
    database: Database
    capabilities: Capabilities

    @property
    def product(self) -> str:
        """ "PostgreSQL 18.1"."""
        told = self.database.describe()
        return " ".join(str(told[name]) for name in ("product", "version") if name in told)

    def measure(self, file: str, levels: Sequence[str] = ()) -> dict[str, Cell]:
        """The cells of a scenario; at all levels unless they are named."""
        return dict(self._cells(scenario_named(file), levels or tuple(self.capabilities.isolation)))

    def _cells(self, scenario: Scenario, levels: Sequence[str]) -> Iterator[tuple[str, Cell]]:
        assert isinstance(self.database, HoldsScenarios)
        transactions = [SqlTransaction(each) for each in scenario.transactions]
        names = [each.name for each in transactions]
        [(_, (program,))] = programs(transactions, names, Random(0))
        invariants = [SqlInvariant(each.name, each.sql) for each in scenario.invariants]
        strongest = list(self.capabilities.isolation)[-1]
        with (
            self.database.scenario(scenario.setup) as tables,
            ProgramRunner(tables, invariants, serial_level=strongest) as runner,
        ):
            for level in levels:
                counting = Counting(level, tables.retried, scenario.judge)

                def take(attempt: FollowedSchedule, counting: Counting = counting) -> bool:
                    counting.take(attempt)
                    return True

                result = runner.check(program, level, each=take)
                counts = counting.counts()
                yield (
                    level,
                    Cell(
                        counts.schedules,
                        counts.failing,
                        counts.waited > 0,
                        tuple(sorted({*counts.aborted, *counts.failed} - {GIVES_UP})),
                        result.complete,
                        counts.unknown,
                        counting.simplest,
                    ),
                )


def scenario_named(file: str) -> Scenario:
    return read_scenario(FOLDER / f"{file}.yaml", None)


@contextmanager
def opened(host: Host) -> Iterator[OpenHost]:
    source = load_plugins().find("adapter", host.adapter)
    adapter = source(**host.options)
    with open_database(adapter, None) as database:
        yield OpenHost(database, adapter.capabilities())
