"""The tables of docs/reference/databases.md are what the adapters say of themselves."""

from __future__ import annotations

import pytest

from pages import DOCS, maker, text

pytest.importorskip("duckdb", reason="duckdb is not installed, and the page lists its adapter")


def test_the_tables_are_those_of_the_adapters() -> None:
    """Else: python docs/makers/databases.py --write docs/reference/databases.md"""
    made, page = maker("databases"), text(DOCS / "reference" / "databases.md")
    assert made.renewed(page) == page
    assert len(made.tables()) == page.count(": begin -->") == 3
    assert all(f"\n{table}\n" in page for table in made.tables().values())
