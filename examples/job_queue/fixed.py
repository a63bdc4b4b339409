"""Job queue: take the first job that waits and that nobody else is taking.

FOR UPDATE SKIP LOCKED locks the job that it returns, and passes over those that others have
locked. Nobody waits, nobody is aborted. It sees less than what is there on purpose, so a higher
level than READ COMMITTED would add nothing but failures.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE, since it always runs at READ COMMITTED.

`txfuzz check examples/job_queue/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
"""

import psycopg

import txfuzz


@txfuzz.setup
def tables(connection: psycopg.Connection):
    connection.execute("CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL)")
    connection.execute("INSERT INTO jobs VALUES (1, 'waiting'), (2, 'waiting')")


@txfuzz.transaction(isolation="read committed")
def take(connection: psycopg.Connection) -> int | None:
    job = connection.execute(
        "SELECT id FROM jobs WHERE state = 'waiting' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
    ).fetchone()
    if job is None:
        return None
    connection.execute("UPDATE jobs SET state = 'running' WHERE id = %s", job)
    return job[0]
