"""Which anomalies of Hermitage each database lets pass at each level, beside what Hermitage has published.

    python docs/makers/hermitage.py --write docs/explanation/hermitage.md
    python docs/makers/hermitage.py --only SQLite

Runs every schedule of every scenario in examples/hermitage. Exits with 1 where something could not be judged.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from hermitage_runs import (
    ANOMALIES,
    FILES,
    FOLDER,
    HOSTS,
    MARIADB,
    POSTGRES,
    Anomaly,
    Cell,
    Cells,
    Host,
    opened,
    scenario_named,
)
from page_tables import replaced

YES, NO, READ_ONLY, UNKNOWN = "✓", "—", "R/O", "?"
# README of https://github.com/ept/hermitage: PostgreSQL 9.3, MySQL 5.6 with InnoDB; columns as in ANOMALIES
PUBLISHED: Mapping[tuple[Host, str], tuple[str, ...]] = {
    (host, level): tuple(words.split())
    for host, level, words in (
        (POSTGRES, "read committed", "✓ ✓ ✓ ✓ ✓ — — — — —"),
        (POSTGRES, "repeatable read", "✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ — —"),
        (POSTGRES, "serializable", "✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓"),
        (MARIADB, "read uncommitted", "✓ — — — — — — — — —"),
        (MARIADB, "read committed", "✓ ✓ ✓ ✓ ✓ — — — — —"),
        (MARIADB, "repeatable read", "✓ ✓ ✓ ✓ ✓ R/O — R/O — —"),
        (MARIADB, "serializable", "✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓"),
    )
}
SOURCES = {POSTGRES: "PostgreSQL", MARIADB: "MySQL"}


def mark(anomaly: Anomaly, cells: Cells, level: str) -> str:
    """As Hermitage marks it: prevented, not prevented, or only as long as nothing is written."""
    of_level = {file: cells[file][level] for file in anomaly.files}
    if not all(cell.sure or cell.possible for cell in of_level.values()):
        return UNKNOWN
    possible = {file for file, cell in of_level.items() if cell.possible}
    if not possible:
        return YES
    return READ_ONLY if possible <= anomaly.writing else NO


def summary_row(host: Host, level: str, cells: Cells) -> str:
    return _row([host.title, level, "txfuzz", *(mark(each, cells, level) for each in ANOMALIES)])


def summary(measured: Mapping[Host, Cells]) -> Iterator[str]:
    yield from _head(["database", "level", "by", *(each.column for each in ANOMALIES)])
    for host, cells in measured.items():
        for level in levels_of(cells):
            yield summary_row(host, level, cells)
            if published := PUBLISHED.get((host, level)):
                yield _row(["", "", f"Hermitage ({SOURCES[host]})", *published])


def comparison(measured: Mapping[Host, Cells]) -> str:
    """Where we differ from what is published, in a sentence."""
    different, compared = [], 0
    for (host, level), published in PUBLISHED.items():
        for anomaly, theirs in zip(ANOMALIES, published, strict=True):
            if host in measured:
                compared += 1
                ours = mark(anomaly, measured[host], level)
                if ours != theirs:
                    different.append(
                        f"{anomaly.column} on {host.title} at {level} ({ours}, published {theirs})"
                    )
    what = "all the same" if not different else f"different: {'; '.join(different)}"
    return f"Of {compared} marks that Hermitage has published, too: {what}."


def how(cell: Cell) -> str:
    if cell.possible:
        return "**possible**"
    if not cell.sure:
        return "unknown"
    means = (["waits"] if cell.waits else []) + [f"`{code}`" for code in cell.codes]
    return ", ".join(means) if means else "reads"


def detail_row(file: str, group: Sequence[Cells]) -> str:
    """group: of the hosts of one name."""
    return _row([f"[{file}](#{file})", *(how(cell) for cells in group for cell in cells[file].values())])


def detail(measured: Mapping[Host, Cells]) -> Iterator[str]:
    """measured: of the hosts of one name."""
    heads = [
        f"{level}, {host.note}" if host.note else level
        for host, cells in measured.items()
        for level in levels_of(cells)
    ]
    yield from _head([next(iter(measured)).name, *heads])
    for file in FILES:
        yield detail_row(file, list(measured.values()))


def levels_of(cells: Cells) -> tuple[str, ...]:
    return tuple(next(iter(cells.values())))


def descriptions() -> Iterator[str]:
    for anomaly in ANOMALIES:
        for file in anomaly.files:
            link = f"[the scenario](../../{FOLDER.relative_to(FOLDER.parents[1])}/{file}.yaml)"
            yield f"### {file}\n\n{scenario_named(file).about.strip()} ({anomaly.column}; {link})\n"


def _head(cells: Sequence[str]) -> Iterator[str]:
    yield _row(cells)
    yield f"|{'---|' * len(cells)}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", metavar="NAME", help="only databases of this name")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    given = parser.parse_args()
    if given.only and given.write:
        parser.error("--write needs all databases")
    measured: dict[Host, Cells] = {}
    products = []
    for host in HOSTS:
        if given.only in (None, host.name):
            with opened(host) as ready:
                measured[host] = {file: ready.measure(file) for file in FILES}
                products.append(ready.product)
    parts = {
        "hermitage": "\n".join(
            [*summary(measured), "", f"Run on {', '.join(dict.fromkeys(products))}. {comparison(measured)}"]
        ),
        "hermitage-how": "\n\n".join(
            "\n".join(detail({host: measured[host] for host in measured if host.name == name}))
            for name in dict.fromkeys(host.name for host in measured)
        ),
        "hermitage-scenarios": "\n".join(descriptions()),
    }
    for name, text in parts.items():
        if given.write:
            replaced(given.write, name, text)
        else:
            print(text, end="\n\n")
    cells = [cell for each in measured.values() for levels in each.values() for cell in levels.values()]
    return 0 if all(cell.sure for cell in cells) else 1


if __name__ == "__main__":
    sys.exit(main())
