"""Job queue: take the first job that waits, and mark it as running.

Two workers look at the same time, find the same job, and both run it.

Breaks at READ COMMITTED; safe at REPEATABLE READ and SERIALIZABLE: there one of the two fails
with 40001, and takes another job when it tries again.

`txfuzz check examples/job_queue/broken.py` ends with:

    Not safe: take × take at READ COMMITTED.
"""

import psycopg

import txfuzz


@txfuzz.setup
def tables(connection: psycopg.Connection):
    connection.execute("CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL)")
    connection.execute("INSERT INTO jobs VALUES (1, 'waiting'), (2, 'waiting')")


@txfuzz.transaction
def take(connection: psycopg.Connection) -> int | None:
    job = connection.execute("SELECT id FROM jobs WHERE state = 'waiting' ORDER BY id LIMIT 1").fetchone()
    if job is None:
        return None
    connection.execute("UPDATE jobs SET state = 'running' WHERE id = %s", job)
    return job[0]
