"""The small-scope search of the default campaign, on the embedded server."""

from __future__ import annotations

from pathlib import Path

import pytest

from txfuzz import Verdict, run_campaign

pytestmark = pytest.mark.server


@pytest.mark.parametrize(
    ("isolation", "verdict"), [("repeatable read", Verdict.INVALID), ("serializable", Verdict.VALID)]
)
@pytest.mark.slow
def test_it_finds_write_skew_exactly_where_the_level_allows_it(
    isolation: str, verdict: Verdict, tmp_path: Path
) -> None:
    result = run_campaign(
        isolation=isolation, iterations=1, small_scope=True, stop_on_finding=True, output=tmp_path / "out"
    )
    search = result.small_scope
    assert search is not None
    assert search.verdict is result.verdict is verdict
    assert search.searched is not None
    assert search.searched.refused > 0
    assert set(result.found) == ({"G2-item"} if verdict is Verdict.INVALID else set())
