"""Tests of the versions that an adapter can start by itself."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from txfuzz.database.api import Capabilities
from txfuzz.database.versions import (
    StartableServer,
    StartsVersions,
    is_version,
    startable_servers,
    starting,
    version_order,
)
from txfuzz.errors import TxfuzzError
from txfuzz.testing.adapters.subject import AdapterSubject


class ChecksOfVersions(AdapterSubject):
    """What a table of versions relies on: that the one which is asked for is the one that runs."""

    def test_its_versions_are_in_order(self, subject: Any, can: Capabilities) -> None:
        versions = [each.version for each in self.servers(subject)]
        assert can.embedded, "it can start versions, so its capabilities have to say `embedded`"
        twice = [version for version, times in Counter(versions).items() if times > 1]
        assert not twice, f"startable() has {', '.join(twice)} more than once"
        assert versions == sorted(versions, key=version_order), (
            f"startable() must go from the oldest version to the newest: {', '.join(versions)}"
        )

    def test_a_version_that_is_asked_for_is_started(self, subject: Any) -> None:
        """Each that startable() has, by its options, is what describe() then tells."""
        for server in self.servers(subject):
            try:
                opened = starting(subject, server).open(None)
            except TxfuzzError as error:
                pytest.fail(f"startable() has {server.version}, which does not start: {error}")
            with opened as database:
                told = database.describe()["version"]
            assert is_version(told.split()[0].partition("-")[0], server.version), (
                f"startable() has {server.version}, but its options start {told}"
            )

    def servers(self, subject: Any) -> tuple[StartableServer, ...]:
        servers = startable_servers(subject)
        if not isinstance(subject, StartsVersions):
            pytest.skip("it does not say which versions it can start (startable)")
        if self.url is not None or not servers:
            pytest.skip("no version of it can be started here")
        return servers
