"""The PostgreSQL adapter passes the public conformance tests of scenarios."""

from __future__ import annotations

from typing import ClassVar

import pytest

from txfuzz.testing import ScenarioConformance
from txfuzz_postgres.adapter import PostgresAdapter


@pytest.mark.server
class TestScenarios(ScenarioConformance):
    adapter = PostgresAdapter
    triggers = (
        "CREATE TABLE audit (name text)",
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO audit VALUES (NEW.name); RETURN NULL; END $$",
        "CREATE TRIGGER noted AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION note()",
    )
    outlives = ("CREATE TEMPORARY TABLE once (n int)", "PREPARE once AS SELECT 1")
    shows: ClassVar = {
        "read committed": ("double booking", "write skew"),
        "repeatable read": ("write skew",),
    }
