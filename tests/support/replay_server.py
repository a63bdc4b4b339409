"""A database for replays, and short ways to describe a replay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from txfuzz.campaign.setup.resolve import Assembled, InstalledVocabulary, assemble
from txfuzz.database.api import Database
from txfuzz.plugin.loader import load_plugins
from txfuzz.replay.replayer import Replayer, follow_schedule
from txfuzz.replay.result import ReplayResult
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import parse_workload, read_workload
from txfuzz_postgres.adapter import PostgresAdapter


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with PostgresAdapter().open(None) as database:
        yield database


@contextmanager
def playing(database: Database, assembled: Assembled) -> Iterator[Replayer]:
    with Replayer(database, assembled.workload.kind, assembled.isolation) as player:
        yield player


def read(text: str, isolation: str | None = None) -> Assembled:
    """A workload from its text."""
    registry = load_plugins()
    return assemble(
        parse_workload(text, "w.yaml", InstalledVocabulary(registry)), registry, isolation=isolation
    )


def shipped(name: str, isolation: str | None = None) -> Assembled:
    """A shipped workload, or one from a file."""
    registry = load_plugins()
    path = Path(name) if name.endswith(".yaml") else workload_path(name, None)
    workload = read_workload(path, InstalledVocabulary(registry))
    return assemble(workload, registry, isolation=isolation, expect="serializable")


def replayed(database: Database, text: str, isolation: str, attempts: int = 1) -> ReplayResult:
    """Follow the schedule of a workload text, checked against serializable."""
    assembled = read(text, isolation)
    with playing(database, assembled) as player:
        return follow_schedule(player, assembled.workload, "serializable", attempts=attempts)[0]
