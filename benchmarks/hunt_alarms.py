"""Does a hunt raise an alarm where there is nothing to find?

    python benchmarks/hunt_alarms.py [--schedules 1000000] [--minutes 8] [--strategy random] [--sessions 2]

Runs schedules on the serializable database in memory, without a hole, with the forms and layouts of an
adapter. Ends with 1 at the first outcome that is not explained, and shows its program.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import count

from txfuzz.campaign.hunt.settings import HuntSettings, scope_of
from txfuzz.hunt.guidance.strategies import STRATEGIES, source_named
from txfuzz.plugin.loader import load_plugins
from txfuzz.testing.hunting.effort import effort

PORTION = 5_000  # schedules of one seed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--schedules", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--strategy", choices=STRATEGIES, default="random")
    parser.add_argument("--sessions", type=int, default=2)
    parser.add_argument("--adapter", default="postgres")
    parser.add_argument("--seed", type=int, default=0, help="of the first portion")
    given = parser.parse_args()
    settings = HuntSettings(given.adapter, given.strategy, given.sessions)
    scope, _ = scope_of(settings, load_plugins())
    began, processor, done, committed = time.monotonic(), time.process_time(), 0, 0
    for seed in count(given.seed):
        most = min(PORTION, given.schedules - done)
        source = source_named(given.strategy, scope, seed)
        came = effort(source, seed, each=settings.interleavings, most=most)
        done, committed = done + came.schedules, committed + came.committed
        if came.found is not None:
            sys.exit(f"a false alarm after {done:,} schedules, seed {seed}: {came.found.sign()}")
        if done >= given.schedules or time.monotonic() - began > 60 * given.minutes:
            break
    seconds = time.process_time() - processor
    print(
        f"{done:,} schedules, all transactions of {committed:,} committed, no alarm; "
        f"{done / seconds:,.0f} a second of processor time"
    )


if __name__ == "__main__":
    main()
