"""Flat booking: a constraint refuses bookings whose nights overlap.

EXCLUDE makes the second INSERT wait for the first one, and fail with 23P01 if that has committed.
There is no need to look beforehand.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE, whatever the application reads before.

`txfuzz check examples/flat_booking/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
"""

from datetime import date

import psycopg
from psycopg.errors import ExclusionViolation

import txfuzz


@txfuzz.setup
def tables(connection: psycopg.Connection):
    connection.execute(
        "CREATE TABLE bookings (guest text, arrival date NOT NULL, departure date NOT NULL, "
        "EXCLUDE USING gist (daterange(arrival, departure) WITH &&))"
    )


@txfuzz.transaction(guest=["ann", "bob"], arrival=[date(2030, 5, 1), date(2030, 5, 5)])
def book(
    connection: psycopg.Connection, guest: str, arrival: date, departure: date = date(2030, 5, 8)
) -> str:
    try:
        with connection.transaction():
            connection.execute("INSERT INTO bookings VALUES (%s, %s, %s)", [guest, arrival, departure])
    except ExclusionViolation:
        return "not free"
    return "booked"


@txfuzz.invariant
def nobody_shares_the_flat_with_another_guest(connection: psycopg.Connection):
    return connection.execute(
        "SELECT one.guest, other.guest FROM bookings AS one JOIN bookings AS other "
        "ON one.guest < other.guest AND one.arrival < other.departure AND one.departure > other.arrival"
    ).fetchall()
