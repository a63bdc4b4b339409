"""How many near-cycles and anomalies of the shipped workloads replay can show.

    python benchmarks/replay.py --seeds 3 --write docs/how-to/replay.md

Everything runs on one embedded server. --write replaces the tables in that page.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from page_tables import replaced
from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.checker.consistency import canonical, prohibited
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.database.api import Database
from txfuzz.execution.run import execute
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.replay.explore import explore
from txfuzz.replay.near_cycle_replay import ReplayTarget, replay_target
from txfuzz.replay.replayer import Replayer
from txfuzz.replay.schedule.derive import derive_anomaly, derive_near_cycle
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload

EXPECT = "serializable"
CASES = (
    ("lost_update", "read committed"),
    ("read_skew", "read committed"),
    ("long_fork", "read committed"),
    ("hot_keys", "read committed"),
    ("registers", "read committed"),
    ("write_skew", "repeatable read"),
    ("read_only_anomaly", "repeatable read"),
    ("hot_keys", "repeatable read"),
    ("registers", "repeatable read"),
    ("example", "repeatable read"),
    ("write_skew", "serializable"),
    ("hot_keys", "serializable"),
    ("registers", "serializable"),
)
EXPLORED = (
    ("lost_update", "read_append,read_append"),
    ("write_skew", "read_both_append_first,read_both_append_second"),
    ("read_only_anomaly", "deposit,withdraw,audit"),
)


@dataclass
class Counts:
    """Near-cycles of one workload at one level. out_of_keys: its choices of keys cannot give all
    dependencies at once; out_of_order: no order of the steps can, says the model of the database."""

    forbidden: int = 0
    forbidden_tries: int = 0
    forbidden_closed: int = 0
    out_of_keys: int = 0
    out_of_order: int = 0
    out_of_order_closed: int = 0
    able: int = 0
    first: int = 0
    within_ten: int = 0
    anomalies: Counter[tuple[str, int]] = field(default_factory=Counter)


def measure(
    database: Database, name: str, isolation: str, seed: int, directory: Path, counts: Counts
) -> None:
    registry = load_plugins()
    workload = read_workload(workload_path(name), InstalledVocabulary(registry))
    assembled = assemble(workload, registry, isolation=isolation, expect=EXPECT, seed=seed)
    path = directory / "history.edn"
    execute(assembled.workload, database, path, isolation=isolation, fresh=False)
    history = read_history(path)
    result = analyze_history(history, EXPECT, max_near_cycles=20)
    against = prohibited(canonical(assembled.promised))
    with Replayer(database, workload.kind, isolation) as player:
        for near in result.near_cycles:
            derived = derive_near_cycle(near, history, assembled.workload, assembled.promised)
            tried = replay_target(
                player, ReplayTarget("near-cycle", near.anomaly, derived), EXPECT, attempts=1
            )
            if near.anomaly in against:
                counts.forbidden += 1
                counts.forbidden_tries += tried.schedules
                counts.forbidden_closed += tried.closed
            elif not derived.candidates:
                counts.out_of_keys += 1
            elif not derived.fits:
                counts.out_of_order += 1
                counts.out_of_order_closed += tried.closed
            else:
                counts.able += 1
                counts.first += tried.closed and tried.schedules == 1
                counts.within_ten += tried.closed
        for type in result.anomaly_types:
            anomaly = next((each for each in result.anomalies if each.type == type), None)
            if anomaly is not None:
                derived = derive_anomaly(anomaly, history, assembled.workload, assembled.promised)
                tried = replay_target(player, ReplayTarget("anomaly", type, derived), EXPECT)
                counts.anomalies[type, tried.result.closed if tried.result else 0] += 1


def near_cycle_table(found: dict[tuple[str, str], Counts]) -> list[str]:
    lines = [
        "| workload | level | within the level and possible | closed at the first try | within ten "
        "| not possible (keys, order) | of these closed | forbidden by the level | of these closed |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    total = Counts()
    for (name, isolation), each in found.items():
        lines.append(_row(name, isolation, each))
        for part in vars(total):
            if part != "anomalies":
                setattr(total, part, getattr(total, part) + getattr(each, part))
    return [*lines, _row("**all**", "", total)]


def _row(name: str, isolation: str, each: Counts) -> str:
    def share(count: int) -> str:
        return f"{count} ({100 * count / each.able:.3g}%)" if each.able else "–"

    return (
        f"| {name} | {isolation.upper()} | {each.able} | {share(each.first)} | {share(each.within_ten)} "
        f"| {each.out_of_keys}, {each.out_of_order} | {each.out_of_order_closed} "
        f"| {each.forbidden} in {each.forbidden_tries} tries | {each.forbidden_closed} |"
    )


def anomaly_table(found: dict[tuple[str, str], Counts]) -> list[str]:
    lines = ["| workload | level | anomaly | replayed, of ten attempts |", "|---|---|---|---|"]
    for (name, isolation), each in found.items():
        for type in sorted({type for type, _ in each.anomalies}):
            rates = ", ".join(
                f"{closed}{f' ({count}×)' if count > 1 else ''}"
                for (other, closed), count in sorted(each.anomalies.items())
                if other == type
            )
            lines.append(f"| {name} | {isolation.upper()} | {type} | {rates} |")
    return lines


def explored(database: Database) -> list[str]:
    lines = [
        "| transactions | orders | different | schedules a second |",
        "|---|---|---|---|",
    ]
    registry = load_plugins()
    for name, transactions in EXPLORED:
        workload = read_workload(workload_path(name), InstalledVocabulary(registry))
        assembled = assemble(workload, registry, expect=EXPECT)
        levels = assembled.adapter.capabilities().isolation
        names = transactions.split(",")
        explore(assembled.workload, names, database, levels, EXPECT)  # to warm up
        started = time.perf_counter()
        result = explore(assembled.workload, names, database, levels, EXPECT)
        seconds = time.perf_counter() - started
        run = sum(level.schedules for level in result.levels)
        lines.append(
            f"| {', '.join(names)} | {result.orders:,} | {result.distinct:,} | {run / seconds:,.0f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    found: dict[tuple[str, str], Counts] = {}
    registry = load_plugins()
    with (
        tempfile.TemporaryDirectory() as directory,
        registry.find("adapter", "postgres")().open(None) as database,
    ):
        for name, isolation in CASES:
            counts = found[name, isolation] = Counts()
            for seed in range(1, arguments.seeds + 1):
                measure(database, name, isolation, seed, Path(directory), counts)
        speed = explored(database)
    text = "\n".join([*near_cycle_table(found), "", *anomaly_table(found), "", *speed])
    print(text)
    if arguments.write is not None:
        replaced(arguments.write, "measured", text)


if __name__ == "__main__":
    main()
