"""The table of docs/how-to/matrix.md, by running the matrix that the page shows.

    python docs/makers/matrix.py --write docs/how-to/matrix.md
    TXFUZZ_POSTGRES_SERVERS=DIR python docs/makers/matrix.py     # with further versions from there

Takes some minutes. Exits with 1 where something could not be judged.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from page_tables import replaced
from txfuzz.compare.matrix.cell import Outcome
from txfuzz.compare.matrix.matrix import Chosen, MatrixReport, matrix
from txfuzz.compare.matrix.table import place_of, remark_of
from txfuzz.compare.matrix.text import summary, table_lines

PAGE = Path(__file__).resolve().parents[1] / "how-to" / "matrix.md"


def shown_matrix() -> str:
    """The file that the page shows."""
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, "the page shows no matrix"
    return found[1]


def measured(directory: Path, databases: Sequence[str] = ()) -> MatrixReport:
    """databases: only these."""
    path = directory / "matrix.yaml"
    path.write_text(shown_matrix(), encoding="utf-8")
    return matrix(path, Chosen(adapters=tuple(databases)), output=directory / "out")


def text(report: MatrixReport) -> str:
    lines = [*table_lines(report.table), "", summary(report.table), ""]
    lines += [
        f"- {place_of(each)}: {remark_of(each)}."
        for each in report.table.cells
        if each.outcome is Outcome.BROKEN
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        report = measured(Path(temporary))
    if given.write:
        replaced(given.write, "matrix", text(report))
    else:
        print(text(report))
    return 1 if report.table.count(Outcome.UNKNOWN) else 0


if __name__ == "__main__":
    sys.exit(main())
