"""Flat booking: look whether somebody is there in these nights, then insert the booking.

Two guests look at the same time, find the flat free, and both get it. There is no row that both
would change, so no lock and no snapshot notices.

Breaks at READ COMMITTED and REPEATABLE READ; safe at SERIALIZABLE: there one of the two fails
with 40001.

`txfuzz check examples/flat_booking/broken.py` ends with:

    Not safe: book × book at READ COMMITTED and REPEATABLE READ.
"""

from datetime import date

import psycopg

import txfuzz


@txfuzz.setup
def tables(connection: psycopg.Connection):
    connection.execute("CREATE TABLE bookings (guest text, arrival date NOT NULL, departure date NOT NULL)")


@txfuzz.transaction(guest=["ann", "bob"], arrival=[date(2030, 5, 1), date(2030, 5, 5)])
def book(
    connection: psycopg.Connection, guest: str, arrival: date, departure: date = date(2030, 5, 8)
) -> str:
    there = connection.execute(
        "SELECT guest FROM bookings WHERE arrival < %s AND departure > %s", [departure, arrival]
    )
    if there.fetchone():
        return "not free"
    connection.execute("INSERT INTO bookings VALUES (%s, %s, %s)", [guest, arrival, departure])
    return "booked"


@txfuzz.invariant
def nobody_shares_the_flat_with_another_guest(connection: psycopg.Connection):
    return connection.execute(
        "SELECT one.guest, other.guest FROM bookings AS one JOIN bookings AS other "
        "ON one.guest < other.guest AND one.arrival < other.departure AND one.departure > other.arrival"
    ).fetchall()
