"""Transactions per second of txfuzz, compared with pgbench running the same statements.

    python benchmarks/throughput.py --seconds 3 --rounds 5 --write docs/explanation/throughput.md
    python benchmarks/throughput.py --sustained 600

Both run alternately on one embedded server, with the same number of clients, the same prepared
statements and the same retirement of keys; txfuzz records and writes its history meanwhile. --write
replaces the table in that page.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from page_tables import replaced
from pgbench_side import Pgbench, Ran
from txfuzz.database.api import Database
from txfuzz.execution.run import execute
from txfuzz.execution.summary import Tally
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.model import Scheduling, Weight, Workload
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.statements import ON_CONFLICT

CLIENTS = (4, 10, 20, 50)
KEYS = (1000, 100, 10)
LEVELS = ("read committed", "serializable")


def workload(clients: int, keys: int) -> Workload:
    """Transactions of two to four statements, as in the default campaign."""

    def choice(name: str | None = None) -> Choice:
        return Choice(range(1, keys + 1), name)

    def read(name: str | None = None) -> Step:
        return Step("r", choice(name))

    def append(name: str | None = None) -> Step:
        return Step("append", Ref(name) if name else choice())

    return Workload(
        "throughput",
        (
            Transaction("read_pair", (read(), read())),
            Transaction("read_append", (read("k"), append("k"))),
            Transaction("probe", (read(), read("k"), append("k"))),
            Transaction("append_pair", (append(), append())),
            Transaction("survey", (read(), read(), read(), append())),
        ),
        (
            Weight("read_pair", 3),
            Weight("read_append", 3),
            Weight("probe", 2),
            Weight("append_pair", 1),
            Weight("survey", 1),
        ),
        scheduling=Scheduling(clients=clients, transactions=None, duration=1.0),
    )


def statements(asked: Workload) -> float:
    """Per transaction, on average, with BEGIN and COMMIT."""
    total = sum(each.weight for each in asked.mix)
    return sum((2 + len(asked.transaction(each.txn).steps)) * each.weight for each in asked.mix) / total


@dataclass(frozen=True)
class Cell:
    """One row of the table: the results of both in each round, in the same order."""

    isolation: str
    clients: int
    keys: int
    statements: float
    ours: tuple[Ran, ...]
    pgbench: tuple[Ran, ...]

    @property
    def ratio(self) -> float:
        """The median over the rounds, each of which compares two consecutive runs."""
        pairs = zip(self.ours, self.pgbench, strict=True)
        return statistics.median(per_second(mine) / per_second(other) for mine, other in pairs)

    def row(self) -> str:
        def middle(of: Callable[[Ran], float], rounds: Sequence[Ran]) -> float:
            return statistics.median(map(of, rounds))

        def cpu(ran: Ran) -> float:
            return ran.cpu / (ran.committed + ran.aborted) / self.statements * 1e6

        both = (self.ours, self.pgbench)
        parts = [self.isolation, f"{self.clients}", f"{self.keys:,}"]
        parts += [f"{middle(per_second, rounds):,.0f}" for rounds in both]
        parts += [f"{self.ratio:.2f}"]
        parts += [f"{middle(cpu, rounds):.1f}" for rounds in both]
        parts += [f"{middle(aborted, rounds):.1%}" for rounds in both]
        return f"| {' | '.join(parts)} |"


HEAD = """\
| isolation | clients | keys | txfuzz: committed/s | pgbench | ratio | txfuzz: µs a statement | pgbench \
| txfuzz: aborted | pgbench |
|---|---|---|---|---|---|---|---|---|---|"""


def per_second(ran: Ran) -> float:
    return ran.committed / ran.seconds


def aborted(ran: Ran) -> float:
    return ran.aborted / (ran.committed + ran.aborted)


def ours(asked: Workload, database: Database, isolation: str, history: Path) -> Ran:
    """txfuzz, writing its history to a file. CPU: of the whole process until the clients end."""
    spent = before = time.process_time()

    def watch(*_: object) -> None:
        nonlocal spent
        spent = time.process_time()

    summary = execute(asked, database, history, isolation=isolation, watch=watch)
    return Ran(summary.ok, summary.fail + summary.info, summary.seconds, spent - before)


def pgbench(database: Database, isolation: str) -> Pgbench:
    facts = database.describe()
    host = parse_qs(urlsplit(facts["url"]).query)["host"][0]
    program = Path(facts["server_files"].partition(": ")[2]) / "pgbench"
    return Pgbench(program, host, facts["schema"], isolation)


def measure(database: Database, isolation: str, clients: int, keys: int, seconds: float, rounds: int) -> Cell:
    asked = workload(clients, keys)
    asked = replace(asked, scheduling=replace(asked.scheduling, duration=seconds))
    mine, theirs = [], []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(rounds):
            mine.append(ours(asked, database, isolation, Path(name) / "history.edn"))
            database.prepare(asked.kind, fresh=True)
            theirs.append(pgbench(database, isolation).run(asked, seconds, Path(name)))
    return Cell(isolation, clients, keys, statements(asked), tuple(mine), tuple(theirs))


def table(arguments: argparse.Namespace) -> str:
    rows = []
    cells = []
    print(HEAD, flush=True)
    with PostgresAdapter(append=ON_CONFLICT).open(None) as database:
        for isolation in arguments.isolation:
            for clients in arguments.clients:
                for keys in arguments.keys:
                    cell = measure(database, isolation, clients, keys, arguments.seconds, arguments.rounds)
                    cells.append(cell)
                    rows.append(cell.row())
                    print(rows[-1], flush=True)
    ratios = [cell.ratio for cell in cells]
    last = f"Median ratio over the cells: {statistics.median(ratios):.2f}, minimum {min(ratios):.2f}."
    print(f"\n{last}")
    return "\n".join([HEAD, *rows, "", last])


@dataclass(frozen=True)
class Moment:
    """committed: so far. cpu: seconds of this process so far. memory: bytes."""

    at: float
    committed: int
    cpu: float
    memory: int


def sustained(seconds: float, clients: int, keys: int, isolation: str) -> str:
    """One long run, to see whether speed and memory stay constant."""
    asked = workload(clients, keys)
    asked = replace(asked, scheduling=replace(asked.scheduling, duration=seconds))
    moments: list[Moment] = []

    def watch(_: int, tally: Tally) -> None:
        moments.append(Moment(time.monotonic(), tally.outcomes["ok"], time.process_time(), memory()))

    with tempfile.TemporaryDirectory() as name, PostgresAdapter(append=ON_CONFLICT).open(None) as database:
        history = Path(name) / "history.edn"
        summary = execute(asked, database, history, isolation=isolation, watch=watch)
        size = history.stat().st_size / 1e6
    lines = ["| tenth of the run | committed/s | client µs a transaction | memory, MB |", "|---|---|---|---|"]
    for tenth in range(10):
        of = [each for each in moments if tenth <= 10 * (each.at - moments[0].at) / seconds < tenth + 1]
        committed = of[-1].committed - of[0].committed
        lines.append(
            f"| {tenth + 1} | {committed / (of[-1].at - of[0].at):,.0f} "
            f"| {(of[-1].cpu - of[0].cpu) / committed * 1e6:.1f} | {of[-1].memory / 1e6:.1f} |"
        )
    return "\n".join(lines) + (
        f"\n\n{clients} clients, {keys:,} keys, {isolation}, {seconds:.0f} s: {summary.ok:,} committed, "
        f"a history of {size:,.0f} MB, {summary.final_reads:,} final reads."
    )


def memory() -> int:
    """The memory that this process uses now, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3, help="for each of the two per round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    parser.add_argument("--keys", type=int, nargs="+", default=KEYS)
    parser.add_argument("--isolation", nargs="+", default=LEVELS)
    parser.add_argument(
        "--sustained", type=float, metavar="SECONDS", help="one long run instead of the table"
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="replace the table in this page")
    arguments = parser.parse_args()
    if arguments.sustained:
        name = "sustained"
        text = sustained(arguments.sustained, arguments.clients[0], arguments.keys[0], arguments.isolation[0])
        print(text)
    else:
        name, text = "measured", table(arguments)
    if arguments.write:
        replaced(arguments.write, name, text)


if __name__ == "__main__":
    main()
