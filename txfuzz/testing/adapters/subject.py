"""The adapter under test, its open database, and the test author's settings."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, ClassVar

import pytest

from txfuzz.database.api import Capabilities, Database, Session
from txfuzz.database.faults import CUT, Breakable
from txfuzz.testing.sessions import PATIENCE
from txfuzz.testing.subjects import given, opened


class AdapterSubject:
    """The attributes and fixtures of AdapterConformance, which describes them."""

    adapter: Any = None
    url: ClassVar[str | None] = None
    unreachable: ClassVar[str | None] = None
    shows: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    breaks: ClassVar[Mapping[str, str]] = {}
    patience: ClassVar[float] = PATIENCE

    def cut_at_commit(self, database: Database, session: Session, chance: Random) -> None:
        """Arrange that this session's connection is lost while its next COMMIT is under way.

        Override it if the database does not support the fault `cut`.
        """
        if not isinstance(database, Breakable) or database.injector().cannot(CUT) is not None:
            pytest.skip("no connection can be cut at COMMIT here: override cut_at_commit()")
        database.injector().cut_commits(1000, chance)

    @pytest.fixture
    def subject(self, request: pytest.FixtureRequest) -> Any:
        return given(request, "adapter", "capabilities")

    @pytest.fixture
    def can(self, subject: Any) -> Capabilities:
        capabilities: Capabilities = subject.capabilities()
        return capabilities

    @pytest.fixture
    def database(self, subject: Any, request: pytest.FixtureRequest) -> Database:
        """Opened on first use, closed after the last test of the class."""
        return opened(request, subject, self.url)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test per level if the adapter is an attribute; else one for all levels."""
        if "levels" in metafunc.fixturenames:
            adapter: Any = getattr(metafunc.cls, "adapter", None)
            adapter = adapter() if isinstance(adapter, type) else adapter
            if hasattr(adapter, "capabilities"):
                names = tuple(adapter.capabilities().isolation)
                metafunc.parametrize("levels", [(name,) for name in names], ids=names)
            else:
                metafunc.parametrize("levels", [()], ids=["all levels"])

    def chosen(self, levels: tuple[str, ...], can: Capabilities) -> list[str]:
        """The levels to check, without those known to be broken."""
        asked = [level for level in levels or can.isolation if level not in self.breaks]
        if not asked:
            pytest.skip(f"known to be broken: {'; '.join(self.breaks[level] for level in levels)}")
        return asked
