"""Where a character of a statement stands in its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from txfuzz.workload.sql.places import place_inside

STATEMENT = "CREATE TABLE t (\n  id int REFERENCE x(id)\n)"


def at(word: str) -> int:
    return STATEMENT.index(word) + 1


@pytest.mark.parametrize(
    ("text", "start", "found"),
    [
        (f"-- tables\n{STATEMENT};\n", "2:1", "3:10"),
        (f"SELECT 1; {STATEMENT};\n", "1:11", "2:10"),
        ("setup: |\n" + "".join(f"    {line}\n" for line in STATEMENT.split("\n")), "2:5", "3:14"),
        (f"setup: >\n  {' '.join(STATEMENT.split())}\n", "1:8", "1:8"),  # folded
        ("", "1:1", "1:1"),
    ],
)
def test_it_is_found_in_its_line_or_at_the_beginning(
    tmp_path: Path, text: str, start: str, found: str
) -> None:
    file = tmp_path / "schema.sql"
    file.write_text(text)
    assert place_inside(f"{file}:{start}", STATEMENT, at("REFERENCE")) == f"{file}:{found}"


def test_without_a_position_or_a_file_it_is_the_place_of_the_statement(tmp_path: Path) -> None:
    for place, position in (("gone.sql:3:1", 5), ("no place", 5), ("gone.sql:3:1", 0), ("gone.sql:3:1", 999)):
        assert place_inside(place, STATEMENT, position) == place
