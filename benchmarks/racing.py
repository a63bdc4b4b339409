"""How long does it take race mode to show a hole?

    python benchmarks/racing.py [--seeds 10] [--seconds 300] [--known commit-window]
        [--write docs/how-to/hunt.md]

One hunt by races after the other, each with a seed of its own and ended by the first hole of this name, on
the embedded PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from page_tables import replaced
from txfuzz.campaign.hunt.race import RaceReport, race
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.race.result import RaceCounts, RacedHole


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--known", default="commit-window")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    given = parser.parse_args()
    loads, reports = [], []
    for seed in range(given.seeds):
        reports.append(_raced(seed, given.seconds, given.known))
        loads.append(os.getloadavg()[0])
        print(_row(seed, reports[-1], loads[-1], given.known), flush=True)
    table = "\n".join(_table(reports, loads, given.seconds, given.known))
    print(table)
    if given.write:
        replaced(given.write, "racing", table)


def _raced(seed: int, seconds: float, name: str) -> RaceReport:
    def goes_on(counts: RaceCounts, holes: Sequence[RacedHole]) -> bool:
        return all(each.hole.name != name for each in holes)

    return race(HuntSettings("postgres", seed=seed), Budget(seconds=seconds), on_progress=goes_on)


def _table(reports: Sequence[RaceReport], loads: Sequence[float], seconds: float, name: str) -> Iterator[str]:
    found = sorted(each.seconds for report in reports for each in _of(report, name))
    rounds = sum(report.result.counts.rounds for report in reports)
    spent = sum(report.result.counts.seconds for report in reports)
    control = sum(report.result.counts.control_rounds for report in reports)
    wrong = sum(report.result.counts.control_hits for report in reports)
    yield (
        f"{reports[0].server}: {len(found)} of {len(reports)} seeds showed it within {seconds:,.0f} s each; "
        f"{rounds / spent:,.0f} rounds a second, of {control:,} rounds of the control {wrong:,} went wrong. "
        f"{os.cpu_count()} processors, at which {min(loads):.1f} to {max(loads):.1f} processes were waiting "
        "or running (load average)."
    )
    yield ""
    yield "| seed | first shown after | rounds until then | rounds a second | shown again | how | control |"
    yield "|---|---|---|---|---|---|---|"
    for seed, (report, load) in enumerate(zip(reports, loads, strict=True)):
        yield _row(seed, report, load, name)


def _row(seed: int, report: RaceReport, load: float, name: str) -> str:
    counts = report.result.counts
    rate = f"{counts.rounds / counts.seconds:,.0f} (load {load:.1f})"
    for each in _of(report, name):
        again = f"{each.hole.shown} of {each.hole.tries:,}"
        control = f"{each.control} of {each.control_rounds}"
        cells = f"{each.seconds:,.1f} s", f"{each.hole.first:,}", rate, again, each.placed, control
        return f"| {seed} | {' | '.join(cells)} |"
    return f"| {seed} | not in {counts.seconds:,.0f} s | {counts.rounds:,} | {rate} | | | |"


def _of(report: RaceReport, name: str) -> list[RacedHole]:
    return [each for each in report.result.holes if each.hole.name == name]


if __name__ == "__main__":
    main()
