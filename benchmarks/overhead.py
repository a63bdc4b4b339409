"""The share of an iteration outside the database run: the default campaign with many transactions.

    python benchmarks/overhead.py --transactions 20000 --iterations 3 --campaigns 3

Pictures and replays are timed separately: they are for people, and grow with what is drawn.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from txfuzz import run_campaign
from txfuzz.campaign.setup.resolve import InstalledVocabulary
from txfuzz.plugin.loader import load_plugins
from txfuzz.report.iteration import Iteration
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload
from txfuzz.workload.yaml.writer import workload_text

APART = ("pictures", "replay")
HEAD = """\
| iteration | transactions | committed/s | run, s | read | analysis | feedback | outside | pictures, replay |
|---|---|---|---|---|---|---|---|---|"""


def outside(outcome: Iteration) -> float:
    """The share of the iteration, without pictures, that is not the run."""
    counted = {name: seconds for name, seconds in outcome.seconds.items() if name not in APART}
    return 1 - counted["run"] / sum(counted.values())


def row(outcome: Iteration) -> str:
    seconds = outcome.seconds
    assert outcome.execution is not None
    apart = sum(seconds.get(name, 0.0) for name in APART)
    return (
        f"| {outcome.number} | {outcome.result.transactions:,} | {outcome.execution.per_second:,.0f} "
        f"| {seconds['run']:.2f} | {seconds['read']:.2f} | {seconds['analysis']:.2f} "
        f"| {seconds['feedback']:.2f} | {outside(outcome):.1%} | {apart:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workload", default="example")
    parser.add_argument("--transactions", type=int, default=20_000)
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--campaigns", type=int, default=3)
    arguments = parser.parse_args()
    workload = read_workload(workload_path(arguments.workload), InstalledVocabulary(load_plugins()))
    scheduling = replace(workload.scheduling, transactions=arguments.transactions, duration=None)
    shares = []
    print(HEAD)
    for seed in range(arguments.campaigns):
        with tempfile.TemporaryDirectory() as directory:
            asked = Path(directory) / "workload.yaml"
            asked.write_text(workload_text(replace(workload, scheduling=scheduling)))
            result = run_campaign(
                workload=asked,
                iterations=arguments.iterations,
                seed=seed,
                small_scope=False,
                output=Path(directory) / "run",
            )
            for each in result.iterations:
                shares.append(outside(each))
                print(row(each), flush=True)
    print(f"\nOutside the run, in the median: {statistics.median(shares):.1%}; at most {max(shares):.1%}.")


if __name__ == "__main__":
    main()
