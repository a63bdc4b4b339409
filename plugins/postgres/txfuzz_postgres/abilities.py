"""Which faults a PostgreSQL can suffer: all of them when it is ours, and some on any server."""

from __future__ import annotations

from txfuzz.plugin_api import CUT, KILL, LIMIT, PAUSE, TERMINATE

ON_ANY_SERVER = frozenset({CUT, TERMINATE})
ON_OUR_OWN = {
    KILL: "killed and started again",
    PAUSE: "paused",
    LIMIT: "given time-outs for the sessions of everybody",
}
ABILITIES = ON_ANY_SERVER | frozenset(ON_OUR_OWN)
