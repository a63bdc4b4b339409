"""How fast `check` follows and judges schedules, and how soon it finds a double booking.

    python benchmarks/check.py --seconds 5 --write docs/explanation/speed.md

On every installed database that holds scenarios. frontrun (an extra for development) runs the same
statements by psycopg, on the same server, right after; without it its columns are left out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from page_tables import replaced
from txfuzz.check.program import Program, programs
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.transaction import SqlTransaction
from txfuzz.database.scenario import HoldsScenarios, ScenarioTables
from txfuzz.plugin.loader import load_plugins
from txfuzz.transactions.model import Param, Step, StepCondition, Transaction

ADAPTERS = ("postgres", "mariadb", "sqlite")
SETUP = (
    "CREATE TABLE seats (seat int PRIMARY KEY, booked_by varchar(20))",
    "INSERT INTO seats VALUES (1, NULL)",
    "CREATE TABLE log (who varchar(20))",
)
WHO = (("who", Param("who")),)
LOOK = Step(None, sql="SELECT booked_by FROM seats WHERE seat = 1", returns=(("holder", "booked_by"),))
TAKE = Step(
    None,
    sql="UPDATE seats SET booked_by = :who WHERE seat = 1",
    args=WHO,
    when=(StepCondition("holder", "eq", None),),
)
ALWAYS = Step(None, sql="UPDATE seats SET booked_by = :who WHERE seat = 1", args=WHO)
NOTE = Step(None, sql="INSERT INTO log VALUES (:who)", args=WHO)
PARAMS = (("who", ("ann", "bob")),)
BOOK = Transaction("book", (LOOK, TAKE), params=PARAMS)
THREE = Transaction("book and note", (LOOK, ALWAYS, NOTE), params=PARAMS)
OTHER = Path(__file__).with_name("check_frontrun.py")


def first_program(transaction: Transaction) -> Program:
    [(_, (program, *_))] = programs((SqlTransaction(transaction),), (), Random(1))
    return program


@dataclass(frozen=True)
class Speed:
    """schedules: of two transactions of three statements. wall: seconds of one check, the median."""

    database: str
    isolation: str
    schedules: int
    failed: int
    wall: float


def speeds(name: str, tables: ScenarioTables, levels: list[str], seconds: float) -> Iterator[Speed]:
    program = first_program(THREE)
    with ProgramRunner(tables, serial_level=levels[-1]) as runner:
        for level in levels:
            runner.check(program, level)  # to warm up
            walls, until = [], time.perf_counter() + seconds
            while time.perf_counter() < until:
                started = time.perf_counter()
                result = runner.check(program, level)
                walls.append(time.perf_counter() - started)
            yield Speed(name, level, result.schedules, result.failed, statistics.median(walls))


@dataclass(frozen=True)
class Booking:
    """Two who book one seat. first: the schedule that first double-booked it, from 1, and `seconds` after
    the database was up; wall: of all schedules."""

    isolation: str
    answer: str
    first: int | None
    seconds: float
    wall: float


def booking(database: HoldsScenarios, level: str, serial: str) -> Booking:
    started = time.perf_counter()
    found: list[tuple[int, float]] = []
    followed = [0]

    def take(attempt: FollowedSchedule) -> bool:
        followed[0] += 1
        if attempt.fails and not found:
            found.append((followed[0], time.perf_counter() - started))
        return True

    with database.scenario(SETUP) as tables, ProgramRunner(tables, serial_level=serial) as runner:
        result = runner.check(first_program(BOOK), level, each=take)
        wall = time.perf_counter() - started
    answer = f"{result.failed} of {result.schedules}" if result.failed else f"safe in {result.schedules}"
    answer = answer if result.complete and not result.unknown else f"inconclusive: {result.reason}"
    first, seconds = found[0] if found else (None, wall)
    return Booking(level, answer, first, seconds, wall)


def beside(url: str, level: str) -> Booking | None:
    """The same by frontrun; None where it is not installed."""
    launcher = shutil.which("frontrun", path=str(Path(sys.executable).parent))
    if launcher is None:
        return None
    ran = subprocess.run(
        [launcher, sys.executable, str(OTHER), url, level], capture_output=True, text=True, check=False
    )
    told = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    if not told:
        return Booking(level, f"failed: {ran.stderr.strip().splitlines()[-1:]}", None, 0.0, 0.0)
    answer = json.loads(told[-1])
    return Booking(level, answer["answer"], answer["first"], answer["seconds"], answer["seconds"])


def booking_rows(database: HoldsScenarios, levels: list[str]) -> Iterator[str]:
    for level in levels:
        ours = booking(database, level, levels[-1])
        with database.scenario(SETUP) as tables:
            theirs = beside(tables.url(), level)
        for who, each in (("txfuzz", ours), ("frontrun", theirs)):
            if each is not None:
                first = "–" if each.first is None else f"{each.first}, {each.seconds:.2f} s"
                yield f"| {level} | {who} | {each.answer} | {first} | {each.wall:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each database and level")
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    speed = [
        "| database | level | schedules | not explained | seconds | schedules a second |",
        "|---|---|---|---|---|---|",
    ]
    bookings = ["| level | by | answer | found at schedule, after | all, s |", "|---|---|---|---|---|"]
    registry = load_plugins()
    for name in ADAPTERS:
        if all(each.name != name for each in registry.all("adapter")):
            continue
        adapter = registry.find("adapter", name)()
        with adapter.open(None) as database:
            if not isinstance(database, HoldsScenarios):
                continue
            levels = list(adapter.capabilities().isolation)
            with database.scenario(SETUP) as tables:
                speed += [
                    f"| {each.database} | {each.isolation} | {each.schedules} | {each.failed} "
                    f"| {each.wall:.2f} | {each.schedules / each.wall:,.0f} |"
                    for each in speeds(name, tables, levels, arguments.seconds)
                ]
            if name == ADAPTERS[0]:
                bookings += booking_rows(database, levels)
    text = "\n".join([*speed, "", *bookings])
    print(text)
    if arguments.write is not None:
        replaced(arguments.write, "check", text)


if __name__ == "__main__":
    main()
