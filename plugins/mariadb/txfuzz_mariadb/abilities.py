"""Which faults a MariaDB can suffer: all of these when it is ours, and some on any server."""

from __future__ import annotations

from txfuzz.plugin_api import CUT, KILL, PAUSE, TERMINATE

ON_ANY_SERVER = frozenset({CUT, TERMINATE})
ON_OUR_OWN = {KILL: "killed and started again", PAUSE: "paused"}
ABILITIES = ON_ANY_SERVER | frozenset(ON_OUR_OWN)
