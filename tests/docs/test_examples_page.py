"""docs/how-to/examples.md names every example, and its table says what the tests of the examples hold."""

from __future__ import annotations

import re

from pages import DOCS, text
from worked_examples import CLAIMS, EXAMPLES, POSTGRES, Example

SHORT = dict(zip(POSTGRES, ("RC", "RR", "SER"), strict=True))
ROW = re.compile(
    r"^\| [^|]+ \| \[\w+/\w+\]\(\.\./\.\./examples/(\w+)/(\w+)\.\w+\) \| ([^|]*) \| ([^|]*) \| (.*) \|$",
    re.MULTILINE,
)
FIX = re.compile(r"\[fixed\]\(\.\./\.\./examples/(\w+)/fixed\.\w+\)")


def short(levels: tuple[str, ...]) -> str:
    return ", ".join(SHORT[level] for level in levels)


def breaking() -> dict[tuple[str, str], Example]:
    return {(each.folder, each.form): each for each in CLAIMS if each.postgres}


def test_the_table_is_that_of_the_tests() -> None:
    rows = {(found[1], found[2]): found for found in ROW.finditer(text(DOCS / "how-to" / "examples.md"))}
    assert rows.keys() == breaking().keys()
    for name, claim in breaking().items():
        assert (rows[name][3], rows[name][4]) == (short(claim.postgres), short(claim.safe)), name
        if claim.form == "broken":
            fixed = FIX.search(rows[name][5])
            assert fixed is not None
            assert fixed[1] == claim.folder
    assert all(not claim.postgres for claim in CLAIMS if claim.form == "fixed")


def test_it_shows_runs_of_files_that_are_there() -> None:
    shown = re.findall(
        r"^\$ txfuzz check examples/(\S+)$", text(DOCS / "how-to" / "examples.md"), re.MULTILINE
    )
    assert len(shown) == 3
    assert all((EXAMPLES / name).is_file() for name in shown)
