"""How many schedules a second are followed: without threads, in threads, and by PostgreSQL's isolationtester.

    python benchmarks/following.py [--programs 60] [--each 8] [--seed 1] [--tester PATH]

The programs are those of `txfuzz hunt`, on one embedded server. Of each program the same interleavings are
followed in every way, one way right after the other, so that whatever else the machine does weighs on all of
them: rows are restored, transactions run, and the rows in the end are read. isolationtester is given the
interleavings as they came to be followed, since it cannot skip a step of a session that waits; its time
includes its start, once for each program. It judges nothing. The last line has serial orders and judging.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

from txfuzz.campaign.hunt.opening import OpenedHunt, opened_hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.check.attempt import Attempts
from txfuzz.check.scheduling.trace import Trace
from txfuzz.check.serial.outcome import Ending, ProgramOutcome
from txfuzz.check.transaction import CommitPoint, StatementPoint
from txfuzz.hunt.form import RowState, filled
from txfuzz.hunt.generate import RandomSource
from txfuzz.hunt.program import SmallProgram, as_check, in_sql
from txfuzz.hunt.schedules.interleavings import Interleavings

THREADS, WITHOUT, TESTER, JUDGED = "in threads", "without threads", "isolationtester", "judged"
TESTERS = "/usr/lib/postgresql/*/lib/pgxs/src/test/isolation/isolationtester"
SECONDS = 60
Followed = list[tuple[Trace, ProgramOutcome]]


@dataclass
class Times:
    """Of each way: seconds for all schedules, and for one schedule of each program."""

    schedules: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    of_programs: dict[str, list[float]] = field(default_factory=dict)

    def add(self, way: str, seconds: float, schedules: int) -> None:
        self.seconds[way] = self.seconds.get(way, 0.0) + seconds
        self.of_programs.setdefault(way, []).append(seconds / schedules)


def steps(trace: Trace, outcome: ProgramOutcome) -> Iterator[str]:
    """The permutation, with a ROLLBACK behind what has failed."""
    for each in trace.steps:
        match each.chosen.what:
            case StatementPoint(step=step):
                yield f"{each.chosen.actor}_{step}"
            case CommitPoint():
                yield f"{each.chosen.actor}_commit"
        for label in each.ended:
            if outcome.transactions[label].ending is Ending.ABORTED:
                yield f"{label}_rollback"
    yield from ("after_read",)


def spec(program: SmallProgram, level: str, followed: Followed) -> str | None:
    """None where a statement has braces, or tables have more rows than those of the keys."""
    places = program.layout.places(len(program.states))
    tables = list(dict.fromkeys(place.table for place in places))
    transactions = in_sql(program)
    if any(set("{}") & set(str(step.sql)) for each in transactions for step in each.steps):
        return None
    rows = [
        filled(program.layout.row, {"table": place.table, "key": place.number, "value": 0})
        for place, state in zip(places, program.states, strict=True)
        if state is RowState.PRESENT
    ]
    emptied = [f"DELETE FROM {table}" for table in reversed(tables)]
    lines = ["setup { " + "; ".join([*emptied, *rows]) + "; }"]
    for each in transactions:
        lines += [f"session {each.name}", f"setup {{ BEGIN ISOLATION LEVEL {level.upper()}; }}"]
        lines += [f"step {each.name}_{number} {{ {step.sql}; }}" for number, step in enumerate(each.steps)]
        lines += [f"step {each.name}_commit {{ COMMIT; }}", f"step {each.name}_rollback {{ ROLLBACK; }}"]
    reads = "; ".join(f"SELECT * FROM {table}" for table in tables)
    lines += ["session after", f"step after_read {{ {reads}; }}"]
    lines += [f"permutation {' '.join(steps(*each))}" for each in followed]
    return "\n".join(lines) + "\n"


def tested(tester: Path, url: str, text: str) -> float:
    """Seconds."""
    with tempfile.TemporaryFile("w+") as file:
        file.write(text)
        file.seek(0)
        began = time.perf_counter()
        ran = subprocess.run(
            [str(tester), url], stdin=file, capture_output=True, timeout=SECONDS, check=False
        )
    if ran.returncode:
        raise SystemExit(f"isolationtester: {ran.stderr.decode()[-300:]}\n{text}")
    return time.perf_counter() - began


class Comparison:
    def __init__(self, opened: OpenedHunt, each: int, tester: Path | None, stack: ExitStack) -> None:
        self._opened, self._each, self._tester, self._stack = opened, each, tester, stack
        self._attempts: dict[object, dict[str, Attempts]] = {}
        self._level = list(opened.quarry.levels)[-1]
        self.times, self.tested = Times(), Times()

    def program(self, program: SmallProgram, random: Random) -> None:
        tables = self._opened.tables.opened(program.layout, program.states)
        checked, labels = as_check(program), program.labels
        calls = checked.bound(self._level)
        schedules = [[labels[at] for at in each] for each in Interleavings(program).all(random, self._each)]
        if tables not in self._attempts:
            self._attempts[tables] = {
                way: self._stack.enter_context(Attempts(tables.tables, 5.0, threads=way == THREADS))
                for way in (THREADS, WITHOUT)
            }
        followed: Followed = []
        ways = list(self._attempts[tables].items())
        random.shuffle(ways)
        for way, attempts in ways:
            attempts.follow(calls, schedules[0])  # whatever is done once is done now
            began = time.perf_counter()
            followed = [attempts.follow(calls, each) for each in schedules]
            self.times.add(way, time.perf_counter() - began, len(schedules))
        self.times.schedules += len(schedules)
        runner = tables.runner()
        began = time.perf_counter()
        for each in schedules:
            runner.follow(checked, self._level, each)
        self.times.add(JUDGED, time.perf_counter() - began, len(schedules))
        text = spec(program, self._level, followed)
        if self._tester is not None and text is not None and not program.layout.settings:
            url = tables.tables.url().replace("postgresql+psycopg://", "postgresql://")
            seconds = tested(self._tester, url, text)
            self.tested.schedules += len(schedules)
            self.tested.add(TESTER, seconds, len(schedules))
            self.tested.add(WITHOUT, self.times.of_programs[WITHOUT][-1] * len(schedules), len(schedules))


def shown(times: Times, ways: Sequence[str]) -> None:
    for way in ways:
        rate, middle = times.schedules / times.seconds[way], median(times.of_programs[way])
        print(f"{way}: {rate:,.0f} schedules a second; median of programs {middle * 1e3:.2f} ms each")


def ratio(times: Times, slow: str, fast: str) -> str:
    of_programs = zip(times.of_programs[slow], times.of_programs[fast], strict=True)
    middle = median(one / other for one, other in of_programs)
    return f"{times.seconds[slow] / times.seconds[fast]:.1f} (median of programs {middle:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--programs", type=int, default=60)
    parser.add_argument("--each", type=int, default=8, help="interleavings of a program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tester", type=Path, help=f"isolationtester; else the first of {TESTERS}")
    given = parser.parse_args()
    tester = given.tester or next(iter(sorted(Path("/").glob(TESTERS.lstrip("/")))), None)
    with opened_hunt(HuntSettings("postgres"), None, ()) as opened, ExitStack() as stack:
        source = RandomSource(opened.scope, given.seed)
        comparison = Comparison(opened, given.each, tester, stack)
        number = done = 0
        while done < given.programs:
            program = source.program(number)
            if program is not None:
                comparison.program(program, Random(f"{given.seed} {number}"))
                done += 1
            number += 1
    times, load = comparison.times, os.getloadavg()[0]
    print(f"{times.schedules:,} schedules of {given.programs} programs, load of the machine {load:.1f}\n")
    shown(times, (THREADS, WITHOUT, JUDGED))
    print(f"in threads it takes longer by {ratio(times, THREADS, WITHOUT)}")
    if tester is None:
        print("isolationtester is not installed (Debian: postgresql-server-dev-15), so it was not compared.")
    elif comparison.tested.schedules:
        print(f"\nOf these, {comparison.tested.schedules:,} can be written as specs of isolationtester:")
        shown(comparison.tested, (TESTER, WITHOUT))
        print(f"isolationtester takes longer by {ratio(comparison.tested, TESTER, WITHOUT)}")


if __name__ == "__main__":
    main()
