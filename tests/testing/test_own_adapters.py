"""Our own adapters pass the public conformance tests."""

from __future__ import annotations

from typing import ClassVar

import pytest

from txfuzz.testing import AdapterConformance, MemoryAdapter
from txfuzz_postgres.adapter import PostgresAdapter


class TestMemory(AdapterConformance):
    adapter = MemoryAdapter
    shows: ClassVar = {
        "read uncommitted": ("G1a", "G1b", "G1c", "lost-update"),
        "read committed": ("lost-update", "G-single-item", "G-nonadjacent-item"),
        "snapshot": ("G2-item",),
    }


@pytest.mark.server
class TestPostgres(AdapterConformance):
    adapter = PostgresAdapter
    unreachable = "postgresql://me:hidden@127.0.0.1:1/nowhere"
    shows: ClassVar = {
        "read committed": ("lost-update", "G-single-item", "G-nonadjacent-item"),
        "repeatable read": ("G2-item",),
    }
