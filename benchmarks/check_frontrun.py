"""The double booking of benchmarks/check.py under frontrun, which that file starts by frontrun's launcher."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import frontrun  # type: ignore[import-untyped, import-not-found, unused-ignore]
import psycopg

URL, LEVEL = sys.argv[1].replace("postgresql+psycopg://", "postgresql://"), sys.argv[2]
runs = [0]


def connect() -> psycopg.Connection[tuple[object, ...]]:
    connection = psycopg.connect(URL)
    connection.isolation_level = psycopg.IsolationLevel[LEVEL.upper().replace(" ", "_")]
    return connection


class Bookings:
    """Who was told that the seat is theirs."""

    def __init__(self) -> None:
        runs[0] += 1
        self.told: list[str] = []
        with psycopg.connect(URL, autocommit=True) as connection:
            connection.execute("UPDATE seats SET booked_by = NULL")


def book(who: str) -> Callable[[Bookings], None]:
    def run(bookings: Bookings) -> None:
        with connect() as connection:
            try:
                found = connection.execute("SELECT booked_by FROM seats WHERE seat = 1").fetchone()
                if found == (None,):
                    connection.execute("UPDATE seats SET booked_by = %s WHERE seat = 1", (who,))
                    connection.commit()
                    bookings.told.append(who)
            except psycopg.errors.SerializationFailure:
                connection.rollback()

    return run


def main() -> None:
    started = time.perf_counter()
    try:
        result = frontrun.explore(
            Bookings,
            [book("ann"), book("bob")],
            lambda bookings: len(bookings.told) <= 1,
            reproduce_on_failure=0,
            total_timeout=60.0,
        )
        seconds = time.perf_counter() - started
        holds, number = result.property_holds, result.num_explored
        answer = f"safe in {number}" if holds else "a double booking"
        if holds is None:
            answer = f"inconclusive: {result.inconclusive_reason.split('.')[0]}"
        told = {"answer": answer, "first": number if holds is False else None, "seconds": seconds}
    except Exception as error:
        what = str(error).strip().splitlines() or [""]
        told = {
            "answer": f"inconclusive after {runs[0]}: {type(error).__name__}: {what[0][:90]}",
            "first": None,
            "seconds": time.perf_counter() - started,
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
