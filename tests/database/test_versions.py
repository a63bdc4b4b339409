"""Versions in order, and what an adapter may say of those that it can start."""

from __future__ import annotations

from typing import Any

import pytest

from dated_memory import DatedMemory
from txfuzz.database.versions import is_version, startable_servers, starting, version_order
from txfuzz.errors import PluginError
from txfuzz.testing import MemoryAdapter


def test_versions_are_ordered_by_their_numbers() -> None:
    ordered = ["9.6", "9.6.24", "10.1", "10.6.18", "10.11", "18beta1", "18rc1", "18", "18.1", "18.10"]
    as_words = sorted(ordered)
    assert as_words != ordered
    as_words.sort(key=version_order)
    assert as_words == ordered


@pytest.mark.parametrize(
    ("version", "wanted", "is_it"),
    [("15.18", "15", True), ("15.18", "15.18", True), ("15.18", "15.1", False), ("1.5", "15", False)],
)
def test_a_version_is_wanted_with_or_without_its_minor_number(version: str, wanted: str, is_it: bool) -> None:
    assert is_version(version, wanted) is is_it


def test_an_adapter_is_changed_to_start_another_one() -> None:
    servers = startable_servers(DatedMemory())
    assert [each.version for each in servers][:2] == ["1.9", "1.10"]
    with starting(DatedMemory(), servers[1]).open(None) as database:
        assert database.describe()["version"] == "1.10"
    assert startable_servers(MemoryAdapter()) == ()


def test_what_is_no_server_is_refused() -> None:
    class Odd(DatedMemory):
        def startable(self) -> Any:
            return ["1.9"]

    with pytest.raises(PluginError, match="expected StartableServer"):
        startable_servers(Odd())
