"""Servers with tables for whoever connects by URL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from txfuzz_mariadb.adapter import MariadbAdapter
from txfuzz_postgres.adapter import PostgresAdapter


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with PostgresAdapter().open(None) as running, running.scenario(()) as tables:
        yield tables.url()


@pytest.fixture(scope="module")
def mariadb() -> Iterator[str]:
    with MariadbAdapter().open(None) as running, running.scenario(()) as tables:
        yield tables.url()
