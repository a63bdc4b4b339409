"""docs/tutorial/check.md shows what its commands say."""

from __future__ import annotations

import re
import runpy

import pytest

from pages import DOCS, ROOT, blocks, text

pytestmark = pytest.mark.server


@pytest.mark.slow
def test_the_output_is_what_the_commands_say() -> None:
    renewed = runpy.run_path(str(ROOT / "docs" / "makers" / "check_page.py"))["renewed"]
    page = text(DOCS / "tutorial" / "check.md")
    assert [len(blocks(DOCS / "tutorial" / "check.md", each)) for each in ("yaml", "console")] == [3, 3]
    assert _plain(renewed(page)) == _plain(page)


def _plain(page: str) -> str:
    """Without the version of the server."""
    return re.sub(r"(on \w+) \d+\.\d+", r"\1", page)
