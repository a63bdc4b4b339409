"""What a primary and its standby show: each workload with standbys, in each setting of replication.

python benchmarks/replicas.py --write docs/reference/replicas.md
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from page_tables import replaced
from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.anomalies.durability import durability
from txfuzz.analysis.checker.consistency import model_text
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.database.isolation_levels import open_database
from txfuzz.execution.fault_injector import excuses_of
from txfuzz.execution.run import execute
from txfuzz.execution.summary import injection_counts
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.report.verdict import against
from txfuzz.workload.model import FaultSpec, Scheduling, Workload
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload

SETTINGS = ("asynchronous", "synchronous", "remote_apply")
LAG = FaultSpec("lag-standby", {"seconds": 0.3}, every=1.0)
KILL = FaultSpec("kill-standby", {"down": 0.1}, every=1.0)


@dataclass(frozen=True)
class Row:
    """words: of the table. patient: without statements that change what COMMIT waits for."""

    workload: str
    words: str
    faults: tuple[FaultSpec, ...] | None = None  # None: those of the workload
    patient: bool = False


ROWS = (
    Row("stale_reads", "`stale_reads`"),
    Row("stale_reads", "the same, replay paused (`lag-standby`)", (LAG,)),
    Row("stale_reads", "the same, standby killed (`kill-standby`)", (KILL,)),
    Row("standby_long_fork", "`standby_long_fork`"),
    Row("standby_long_fork", "the same, with both writers waiting alike", patient=True),
    Row("standby_read_only_anomaly", "`standby_read_only_anomaly`"),
    Row("failover", "`failover`"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a run; a failover takes twice as long")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    arguments = parser.parse_args()
    registry = load_plugins()
    server = ""
    lines = ["| workload | against | " + " | ".join(SETTINGS) + " |", "|---|---|---|---|---|"]
    for row in ROWS:
        cells = []
        for setting in SETTINGS:
            server, expect, cell = ran(row, setting, registry, arguments.seed, arguments.seconds)
            print(f"{row.words} · {setting}: {cell}", flush=True)
            cells.append(cell)
        lines.append(f"| {row.words} | {expect} | {' | '.join(cells)} |")
    text = f"Seed {arguments.seed}, {server}:\n\n" + "\n".join(lines)
    print(text)
    if arguments.write:
        replaced(arguments.write, "replicas", text)


def ran(row: Row, setting: str, registry: Registry, seed: int, seconds: float) -> tuple[str, str, str]:
    """The server, what the history was checked against, and what was found."""
    assembled = assemble(workload_of(row, setting, registry, seconds), registry, seed=seed)
    workload = assembled.workload
    with (
        tempfile.TemporaryDirectory(prefix="txfuzz-replicas-") as directory,
        open_database(assembled.adapter, None, workload.scheduling.clients) as database,
    ):
        path = Path(directory) / "history.edn"
        summary = execute(workload, database, path, isolation=assembled.isolation, faults=assembled.faults)
        if summary.failure is not None:
            raise summary.failure
        history = read_history(path)
        result = analyze_history(history, assembled.expect)
        excuses = excuses_of(assembled.faults, database)
        found = database.describe()
    counts = Counter(each.type for each in result.anomalies) + Counter(result.left_out)
    said = ", ".join(f"{name} ×{count:,}" for name, count in sorted(counts.items())) or "nothing"
    faults = "".join(f"; {name} ×{count}" for name, count in injection_counts(summary.faults).items())
    lost = durability(history).lost
    gone = f"; {lost:,} acknowledged transactions gone" if lost else ""
    excused = excuses.keys() & injection_counts(summary.faults).keys()
    promised = None if excused else assembled.promised
    blame = f"; **breaks {promised}**" if against(result, promised) else ""
    cell = f"{said}{gone}{blame} ({summary.ok:,} committed{faults}; promised: {promised or 'nothing'})"
    return f"{found['product']} {found['version']}", model_text(assembled.expect), cell


def workload_of(row: Row, setting: str, registry: Registry, seconds: float) -> Workload:
    path = workload_path(row.workload, None)
    workload = read_workload(path, InstalledVocabulary(registry, path))
    spec = replace(workload.database, options={**workload.database.options, "replication": setting})
    faults = workload.faults if row.faults is None else row.faults
    length = 2 * seconds if workload.faults else seconds
    changed = replace(
        workload,
        database=spec,
        faults=faults,
        scheduling=Scheduling(workload.scheduling.clients, None, length),
    )
    if not row.patient:
        return changed
    plain = tuple(
        replace(each, steps=tuple(step for step in each.steps if step.sql is None))
        for each in changed.transactions
    )
    return replace(changed, transactions=plain)


if __name__ == "__main__":
    main()
