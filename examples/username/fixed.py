"""Username: a unique index decides who gets the name.

The second INSERT waits for the first one, and fails with 23505 if that has committed. There is no
need to look beforehand.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE, whatever the application reads before.

`txfuzz check examples/username/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
"""

import psycopg
from psycopg.errors import UniqueViolation

import txfuzz


@txfuzz.setup
def tables(connection: psycopg.Connection):
    connection.execute("CREATE TABLE users (email text PRIMARY KEY, username text NOT NULL UNIQUE)")


@txfuzz.transaction(email=["ann@example.org", "bob@example.org"])
def register(connection: psycopg.Connection, email: str, username: str = "otter") -> str:
    try:
        with connection.transaction():
            connection.execute("INSERT INTO users (email, username) VALUES (%s, %s)", [email, username])
    except UniqueViolation:
        return "taken"
    return "welcome"


@txfuzz.invariant
def every_username_belongs_to_one_user(connection: psycopg.Connection):
    return connection.execute("SELECT username FROM users GROUP BY username HAVING count(*) > 1").fetchall()
