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
    return connection.execute(
        "SELECT username FROM users GROUP BY username HAVING count(*) > 1"
    ).fetchall()
