"""Username: look whether the name is taken, then insert the user.

Two people choose the same name at the same time. Neither sees the other's row, which is not
committed yet, and both get the name.

Breaks at READ COMMITTED and REPEATABLE READ; safe at SERIALIZABLE: there one of the two fails
with 40001.

`txfuzz check examples/username/broken.py` ends with:

    Not safe: register × register at READ COMMITTED and REPEATABLE READ.
"""

import psycopg

import txfuzz


@txfuzz.setup
def tables(connection: psycopg.Connection):
    connection.execute("CREATE TABLE users (email text PRIMARY KEY, username text NOT NULL)")


@txfuzz.transaction(email=["ann@example.org", "bob@example.org"])
def register(connection: psycopg.Connection, email: str, username: str = "otter") -> str:
    if connection.execute("SELECT 1 FROM users WHERE username = %s", [username]).fetchone():
        return "taken"
    connection.execute("INSERT INTO users (email, username) VALUES (%s, %s)", [email, username])
    return "welcome"


@txfuzz.invariant
def every_username_belongs_to_one_user(connection: psycopg.Connection):
    return connection.execute("SELECT username FROM users GROUP BY username HAVING count(*) > 1").fetchall()
