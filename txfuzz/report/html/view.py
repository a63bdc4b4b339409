"""Which part of a campaign a page shows, and where the rest of it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from txfuzz.report.finding import Finding
from txfuzz.report.html.markup import Content, el

# The address of this page with other parts of its lists: (first row of the iterations, first further finding)
Address = Callable[[int, int], str]


@dataclass(frozen=True)
class View:
    """row: the first iteration of the table. further: the first of the findings that are only listed.

    finding_page: the address of a finding's own page. address: of this page with other parts; None for a page
    that stands alone and shows the beginning of everything. course: charts in addition.
    """

    row: int = 0
    further: int = 0
    finding_page: Callable[[Finding], str] | None = None
    address: Address | None = None
    course: Content = None

    def at_row(self, row: int) -> str:
        assert self.address is not None
        return f"{self.address(row, self.further)}#iterations"

    def at_finding(self, further: int) -> str:
        assert self.address is not None
        return f"{self.address(self.row, further)}#further"


WHOLE = View()


def pager(first: int, shown: int, total: int, size: int, at: Callable[[int], str], what: str) -> Content:
    """Where one is in a long list, and the ways to its other parts; nothing for a list that fits."""
    if total <= size:
        return None
    last = (total - 1) // size * size
    before, after = max(0, first - size), first + size
    return el(
        "nav",
        _way("first", at(0), first > 0),
        _way("previous", at(before), first > 0),
        el("span", f"{what} {first + 1:,}–{first + shown:,} of {total:,}"),
        _way("next", at(after), after < total),
        _way("last", at(last), after < total),
        class_="pager",
        aria_label=f"parts of the list of {what}",
    )


def _way(name: str, address: str, there: bool) -> Content:
    return el("a", name, href=address) if there else el("span", name, class_="off")
