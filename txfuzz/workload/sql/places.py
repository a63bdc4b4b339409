"""Where a character of a statement stands in the file that the statement was read from."""

from __future__ import annotations

from pathlib import Path


def place_inside(place: str, statement: str, position: int) -> str:
    """place: of the statement, as file:line:column. position: of a character of it, from 1.

    The statement's own place where that cannot be told: without a position, and where the text does not
    stand in the file line by line, as in YAML that folds it.
    """
    file, line, _ = (*place.rsplit(":", 2), "", "")[:3]
    if not 0 < position <= len(statement) or not line.isdecimal():
        return place
    before = statement[: position - 1]
    below, column = before.count("\n"), len(before) - (before.rfind("\n") + 1)
    try:
        written = Path(file).read_text(encoding="utf-8").split("\n")[int(line) - 1 + below]
    except (OSError, UnicodeError, IndexError):
        return place
    start = written.find(statement.split("\n")[below].rstrip("\r"))
    return place if start < 0 else f"{file}:{int(line) + below}:{start + column + 1}"
