import psycopg

import txfuzz


@txfuzz.setup
def tables(connection: psycopg.Connection):
    connection.execute("CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL)")
    connection.execute("INSERT INTO jobs VALUES (1, 'waiting'), (2, 'waiting')")


@txfuzz.transaction
def take(connection: psycopg.Connection) -> int | None:
    job = connection.execute(
        "SELECT id FROM jobs WHERE state = 'waiting' ORDER BY id LIMIT 1"
    ).fetchone()
    if job is None:
        return None
    connection.execute("UPDATE jobs SET state = 'running' WHERE id = %s", job)
    return job[0]
