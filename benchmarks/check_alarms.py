"""How often `check` raises an alarm about transactions that are safe: it should be never.

    python benchmarks/check_alarms.py --schedules 100000

Forms that are known to mend what their unsafe brothers break, each at the levels at which it does, in pairs
and in threes, on the embedded server; every schedule is judged by serial orders. A schedule that could not
be judged is counted apart, with the reasons.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass
from random import Random

from txfuzz.check.program import Program
from txfuzz.check.run import ProgramRunner
from txfuzz.check.story import explanation
from txfuzz.check.transaction import SqlTransaction
from txfuzz.database.scenario import HoldsScenarios
from txfuzz.plugin.loader import load_plugins
from txfuzz.transactions.model import Param, Returned, Step, StepCondition, Transaction

LEVELS = READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE = "read committed", "repeatable read", "serializable"
_TRIPLES = 150  # schedules of three transactions, of which there are thousands


@dataclass(frozen=True)
class SafeForm:
    """levels: at which it is safe."""

    name: str
    setup: tuple[str, ...]
    transactions: tuple[Transaction, ...]
    levels: tuple[str, ...] = LEVELS


def step(sql: str, *params: str, **more: object) -> Step:
    return Step(None, sql=sql, args=tuple((name, Param(name)) for name in params), **more)  # type: ignore[arg-type]


SEATS = (
    "CREATE TABLE seats (seat int PRIMARY KEY, booked_by text)",
    "INSERT INTO seats VALUES (1, NULL), (2, NULL)",
)
WHO_AND_SEAT = (("who", ("ann", "bob", "eve")), ("seat", (1, 2)))
TAKE = step(
    "UPDATE seats SET booked_by = :who WHERE seat = :seat",
    "who",
    "seat",
    when=(StepCondition("holder", "eq", None),),
)
LOCKED = step(
    "SELECT booked_by FROM seats WHERE seat = :seat FOR UPDATE",
    "seat",
    returns=(("holder", "booked_by"),),
)
LOOKED = step("SELECT booked_by FROM seats WHERE seat = :seat", "seat", returns=(("holder", "booked_by"),))
FORMS = (
    SafeForm(
        "booking under a lock", SEATS, (Transaction("book", (LOCKED, TAKE), params=WHO_AND_SEAT, retry=2),)
    ),
    SafeForm(
        "booking with retries",
        SEATS,
        (Transaction("book", (LOOKED, TAKE), params=WHO_AND_SEAT, retry=3),),
        (REPEATABLE_READ, SERIALIZABLE),
    ),
    SafeForm(
        "a unique index",
        ("CREATE TABLE users (id serial PRIMARY KEY, name text UNIQUE)",),
        (
            Transaction(
                "join",
                (
                    step("INSERT INTO users (name) VALUES (:name) RETURNING id", "name"),
                    step("SELECT count(*) FROM users WHERE name = :name", "name"),
                ),
                params=(("name", ("ann", "bob")),),
            ),
        ),
    ),
    SafeForm(
        "one UPDATE with RETURNING",
        (
            "CREATE TABLE stock (item int PRIMARY KEY, left_over int)",
            "INSERT INTO stock VALUES (1, 1), (2, 5)",
        ),
        (
            Transaction(
                "buy",
                (
                    step(
                        "UPDATE stock SET left_over = left_over - 1 "
                        "WHERE item = :item AND left_over > 0 RETURNING left_over",
                        "item",
                    ),
                ),
                params=(("item", (1, 2)),),
                retry=2,
            ),
        ),
    ),
    SafeForm(
        "withdrawals",
        (
            "CREATE TABLE accounts (name text PRIMARY KEY, amount int)",
            "INSERT INTO accounts VALUES ('a', 60), ('b', 60)",
            "CREATE TABLE notes (id serial PRIMARY KEY, at timestamptz DEFAULT now(), account text)",
        ),
        (
            Transaction(
                "withdraw",
                (
                    step("SELECT sum(amount) AS total FROM accounts", returns=(("total", "total"),)),
                    step(
                        "UPDATE accounts SET amount = amount - 100 WHERE name = :account",
                        "account",
                        when=(StepCondition("total", "ge", 100),),
                    ),
                    step("INSERT INTO notes (account) VALUES (:account) RETURNING id", "account"),
                ),
                params=(("account", ("a", "b")),),
                retry=3,
            ),
            Transaction(
                "audit", (step("SELECT sum(amount) FROM accounts"), step("SELECT count(*) FROM notes"))
            ),
        ),
        (SERIALIZABLE,),
    ),
    SafeForm(
        "a version",
        (
            "CREATE TABLE pages (page int PRIMARY KEY, text text, version int)",
            "INSERT INTO pages VALUES (1, '', 1)",
        ),
        (
            Transaction(
                "edit",
                (
                    step("SELECT version FROM pages WHERE page = 1", returns=(("seen", "version"),)),
                    Step(
                        None,
                        sql="UPDATE pages SET text = :who, version = :seen + 1 "
                        "WHERE page = 1 AND version = :seen",
                        args=(("who", Param("who")), ("seen", Returned("seen"))),
                        rows=((0, "abort"),),
                    ),
                ),
                params=(("who", ("ann", "bob")),),
                retry=2,
            ),
        ),
    ),
    SafeForm(
        "a queue that skips what is locked",
        (
            "CREATE TABLE jobs (id int PRIMARY KEY, done_by text)",
            "INSERT INTO jobs VALUES (1, NULL), (2, NULL), (3, NULL)",
        ),
        (
            Transaction(
                "work",
                (
                    step(
                        "SELECT id FROM jobs WHERE done_by IS NULL ORDER BY id LIMIT 1 "
                        "FOR UPDATE SKIP LOCKED",
                        returns=(("job", "id"),),
                    ),
                    Step(
                        None,
                        sql="UPDATE jobs SET done_by = :who WHERE id = :job",
                        args=(("who", Param("who")), ("job", Returned("job"))),
                    ),
                ),
                params=(("who", ("ann", "bob")),),
            ),
        ),
        (READ_COMMITTED,),
    ),
)


def random_program(form: SafeForm, chance: Random) -> Program:
    chosen = [chance.choice(form.transactions) for _ in range(chance.choice((2, 2, 3)))]
    return Program(
        form.name,
        tuple(
            (SqlTransaction(each), {name: chance.choice(values) for name, values in each.params})
            for each in chosen
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance, until = Random(arguments.seed), time.monotonic() + 60 * arguments.minutes
    counts: Counter[str] = Counter()
    of: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    started = time.monotonic()
    with load_plugins().find("adapter", "postgres")().open(None) as database:
        assert isinstance(database, HoldsScenarios)
        while counts["schedules"] < arguments.schedules and time.monotonic() < until:
            for form in FORMS:
                with (
                    database.scenario(form.setup) as tables,
                    ProgramRunner(tables, serial_level=SERIALIZABLE) as runner,
                ):
                    for level in form.levels:
                        program = random_program(form, chance)
                        most = None if len(program.calls) == 2 else _TRIPLES
                        result = runner.check(program, level, most=most)
                        counts["schedules"] += result.schedules
                        counts["alarms"] += result.failed
                        counts["not judged"] += result.unknown
                        of[form.name] += result.schedules
                        reasons[result.reason] += result.unknown
                        for attempt in result.failing[:1]:
                            print(form.name, level, *explanation(attempt), attempt.trace.schedule, sep="\n  ")
    seconds = time.monotonic() - started
    print(", ".join(f"{number:,} {what}" for what, number in counts.items()), f"in {seconds:,.0f} s")
    print("; ".join(f"{name}: {number:,}" for name, number in of.items()))
    for reason, number in reasons.items():
        if number:
            print(f"not judged, {number:,}: {reason}")
    sys.exit(1 if counts["alarms"] else 0)


if __name__ == "__main__":
    main()
