"""docs/explanation/hermitage.md is true: its rows come out again, and a scenario fails by its own anomaly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from mariadb_server import needs_mariadb
from pages import DOCS, maker, text
from txfuzz.check.finding.failures import failures
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.outcome import Ending, ProgramOutcome

pytestmark = pytest.mark.slow

PAGE = DOCS / "explanation" / "hermitage.md"
MADE = maker("hermitage")  # with what it measures by


class Seen:
    """An outcome as a person would look at it."""

    def __init__(self, outcome: ProgramOutcome) -> None:
        self._outcome = outcome

    def committed(self, *names: str) -> bool:
        return all(self._outcome.transactions[name].ending is Ending.COMMITTED for name in names)

    def read(self, name: str, step: int) -> list[Any] | None:
        """The first cells of the rows that a committed transaction read; None if it did not."""
        if self.committed(name):
            for each in self._outcome.transactions[name].statements:
                if each.step == step and each.rows is not None:
                    return [row[0] for row in each.rows.rows]
        return None

    def changed(self, name: str, step: int) -> int | None:
        found = [each.changed for each in self._outcome.transactions[name].statements if each.step == step]
        return found[0] if found else None

    def table(self, name: str) -> dict[Any, tuple[Any, ...]]:
        """First cell → the others."""
        return {row[0]: row[1:] for row in self._outcome.tables[name].rows}


def _closes_another_loan(seen: Seen) -> bool:
    if not seen.committed("remind", "midnight"):
        return False
    reminded = seen.read("remind", 0)
    return reminded != [each for each in (1, 2) if each not in seen.table("loans")]


# What each anomaly looks like, written without regard to serial orders
ANOMALY: dict[str, Callable[[Seen], bool]] = {
    "g0": lambda seen: seen.table("prices")["shelf"] != seen.table("prices")["till"],
    "g1a": lambda seen: seen.read("look", 0) == [1] and not seen.committed("order"),
    "g1b": lambda seen: seen.read("bill", 0) == [0],
    "g1c": lambda seen: all(second == 1 for _, second in seen.table("signatures").values()),
    "otv": lambda seen: seen.read("courier", 0) == [1] and seen.read("courier", 1) == [None],
    "pmp": lambda seen: seen.read("report", 0) == [] and seen.read("report", 1) == [3],
    "pmp-write": _closes_another_loan,
    "pmp-one-write": lambda seen: seen.committed("close", "midnight") and seen.changed("close", 0) == 0,
    "p4": lambda seen: seen.read("sell two", 0) == seen.read("sell three", 0) == [10],
    "g-single": lambda seen: (
        seen.read("add up", 0) == [50] and seen.read("add up", 1) == [40] and seen.committed("transfer")
    ),
    "g-single-predicate": lambda seen: seen.read("list", 0) == seen.read("list", 1) == [1],
    "g-single-write": lambda seen: (
        seen.read("clear", 0) == [1] and seen.changed("clear", 1) == 0 and seen.committed("new menu")
    ),
    "g2-item": lambda seen: seen.table("doctors") == {"ann": (0,), "bob": (0,)},
    "g2": lambda seen: {3, 4} <= seen.table("bookings").keys(),
    "g2-two-edges": lambda seen: (
        seen.read("withdraw", 0) == [0]
        and seen.committed("deposit")
        and seen.read("statement", 0) is not None
        and _statement(seen) == {"giro": 0, "savings": 20}
    ),
}


def _statement(seen: Seen) -> dict[Any, Any]:
    rows = seen._outcome.transactions["statement"].statements[0].rows
    assert rows is not None
    return dict(rows.rows)


def hosts_of(name: str) -> list[Any]:
    return [host for host in MADE.HOSTS if host.name == name]


def measured(hosts: Sequence[Any], files: Sequence[str]) -> list[Any]:
    """Cells of each host. Asserts that a schedule fails exactly where its anomaly is to be seen."""
    found = []
    for host in hosts:
        with MADE.opened(host) as ready:
            found.append({file: ready.measure(file, exactly(file)) for file in files})
    return found


def exactly(file: str) -> Callable[[FollowedSchedule], None]:
    judge = MADE.scenario_named(file).judge

    def check(attempt: FollowedSchedule) -> None:
        assert bool(failures(attempt, judge)) is ANOMALY[file](Seen(attempt.outcome)), attempt

    return check


def assert_shown(hosts: Sequence[Any], group: Sequence[Any]) -> None:
    """On the page, with all that can be told from these cells."""
    page = text(PAGE).splitlines()
    for file in group[0]:
        assert MADE.detail_row(file, group) in page
    for host, cells in zip(hosts, group, strict=True):
        for level in MADE.levels_of(cells):
            if cells.keys() == set(MADE.FILES):
                assert MADE.summary_row(host, level, cells) in page


def test_every_file_is_in_the_table() -> None:
    assert {path.stem for path in MADE.FOLDER.glob("*.yaml")} == set(MADE.FILES) == ANOMALY.keys()
    assert "\n".join(MADE.descriptions()).strip() in text(PAGE)


def test_sqlite() -> None:
    hosts = hosts_of("SQLite")
    assert_shown(hosts, measured(hosts, MADE.FILES))


@pytest.mark.server
def test_postgres() -> None:
    hosts = hosts_of("PostgreSQL")
    assert_shown(hosts, measured(hosts, MADE.FILES))


@pytest.mark.server
@needs_mariadb
def test_mariadb() -> None:
    hosts = hosts_of("MariaDB")
    assert_shown(hosts, measured(hosts, ("g1a", "g1c", "pmp-write", "p4", "g-single-write")))
