"""Hermitage by machine: the scenarios of examples/hermitage on every database, at every level.

Each file is built so that a schedule of its transactions fails exactly where its anomaly has happened. So an
anomaly is possible at a level if some schedule fails, and prevented if all were run and none did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from txfuzz.campaign.check.counting import Counting
from txfuzz.check.contract import SqlInvariant
from txfuzz.check.program import programs
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.transaction import GIVES_UP, SqlTransaction
from txfuzz.database.api import Database
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
    """A database with options of its adapter. note: the options, in words. levels: empty for all."""

    name: str
    adapter: str
    options: tuple[tuple[str, Any], ...] = ()
    note: str = ""
    levels: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.name} ({self.note})" if self.note else self.name


POSTGRES = Host("PostgreSQL", "postgres")
MARIADB = Host("MariaDB", "mariadb")
MARIADB_SNAPSHOTS = Host(
    "MariaDB",
    "mariadb",
    (("innodb_snapshot_isolation", True),),
    "innodb_snapshot_isolation",
    ("repeatable read",),
)
SQLITE = Host("SQLite", "sqlite", note="write-ahead log")
SQLITE_JOURNAL = Host("SQLite", "sqlite", (("mode", "rollback-journal"),), "rollback journal")
SQLITE_SHARED = Host("SQLite", "sqlite", (("mode", "shared-cache"),), "shared cache")
HOSTS = (POSTGRES, MARIADB, MARIADB_SNAPSHOTS, SQLITE, SQLITE_JOURNAL, SQLITE_SHARED)


@dataclass(frozen=True)
class Cell:
    """What the schedules of one scenario came to at one level. waits: some transaction waited for a lock.
    codes: by which the database aborted one. sure: every schedule was run and could be judged."""

    failing: int
    waits: bool
    codes: tuple[str, ...]
    sure: bool

    @property
    def possible(self) -> bool:
        return self.failing > 0


Cells = Mapping[str, Mapping[str, Cell]]  # file → level → cell
Each = Callable[[FollowedSchedule], None]


@dataclass(frozen=True)
class OpenHost:
    """levels: those that are run."""

    database: Database
    levels: tuple[str, ...]
    strongest: str

    @property
    def product(self) -> str:
        """ "PostgreSQL 18.1"."""
        told = self.database.describe()
        version = str(told["version"]).partition("-")[0]
        return f"{told['product']} {version}"

    def measure(self, file: str, each: Each = lambda _: None) -> dict[str, Cell]:
        """The cells of a scenario, by level. each: is told of every schedule."""
        return dict(self._cells(scenario_named(file), each))

    def _cells(self, scenario: Scenario, each: Each) -> Iterator[tuple[str, Cell]]:
        assert isinstance(self.database, HoldsScenarios)
        transactions = [SqlTransaction(one) for one in scenario.transactions]
        [(_, (program,))] = programs(transactions, [one.name for one in transactions], Random(0))
        invariants = [SqlInvariant(one.name, one.sql) for one in scenario.invariants]
        with (
            self.database.scenario(scenario.setup) as tables,
            ProgramRunner(tables, invariants, serial_level=self.strongest) as runner,
        ):
            for level in self.levels:
                counting = Counting(level, tables, scenario.judge)

                def take(attempt: FollowedSchedule, counting: Counting = counting) -> bool:
                    counting.take(attempt)
                    each(attempt)
                    return True

                complete = runner.check(program, level, each=take).complete
                counts = counting.counts()
                codes = {*counts.aborted, *counts.failed} - {GIVES_UP}
                sure = complete and not counts.unknown
                yield level, Cell(counts.failing, counts.waited > 0, tuple(sorted(codes)), sure)


def scenario_named(file: str) -> Scenario:
    return read_scenario(FOLDER / f"{file}.yaml", None)


@contextmanager
def opened(host: Host) -> Iterator[OpenHost]:
    adapter = load_plugins().find("adapter", host.adapter)(**dict(host.options))
    levels = tuple(adapter.capabilities().isolation)
    with open_database(adapter, None) as database:
        yield OpenHost(database, host.levels or levels, levels[-1])
