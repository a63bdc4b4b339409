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
