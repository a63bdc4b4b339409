"""The MariaDB adapter passes the public conformance tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from mariadb_server import needs_mariadb
from txfuzz import Capabilities
from txfuzz.testing import AdapterConformance, ScenarioConformance
from txfuzz_mariadb.adapter import MariadbAdapter


@needs_mariadb
@pytest.mark.server
class TestMariadb(AdapterConformance):
    adapter = MariadbAdapter
    shows: ClassVar = {
        "read uncommitted": ("G1a", "G1b", "lost-update"),
        "read committed": ("lost-update", "G-single-item", "G-nonadjacent-item"),
        "repeatable read": ("lost-update", "G2-item"),
    }
    breaks: ClassVar = {
        "repeatable read": "its writes are not confined to its snapshot: lost updates, and write skew",
    }


@dataclass(frozen=True)
class WithSnapshots(MariadbAdapter):
    """The one level that this option changes."""

    def capabilities(self) -> Capabilities:
        all_of_it = super().capabilities()
        level = "repeatable read"
        return replace(all_of_it, isolation={level: all_of_it.isolation[level]}, default_isolation=level)


@needs_mariadb
@pytest.mark.server
class TestMariadbWithSnapshots(AdapterConformance):
    adapter = WithSnapshots(innodb_snapshot_isolation=True, append="update-else-insert", tables=3)
    shows: ClassVar = {"repeatable read": ("G2-item",)}


@needs_mariadb
@pytest.mark.server
class TestScenarios(ScenarioConformance):
    adapter = MariadbAdapter
    quote = "`"
    numbered = "id int AUTO_INCREMENT PRIMARY KEY"
    computed = "next_age int AS (age + 1) STORED"
    triggers = (
        "CREATE TABLE audit (name varchar(40))",
        "CREATE TRIGGER noted AFTER INSERT ON people FOR EACH ROW INSERT INTO audit VALUES (NEW.name)",
    )
    outlives = ("CREATE TEMPORARY TABLE once (n int)",)
    shows: ClassVar = {
        "read uncommitted": ("double booking", "write skew"),
        "read committed": ("double booking", "write skew"),
        "repeatable read": ("double booking", "write skew"),
    }
