"""How many connections the server takes, by its own settings: asked when it takes no further one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from txfuzz.plugin_api import DatabaseUnavailable, NoMoreSessions

# What everybody may read; pg_stat_activity hides from ordinary roles what others do.
ROOM = """
SELECT current_setting('max_connections')::int AS server,
       current_setting('superuser_reserved_connections')::int
         + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,
       (SELECT sum(numbackends) FROM pg_stat_database) AS taken,
       rolsuper AS super, rolconnlimit AS of_role, datconnlimit AS of_database,
       (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user) AS by_role,
       (SELECT numbackends FROM pg_stat_database WHERE datname = current_database()) AS in_database
FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()
"""


def no_room(connection: Connection) -> DatabaseUnavailable | None:
    """Why the server takes no further connection of ours; None where that is not for want of room.

    The error of a refused connection has no code that could be asked for, only words in some language.
    """
    for words, most, taken in _limits(connection.execute(text(ROOM)).one()):
        if taken >= most:
            said = f"the server takes no further connection: {words}, and {taken} are in use"
            return NoMoreSessions(said, most - 1)  # one is the control connection
    return None


def _limits(row: Any) -> Iterator[tuple[str, int, int]]:
    """In words, how many connections a limit leaves to this role, and how many there are."""
    if row.super:
        yield f"max_connections is {row.server}", row.server, row.taken
        return
    yield (
        f"max_connections is {row.server}, of which {row.reserved} are reserved",
        row.server - row.reserved,
        row.taken,
    )
    if row.of_role >= 0:
        yield f"the role's CONNECTION LIMIT is {row.of_role}", row.of_role, row.by_role
    if row.of_database >= 0:
        yield f"the database's CONNECTION LIMIT is {row.of_database}", row.of_database, row.in_database
