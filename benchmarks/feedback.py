"""What the feedback is worth: the default campaign with and without it, from the same seeds.

    python benchmarks/feedback.py --seeds 20 --write docs/what-feedback-is-worth.md
    python benchmarks/feedback.py --seeds 20 --until 100 --write docs/what-feedback-is-worth.md

Every campaign runs on its own embedded server, in a temporary directory. --write replaces the tables in
that page. With --until both continue until they find something.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from page_tables import replaced
from txfuzz import run_campaign
from txfuzz.report.campaign_result import CampaignResult

ANOMALY = "G2-item"


@dataclass(frozen=True)
class Loop:
    """One campaign: when the anomaly first showed, and how many transactions had run by then."""

    first: int | None
    transactions: int
    found: int


def loop(
    seed: int, iterations: int, isolation: str | None, *, open_loop: bool, until_found: bool = False
) -> Loop:
    with tempfile.TemporaryDirectory() as directory:
        result = run_campaign(
            seed=seed,
            iterations=iterations,
            isolation=isolation,
            open_loop=open_loop,
            small_scope=False,
            stop_on_finding=until_found,
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
    row("median transactions until the iteration that shows it", median(closed), median(open_))
    return "\n".join(rows)


def median(loops: Sequence[Loop]) -> str:
    """Campaigns that found nothing count with all their transactions, as a bound."""
    middle = statistics.median(each.transactions for each in loops)
    bound = "more than " if sum(each.first is None for each in loops) * 2 >= len(loops) else ""
    return f"{bound}{middle:,.0f}"


def until_found(seeds: Sequence[int], iterations: int, isolation: str | None) -> str:
    """Transactions until the first finding, which ends a campaign."""
    rows = ["| seed | with feedback | open loop | open loop, seconds |", "|---|---|---|---|"]
    asked: tuple[list[int], list[int]] = [], []
    missed = 0
    for seed in seeds:
        mine = loop(seed, iterations, isolation, open_loop=False, until_found=True)
        begun = time.monotonic()
        other = loop(seed, iterations, isolation, open_loop=True, until_found=True)
        asked[0].append(mine.transactions)
        asked[1].append(other.transactions)
        missed += other.first is None
        found = f"{other.transactions:,}" if other.first is not None else f"none in {other.transactions:,}"
        rows.append(f"| {seed} | {mine.transactions:,} | {found} | {time.monotonic() - begun:.0f} |")
        print(rows[-1], flush=True)
    bound = "more than " if 2 * missed >= len(seeds) else ""
    mine_, other_ = (statistics.median(each) for each in asked)
    last = (
        f"In the median {mine_:,.0f} with feedback and {bound}{other_:,.0f} without, "
        f"which is {bound}{other_ / mine_:.0f} times as many."
    )
    return "\n".join([*rows, "", last])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=4)
    parser.add_argument(
        "--until", type=int, metavar="ITERATIONS", help="continue to the first finding, at most this long"
    )
    parser.add_argument("--isolation", help="instead of the workload's level")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="replace the tables in this page")
    arguments = parser.parse_args()
    seeds = range(1, arguments.seeds + 1)
    if arguments.until:
        text = until_found(seeds, arguments.until, arguments.isolation)
        print(text)
        if arguments.write:
            replaced(arguments.write, "until", text)
        return
    closed, open_ = [], []
    for seed in seeds:  # side by side, so that both meet the same machine
        closed.append(loop(seed, arguments.iterations, arguments.isolation, open_loop=False))
        open_.append(loop(seed, arguments.iterations, arguments.isolation, open_loop=True))
        print(f"seed {seed}: with feedback {closed[-1].first}, open loop {open_[-1].first}", flush=True)
    text = f"{summary(arguments.iterations, closed, open_)}\n\n{table(seeds, closed, open_)}"
    print(text)
    if arguments.write:
        replaced(arguments.write, "measured", text)


if __name__ == "__main__":
    main()
