"""What is the feedback worth? The default campaign with and without it, from the same seeds.

    python benchmarks/feedback.py --seeds 20 --write docs/what-feedback-is-worth.md

Every campaign runs on an embedded server of its own and ends in a temporary directory. With --write
the tables in that page are replaced.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from txfuzz import run_campaign
from txfuzz.campaign.outcome import CampaignResult

ANOMALY = "G2-item"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True)
class Loop:
    """One campaign: when the anomaly first showed, and how many transactions had been asked by then."""

    first: int | None
    transactions: int
    found: int


def loop(seed: int, iterations: int, isolation: str | None, *, open_loop: bool) -> Loop:
    with tempfile.TemporaryDirectory() as directory:
        result = run_campaign(
            seed=seed,
            iterations=iterations,
            isolation=isolation,
            open_loop=open_loop,
            expect="serializable",
            output=Path(directory) / "run",
        )
    return measured(result)


def measured(result: CampaignResult) -> Loop:
    first, asked = None, 0
    for each in result.iterations:
        assert each.execution is not None
        asked += each.execution.asked
        if ANOMALY in each.result.anomaly_types:
            first = each.number
            break
    return Loop(first, asked, sum(ANOMALY in each.result.anomaly_types for each in result.iterations))


def show(value: int | None, missing: str) -> str:
    return missing if value is None else str(value)


def table(seeds: Sequence[int], closed: Sequence[Loop], open_: Sequence[Loop]) -> str:
    lines = [
        "| seed | with feedback: first found in iteration | iterations with it "
        "| open loop: first found in iteration | iterations with it |",
        "|---|---|---|---|---|",
    ]
    for seed, mine, other in zip(seeds, closed, open_, strict=True):
        lines.append(
            f"| {seed} | {show(mine.first, '–')} | {mine.found} | {show(other.first, '–')} | {other.found} |"
        )
    return "\n".join(lines)


def summary(iterations: int, closed: Sequence[Loop], open_: Sequence[Loop]) -> str:
    rows = ["| | with feedback | open loop |", "|---|---|---|"]

    def row(words: str, count: object, other: object) -> None:
        rows.append(f"| {words} | {count} | {other} |")

    seeds = len(closed)
    row(
        "nothing in iteration 0",
        f"{sum(each.first != 0 for each in closed)} of {seeds}",
        f"{sum(each.first != 0 for each in open_)} of {seeds}",
    )
    row(
        f"{ANOMALY} by iteration {iterations - 1}",
        f"{sum(each.first is not None for each in closed)} of {seeds}",
        f"{sum(each.first is not None for each in open_)} of {seeds}",
    )
    row(
        f"iterations that show it, of {seeds * iterations}",
        sum(each.found for each in closed),
        sum(each.found for each in open_),
    )
    row("median transactions asked until the iteration that shows it", median(closed), median(open_))
    return "\n".join(rows)


def median(loops: Sequence[Loop]) -> str:
    """Campaigns that found nothing count with what they asked, as a bound."""
    middle = statistics.median(each.transactions for each in loops)
    bound = "more than " if sum(each.first is None for each in loops) * 2 >= len(loops) else ""
    return f"{bound}{middle:,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=4)
    parser.add_argument("--isolation", help="another level than the workload's")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="replace the tables in this page")
    arguments = parser.parse_args()
    seeds = range(1, arguments.seeds + 1)
    closed, open_ = [], []
    for seed in seeds:  # side by side, so that both meet the same machine
        closed.append(loop(seed, arguments.iterations, arguments.isolation, open_loop=False))
        open_.append(loop(seed, arguments.iterations, arguments.isolation, open_loop=True))
        print(f"seed {seed}: with feedback {closed[-1].first}, open loop {open_[-1].first}", flush=True)
    text = f"{summary(arguments.iterations, closed, open_)}\n\n{table(seeds, closed, open_)}"
    print(text)
    if arguments.write:
        page = arguments.write.read_text(encoding="utf-8")
        replaced = re.sub(
            f"{re.escape(BEGIN)}.*?{re.escape(END)}",
            lambda _: f"{BEGIN}\n{text}\n{END}",
            page,
            flags=re.DOTALL,
        )
        arguments.write.write_text(replaced, encoding="utf-8")


if __name__ == "__main__":
    main()
