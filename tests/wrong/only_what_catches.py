"""For each wrong plugin, run only the checks that must catch it."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [
        item
        for item in items
        if isinstance(item, pytest.Function) and item.originalname in getattr(item.cls, "caught_by", ())
    ]
