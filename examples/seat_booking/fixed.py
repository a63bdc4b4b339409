"""Seat booking: take the seat if it is free, in one statement.

The UPDATE itself asks whether the seat is free, and asks again after it has waited for somebody
else. The number of rows that it has changed says whether the seat was still free.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE; at the higher levels one of two may fail
with 40001 instead of finding the seat taken.

`txfuzz check examples/seat_booking/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
"""

import psycopg

import txfuzz


@txfuzz.setup
def tables(connection: psycopg.Connection):
    connection.execute("CREATE TABLE seats (seat int PRIMARY KEY, booked_by text)")
    connection.execute("INSERT INTO seats VALUES (1, NULL), (2, NULL)")


@txfuzz.transaction(who=["ann", "bob"], seat=[1, 2])
def book(connection: psycopg.Connection, who: str, seat: int) -> str:
    taken = connection.execute(
        "UPDATE seats SET booked_by = %s WHERE seat = %s AND booked_by IS NULL", [who, seat]
    )
    return "booked" if taken.rowcount == 1 else "taken"
