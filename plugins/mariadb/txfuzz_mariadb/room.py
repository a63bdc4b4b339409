"""Why the server takes no further connection, by its own number and its own settings."""

from __future__ import annotations

from txfuzz.plugin_api import NoMoreSessions

from .codes import TOO_MANY
from .connection import Link

OURS = 2  # connections beside those of the clients: one that controls, one that sees waits


def no_room(link: Link, number: int) -> NoMoreSessions:
    """number: of the error, one of TOO_MANY."""
    limit = TOO_MANY[number]
    row = link.run(f"SELECT @@{limit}").row
    most = int(row[0]) if row else 0
    return NoMoreSessions(f"the server takes no further connection: {limit} is {most}", max(most - OURS, 0))
