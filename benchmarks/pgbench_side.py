"""pgbench running the statements of a workload, including the retirement of keys."""

from __future__ import annotations

import os
import re
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

from txfuzz.common.kind import Kind
from txfuzz.database.sql.tables import Tables
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.model import Workload
from txfuzz_postgres.statements import ON_CONFLICT, read_sql, write_sql

NUMBERS = "txfuzz_numbers"
TABLE = Tables(Kind.LIST_APPEND, "", 1).name(0)
_COUNTS = {
    "processed": re.compile(r"number of transactions actually processed: (\d+)"),
    "failed": re.compile(r"number of failed transactions: (\d+)"),
    "tps": re.compile(r"^tps = ([\d.]+)", re.MULTILINE),
}


@dataclass(frozen=True)
class Ran:
    """committed, aborted: transactions. seconds: without connecting. cpu: seconds of the client alone."""

    committed: int
    aborted: int
    seconds: float
    cpu: float


@dataclass(frozen=True)
class Pgbench:
    """The program, and the server and schema that it uses. host: the directory of the socket."""

    program: Path
    host: str
    schema: str
    isolation: str

    def run(self, workload: Workload, seconds: float, directory: Path) -> Ran:
        """Run the mix with so many clients for so long; the tables must exist and be empty."""
        clients = workload.scheduling.clients
        words = [str(self.program), "-h", self.host, "-U", "postgres", "-n", "-M", "prepared", "-j", "1"]
        words += ["-c", str(clients), "-T", str(max(1, round(seconds))), "-D", "n=0", "-D", "upto=0"]
        for weight in workload.mix:
            script = directory / f"{weight.txn}.sql"
            script.write_text(self.script(workload, workload.transaction(weight.txn)))
            words += ["-f", f"{script}@{round(weight.weight)}"]
        self._number_transactions(_block(workload))
        before = _children()
        done = subprocess.run(
            [*words, "postgres"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60 + 5 * seconds,
            env={**os.environ, "PGOPTIONS": f"-c search_path={self.schema}"},
        )
        cpu = _children() - before
        if done.returncode:
            raise SystemExit(f"pgbench failed: {done.stderr.strip()}")
        found = {name: pattern.search(done.stdout) for name, pattern in _COUNTS.items()}
        assert found["processed"]
        assert found["tps"]
        committed = int(found["processed"][1])
        aborted = int(found["failed"][1]) if found["failed"] else 0
        return Ran(committed, aborted, committed / float(found["tps"][1]) if committed else seconds, cpu)

    def _number_transactions(self, block: int) -> None:
        import psycopg

        with psycopg.connect(f"host={self.host} user=postgres dbname=postgres", autocommit=True) as admin:
            name = f"{self.schema}.{NUMBERS}"
            admin.execute(f"DROP SEQUENCE IF EXISTS {name}")
            admin.execute(f"CREATE SEQUENCE {name} MINVALUE 0 INCREMENT BY {block}")

    def script(self, workload: Workload, transaction: Transaction) -> str:
        """One transaction on the keys of its generation.

        Clients of pgbench share nothing, so each draws numbers for its transactions (:n, which persists
        from one script to the next) in blocks from a sequence; the number determines the generation.
        """
        keys, block = len(workload.logical_keys()), _block(workload)
        lines = ["\\set n :n + 1", "\\if :n >= :upto", f"SELECT nextval('{NUMBERS}') AS n \\gset"]
        lines += [f"\\set upto :n + {block}", "\\endif", f"\\set base (:n / {_lives(workload)}) * {keys}"]
        names: dict[str, str] = {}
        for number, step in enumerate(transaction.steps):
            if isinstance(step.key, Choice):
                names[step.key.name or f"_{number}"] = variable = f"k{number}"
                lines.append(f"\\set {variable} :base + random({min(step.key.keys)}, {max(step.key.keys)})")
        lines.append(f"BEGIN ISOLATION LEVEL {self.isolation.upper()}, READ WRITE, NOT DEFERRABLE;")
        for number, step in enumerate(transaction.steps):
            chosen = f"k{number}" if isinstance(step.key, Choice) else _named(step, names)
            lines.append(_statement(step, chosen))
        return "\n".join([*lines, "COMMIT;", ""])


def _lives(workload: Workload) -> int:
    """Transactions until every key has had its share of writes."""
    total = sum(weight.weight for weight in workload.mix)
    writes = sum(workload.transaction(each.txn).writes * each.weight for each in workload.mix) / total
    return round(len(workload.logical_keys()) * workload.keys.writes / writes)


def _block(workload: Workload) -> int:
    """Numbers drawn at once: few enough for clients to be in one generation, or in neighbouring ones."""
    return max(8, _lives(workload) // (4 * workload.scheduling.clients))


def _named(step: Step, names: dict[str, str]) -> str:
    assert isinstance(step.key, Ref)
    return names[step.key.name]


def _statement(step: Step, key: str) -> str:
    """The plugin's own SQL; pgbench, which declares no types, needs that of the value."""
    if step.f == "r":
        sql = read_sql(TABLE, step.lock)
    else:
        (sql,) = write_sql(Kind.LIST_APPEND, TABLE, ON_CONFLICT)
    return sql.replace("$1", f":{key}").replace("$2", ":n::bigint") + ";"


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
