"""Seat booking: look whether the seat is free, then take it.

Two people look at the same time, both find the seat free, and both are told that it is theirs.
The second UPDATE waits for the first one to commit and then overwrites it.

Breaks at READ COMMITTED; safe at REPEATABLE READ and SERIALIZABLE: there the second UPDATE fails
with 40001, and the booking has to be tried again.

`txfuzz check examples/seat_booking/broken.py` ends with:

    Not safe: book × book at READ COMMITTED.
"""

import psycopg

import txfuzz


@txfuzz.setup
def tables(connection: psycopg.Connection):
    connection.execute("CREATE TABLE seats (seat int PRIMARY KEY, booked_by text)")
    connection.execute("INSERT INTO seats VALUES (1, NULL), (2, NULL)")


@txfuzz.transaction(who=["ann", "bob"], seat=[1, 2])
def book(connection: psycopg.Connection, who: str, seat: int) -> str:
    row = connection.execute("SELECT booked_by FROM seats WHERE seat = %s", [seat]).fetchone()
    if row[0] is not None:
        return "taken"
    connection.execute("UPDATE seats SET booked_by = %s WHERE seat = %s", [who, seat])
    return "booked"
