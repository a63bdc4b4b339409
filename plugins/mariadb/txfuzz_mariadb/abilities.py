"""Which faults a MariaDB can suffer: all of these when it is ours, and some on any server."""

from __future__ import annotations

from txfuzz.database.faults import CUT, KILL, PAUSE, TERMINATE

ON_ANY_SERVER = frozenset({CUT, TERMINATE})
ON_OUR_OWN = {KILL: "killed and started again", PAUSE: "paused"}
ABILITIES = ON_ANY_SERVER | frozenset(ON_OUR_OWN)


def why_not(ability: str, *, embedded: bool) -> str | None:
    """The reason as a sentence; None where the server can suffer it."""
    if ability not in ABILITIES:
        return f"MariaDB has no ability {ability!r}"
    if ability in ON_OUR_OWN and not embedded:
        return f"only a server that txfuzz has started itself can be {ON_OUR_OWN[ability]}"
    return None
