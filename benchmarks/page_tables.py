"""Measured tables in pages of the documentation, each between two comments that name it."""

from __future__ import annotations

from pathlib import Path


def replaced(page: Path, name: str, text: str) -> None:
    """Put the text between the markers of this name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    whole = page.read_text(encoding="utf-8")
    if begin not in whole or end not in whole:
        raise SystemExit(f"{page}: expected {begin} and {end}")
    head, _, rest = whole.partition(begin)
    page.write_text(f"{head}{begin}\n{text.strip()}\n{end}{rest.partition(end)[2]}", encoding="utf-8")
