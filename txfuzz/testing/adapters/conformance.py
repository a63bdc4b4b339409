"""All checks of an adapter."""

from __future__ import annotations

from txfuzz.testing.adapters.concurrent_sessions import ChecksOfSeveralSessions
from txfuzz.testing.adapters.one_session import ChecksOfOneSession
from txfuzz.testing.adapters.raw_sql import ChecksOfSql


class AdapterConformance(ChecksOfOneSession, ChecksOfSql, ChecksOfSeveralSessions):
    """Everything that a campaign relies on. Capabilities decide what applies; the rest is skipped by name.

        class TestMine(AdapterConformance):
            adapter = MyAdapter()
            url = os.environ.get("MY_URL")
            shows = {"read committed": ("lost-update",)}

    adapter: class attribute or fixture. url: where its server is; None for an embedded one.
    unreachable: a URL with a password, at which nobody is.
    shows: level → types of anomalies that are known to show there (held against serializable), each
    of one of the classical interleavings (txfuzz.testing.scenarios); without it nobody tells
    whether a weak level is in force at all.
    breaks: level → why the database is known not to keep there what the adapter promises.
    patience: seconds after which a call that has not come back is taken to hang.
    cut_at_commit(): to be overridden where the database cannot suffer the fault `cut`.
    """
