"""How many schedules each strategy of `txfuzz hunt` needs until it shows a hole.

    python benchmarks/hunting.py [--seeds 20] [--keep FILE] [--write docs/how-to/hunt.md]
    python benchmarks/hunting.py --on database [--adapter mariadb --isolation "repeatable read"]

In memory, holes are planted in a serializable database, one of each kind, behind forms and layouts of an
adapter that --planted chooses. On a database the first hole that shows counts: on PostgreSQL at SERIALIZABLE
that is the known one. A run that shows nothing counts as one that needs one schedule more than it was given.
Strategies are compared by the Mann–Whitney test (two-sided) and by Â12 (Vargha & Delaney 2000), the chance
that the first one needs fewer. --keep: runs are added to this file, and what it has is not run again.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from scipy.stats import mannwhitneyu

from page_tables import replaced
from txfuzz.campaign.hunt.hunt import hunt
from txfuzz.campaign.hunt.settings import HuntSettings, scope_of
from txfuzz.hunt.guidance.strategies import STRATEGIES, source_named
from txfuzz.hunt.hunt import Budget
from txfuzz.plugin.loader import load_plugins
from txfuzz.testing.hunting.effort import effort
from txfuzz.testing.hunting.holes import Hole, planted

COMPARED = (("guided", "random"), ("guided", "systematic"), ("random", "systematic"))


@dataclass(frozen=True)
class Run:
    """schedules: until the hole showed, None if it did not within `most`."""

    hole: str
    strategy: str
    seed: int
    most: int
    schedules: int | None

    @property
    def needed(self) -> int:
        return self.schedules or self.most + 1


# Of a strategy and a seed: the schedules until a hole showed
Hunts = Callable[[str, int], int | None]


def in_memory(adapter: str, planting: int, most: int) -> Iterator[tuple[str, Hunts]]:
    scope, _ = scope_of(HuntSettings(adapter), load_plugins())
    for number, hole in enumerate(planted(scope, planting), 1):

        def hunts(strategy: str, seed: int, hole: Hole = hole) -> int | None:
            each = HuntSettings(adapter, strategy).interleavings
            came = effort(source_named(strategy, scope, seed), seed, each=each, most=most, hole=hole)
            return came.schedules if came.found is not None else None

        yield f"{planting}.{number} {hole.name}", hunts


def on_database(
    adapter: str, isolation: Sequence[str], url: str | None, most: int
) -> Iterator[tuple[str, Hunts]]:
    def hunts(strategy: str, seed: int) -> int | None:
        settings = HuntSettings(adapter, strategy, isolation=tuple(isolation), seed=seed)
        budget = Budget(schedules=most)
        result = hunt(settings, budget, url=url, on_progress=lambda counts, holes: not holes).result
        return result.holes[0].first if result.holes else None

    yield " ".join((adapter, *isolation)), hunts


def smaller(one: Sequence[float], other: Sequence[float]) -> float:
    """Â12: the chance that a value of the first is smaller; a tie counts half."""
    wins = sum((a < b) + (a == b) / 2 for a in one for b in other)
    return wins / (len(one) * len(other))


def table(runs: Sequence[Run]) -> str:
    strategies = [each for each in STRATEGIES if any(run.strategy == each for run in runs)]
    compared = [pair for pair in COMPARED if set(pair) <= set(strategies)]
    lines = [
        "| hole | "
        + " | ".join([*strategies, *(f"{one} before {other}: Â12 (p)" for one, other in compared)])
        + " |",
        "|---" * (1 + len(strategies) + len(compared)) + "|",
    ]
    medians: dict[str, list[float]] = {each: [] for each in strategies}
    for hole in dict.fromkeys(run.hole for run in runs):
        of = {each: [run for run in runs if (run.hole, run.strategy) == (hole, each)] for each in strategies}
        needed = {each: [run.needed for run in own] for each, own in of.items()}
        for each, numbers in needed.items():
            medians[each].append(median(numbers))
        cells = [
            *(_middle(of[each]) for each in strategies),
            *(_compared(needed[one], needed[other]) for one, other in compared),
        ]
        lines.append(f"| {hole} | {' | '.join(cells)} |")
    if len(next(iter(medians.values()))) > 1:
        means = (f"{math.exp(sum(map(math.log, each)) / len(each)):,.0f}" for each in medians.values())
        lines.append(f"| geometric mean | {' | '.join([*means, *('' for _ in compared)])} |")
    return "\n".join(lines)


def _middle(runs: Sequence[Run]) -> str:
    middle, most = median(run.needed for run in runs), max(run.most for run in runs)
    shown = f"{middle:,.0f}" if middle <= most else f"> {most:,}"
    found = sum(run.schedules is not None for run in runs)
    return shown if found == len(runs) else f"{shown} ({found} of {len(runs)})"


def _compared(one: Sequence[float], other: Sequence[float]) -> str:
    p = 1.0 if len({*one, *other}) == 1 else float(mannwhitneyu(one, other).pvalue)
    return f"{smaller(one, other):.2f} ({'< 0.001' if p < 0.001 else f'{p:.3f}'})"


def kept(path: Path | None) -> list[Run]:
    if path is None or not path.exists():
        return []
    return [Run(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--on", choices=["memory", "database"], default="memory")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--most", type=int, default=1500, help="schedules of one run")
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--adapter", default="postgres", help="whose forms and layouts, and which database")
    parser.add_argument("--planted", type=int, default=[0], nargs="+", help="seeds of the holes in memory")
    parser.add_argument("--isolation", action="append", default=[])
    parser.add_argument("--url")
    parser.add_argument("--keep", type=Path, metavar="FILE")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="replace the table in this page")
    given = parser.parse_args()
    holes = (
        on_database(given.adapter, given.isolation, given.url, given.most)
        if given.on == "database"
        else (each for planting in given.planted for each in in_memory(given.adapter, planting, given.most))
    )
    known = {(run.hole, run.strategy, run.seed, run.most): run for run in kept(given.keep)}
    runs = []
    for hole, hunts in holes:
        for seed in range(given.seeds):
            for strategy in given.strategies.split(","):
                run = known.get((hole, strategy, seed, given.most))
                if run is None:
                    run = Run(hole, strategy, seed, given.most, hunts(strategy, seed))
                    if given.keep is not None:
                        with given.keep.open("a", encoding="utf-8") as file:
                            file.write(json.dumps(asdict(run)) + "\n")
                runs.append(run)
        print(table([run for run in runs if run.hole == hole]).splitlines()[-1], flush=True)
    text = f"{given.seeds} seeds, at most {given.most:,} schedules each:\n\n{table(runs)}"
    print(f"\n{text}")
    if given.write is not None:
        replaced(given.write, f"hunting-{given.on}", text)


if __name__ == "__main__":
    main()
