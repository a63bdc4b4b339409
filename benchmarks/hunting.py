"""How many schedules each strategy of `txfuzz hunt` needs until it shows a hole that is known.

    python benchmarks/hunting.py [--seeds 20] [--most 1500] [--url URL]

Each seed hunts with each strategy in the scope of `txfuzz hunt` without arguments, on the same server. A
run that shows nothing counts as one that needs one schedule more than it was given. Strategies are compared
by the Mann–Whitney test (two-sided, normal approximation with ties) and by Â12 (Vargha & Delaney 2000): the
chance that the first one needs fewer.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from itertools import combinations
from statistics import median

from txfuzz.campaign.hunt.hunt import hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.hunt.guidance.strategies import STRATEGIES
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.result import FoundHole, HuntCounts


def schedules_until_found(strategy: str, seed: int, most: int, url: str | None) -> tuple[int, float]:
    """And the seconds that they took, shrinking included."""

    def until_found(counts: HuntCounts, holes: Sequence[FoundHole]) -> bool:
        return not holes

    report = hunt(
        HuntSettings("postgres", strategy, seed=seed),
        Budget(schedules=most),
        url=url,
        on_progress=until_found,
    )
    counts, holes = report.result.counts, report.result.holes
    return (holes[0].first if holes else most + 1), counts.seconds


def smaller(one: Sequence[float], other: Sequence[float]) -> float:
    """Â12: the chance that a value of the first is smaller; a tie counts half."""
    wins = sum((a < b) + (a == b) / 2 for a in one for b in other)
    return wins / (len(one) * len(other))


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> float:
    """Two-sided p, by the normal approximation with the correction for ties."""
    n, m = len(one), len(other)
    total = n + m
    together = sorted([*one, *other])
    ties = sum(count**3 - count for count in map(together.count, set(together)))
    variance = n * m / 12 * ((total + 1) - ties / (total * (total - 1)))
    if variance == 0:
        return 1.0
    distance = abs(smaller(one, other) * n * m - n * m / 2) - 0.5
    return math.erfc(max(distance, 0.0) / math.sqrt(2 * variance))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--most", type=int, default=1500, help="schedules of one run")
    parser.add_argument("--url")
    given = parser.parse_args()
    needed: dict[str, list[float]] = {strategy: [] for strategy in STRATEGIES}
    for seed in range(given.seeds):
        for strategy in STRATEGIES:
            number, seconds = schedules_until_found(strategy, seed, given.most, given.url)
            needed[strategy].append(number)
            print(f"seed {seed}, {strategy}: {number:,} schedules, {seconds:,.0f} s", flush=True)
    print(f"\n{given.seeds} seeds, {given.most:,} schedules each\n\n| strategy | found | median | all |")
    print("|---|---|---|---|")
    for strategy, numbers in needed.items():
        found = sum(number <= given.most for number in numbers)
        told = ", ".join(f"{number:,}" if number <= given.most else "–" for number in sorted(numbers))
        middle = median(numbers)
        shown = f"{middle:,.0f}" if middle <= given.most else f"> {given.most:,}"
        print(f"| {strategy} | {found} of {given.seeds} | {shown} | {told} |")
    print("\n| compared | Mann–Whitney p | Â12 |\n|---|---|---|")
    for one, other in combinations(STRATEGIES, 2):
        p, chance = mann_whitney(needed[one], needed[other]), smaller(needed[one], needed[other])
        print(f"| {one} before {other} | {p:.3f} | {chance:.2f} |")


if __name__ == "__main__":
    main()
