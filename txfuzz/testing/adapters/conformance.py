"""All conformance tests of an adapter."""

from __future__ import annotations

from txfuzz.testing.adapters.concurrent_sessions import ChecksOfSeveralSessions
from txfuzz.testing.adapters.endpoints import EndpointConformance
from txfuzz.testing.adapters.one_session import ChecksOfOneSession
from txfuzz.testing.adapters.raw_sql import ChecksOfSql
from txfuzz.testing.adapters.variations import ChecksOfVariations
from txfuzz.testing.adapters.versions import ChecksOfVersions


class AdapterConformance(
    ChecksOfOneSession,
    ChecksOfSql,
    ChecksOfVariations,
    ChecksOfSeveralSessions,
    EndpointConformance,
    ChecksOfVersions,
):
    """Everything that campaigns rely on. Capabilities decide which tests apply; others are skipped by name.

        class TestMine(AdapterConformance):
            adapter = MyAdapter()
            url = os.environ.get("MY_URL")
            shows = {"read committed": ("lost-update",)}

    adapter: class attribute or fixture. url: of its server; None for an embedded one.
    unreachable: a URL with a password where no server listens.
    shows: level → types of anomalies known to occur there (checked against serializable), each
    from one of the classic interleavings (txfuzz.testing.scenarios); without it, no test shows
    that a weak level is really in force.
    breaks: level → why the database is known to break the adapter's promise there.
    patience: seconds after which a call counts as hung.
    cut_at_commit(): override if the database does not support the fault `cut`.
    """
