"""Transactions on tables of one's own, some of which go wrong at weak levels, in SQL that all databases know.

Kleppmann, "Designing Data-Intensive Applications" (2017), chapter 7, has them in prose.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from txfuzz.check.contract import SqlInvariant
from txfuzz.transactions.model import Param, Returned, Step, StepCondition, Transaction


def _sql(text: str, *params: str, **more: object) -> Step:
    return Step(None, sql=text, args=tuple((name, Param(name)) for name in params), **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Sample:
    """duplicates: it may be refused by a unique index, for which every database has a code of its own."""

    name: str
    setup: tuple[str, ...]
    transactions: tuple[Transaction, ...]
    invariants: tuple[SqlInvariant, ...] = ()
    duplicates: bool = False

    def codes(self, seen: Collection[str]) -> frozenset[str]:
        """Those that may come beside the ones by which a database asks for another try."""
        return frozenset(seen) if self.duplicates else frozenset({"ROLLBACK"})


booking = Sample(
    "double booking",
    (
        "CREATE TABLE seats (seat int PRIMARY KEY, booked_by varchar(20))",
        "INSERT INTO seats VALUES (1, NULL), (2, NULL)",
    ),
    (
        Transaction(
            "book",
            (
                _sql("SELECT booked_by FROM seats WHERE seat = 1", returns=(("holder", "booked_by"),)),
                _sql(
                    "UPDATE seats SET booked_by = :who WHERE seat = 1",
                    "who",
                    when=(StepCondition("holder", "eq", None),),
                ),
            ),
            params=(("who", ("ann", "bob")),),
        ),
    ),
)
skew = Sample(
    "write skew",
    (
        "CREATE TABLE doctors (name varchar(20) PRIMARY KEY, on_call int NOT NULL)",
        "INSERT INTO doctors VALUES ('ann', 1), ('bob', 1)",
    ),
    (
        Transaction(
            "leave",
            (
                _sql("SELECT count(*) AS n FROM doctors WHERE on_call = 1", returns=(("n", "n"),)),
                _sql(
                    "UPDATE doctors SET on_call = 0 WHERE name = :who",
                    "who",
                    when=(StepCondition("n", "ge", 2),),
                ),
            ),
            params=(("who", ("ann", "bob")),),
        ),
    ),
    (
        SqlInvariant(
            "somebody is on call",
            "SELECT count(*) AS n FROM doctors WHERE on_call = 1 HAVING count(*) = 0",
        ),
    ),
)
version = Sample(
    "optimistic locking",  # nothing goes wrong with it, at any level
    (
        "CREATE TABLE pages (page int PRIMARY KEY, body varchar(20), version int NOT NULL)",
        "INSERT INTO pages VALUES (1, 'empty', 1)",
    ),
    (
        Transaction(
            "edit",
            (
                _sql("SELECT version FROM pages WHERE page = 1", returns=(("version", "version"),)),
                Step(
                    None,
                    sql="UPDATE pages SET body = :who, version = version + 1 "
                    "WHERE page = 1 AND version = :version",
                    args=(("who", Param("who")), ("version", Returned("version"))),
                    rows=((0, "abort"),),
                ),
            ),
            params=(("who", ("ann", "bob")),),
        ),
    ),
)
signing_up = Sample(
    "unique index",  # by which one of two is refused, at any level
    ("CREATE TABLE users (name varchar(20) PRIMARY KEY, mail varchar(20))",),
    (
        Transaction(
            "sign up",
            (_sql("INSERT INTO users VALUES ('ann', :mail)", "mail"),),
            params=(("mail", ("ann@a", "ann@b")),),
        ),
    ),
    duplicates=True,
)
deadlock = Sample(
    "deadlock",
    ("CREATE TABLE pots (pot int PRIMARY KEY, n int)", "INSERT INTO pots VALUES (1, 0), (2, 0)"),
    (
        Transaction(
            "one",
            (
                _sql("UPDATE pots SET n = n + 1 WHERE pot = 1"),
                _sql("UPDATE pots SET n = n + 1 WHERE pot = 2"),
            ),
        ),
        Transaction(
            "two",
            (
                _sql("UPDATE pots SET n = n * 2 WHERE pot = 2"),
                _sql("UPDATE pots SET n = n * 2 WHERE pot = 1"),
            ),
        ),
    ),
)
SAMPLES = (booking, skew, version, signing_up, deadlock)
