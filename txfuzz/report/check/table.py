"""A check as tables: what went wrong, and how often, at each isolation level."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from txfuzz.check.finding.result import CheckResult, LevelCounts, SetResult
from txfuzz.common.sanitize import printable
from txfuzz.report.text.lines import head_lines, width

NONE = "–"
REFUSED = "refused by a constraint"
_NAME, _NARROW = 44, 20  # characters of the first column


def table_lines(one: SetResult) -> list[str]:
    """One set of transactions: a row for each thing that happened, a column for each level."""
    rows = [(name, cells) for name, cells in table_rows(one)]
    levels = [each.isolation for each in one.levels]
    longest = max(len(one.name), *(min(len(name), _NAME) for name, _ in rows))
    heads = head_lines(levels, min(longest, max(_NARROW, len(one.name))))
    widths = [
        max(*(len(head[at]) for head in heads), *(len(cells[at]) for _, cells in rows))
        for at in range(len(levels))
    ]
    left = width() - sum(each + 2 for each in widths)
    first = max(len(one.name), min(longest, max(_NARROW, left)))
    *upper, lowest = heads
    lines = [*(_line("", head, first, widths) for head in upper), _line(one.name, lowest, first, widths)]
    for name, cells in rows:
        *above, last = paragraph_of(name, first)
        lines += [*above, _line(last, cells, first, widths)]
    return lines


def table_rows(one: SetResult) -> Iterator[tuple[str, list[str]]]:
    """Each row with a cell for each level; the things that never happened have none."""
    levels = one.levels
    for name in _names(levels, lambda each: each.failures):
        yield (
            name,
            [
                f"{each.failures[name]:,} of {each.schedules:,}" if name in each.failures else NONE
                for each in levels
            ],
        )
    if any(each.aborted for each in levels):
        yield "aborted, to be retried", [_codes(each.aborted, each.deadlocks) for each in levels]
    refused, failed = ([_failed(each, refused=which) for each in levels] for which in (True, False))
    if any(refused):
        yield REFUSED, [_codes(each) for each in refused]
    if any(failed):
        yield "aborted for good", [_codes(each) for each in failed]
    if any(each.waited for each in levels):
        yield "waited for a lock", [_number(each.waited) for each in levels]
    if any(each.unknown for each in levels):
        yield "could not be judged", [_number(each.unknown) for each in levels]
    order = "no invariant broken" if one.judge == "invariants" else "explained by an order"
    yield order, [_number(each.explained) for each in levels]
    yield "schedules", [_schedules(each) for each in levels]


def head(found: CheckResult) -> str:
    """What was checked, on what."""
    if found.asked == found.levels:
        asked = "every level counts" if len(found.levels) > 1 else ""
    else:
        asked = f"{' and '.join(found.asked)} counts, the others are for comparison"
    return ": ".join(filter(None, [f"{found.name} on {found.server or found.adapter}", asked]))


def paragraph_of(name: str, width: int) -> list[str]:
    """The name in lines of at most this width."""
    lines: list[str] = []
    for word in printable(name).split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word if not lines else f"  {word}")
    return lines or [""]


def _line(name: str, cells: list[str], first: int, widths: list[int]) -> str:
    shown = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"{printable(name):<{first}}  {shown}".rstrip()


def _names(levels: tuple[LevelCounts, ...], of: Callable[[LevelCounts], Mapping[str, int]]) -> list[str]:
    return list(dict.fromkeys(name for each in levels for name in of(each)))


def code_text(code: str, deadlocks: Collection[str]) -> str:
    """ "40P01 deadlock": what a code means to those who do not know the database's."""
    return f"{code} deadlock" if code in deadlocks and code != "deadlock" else code


def _failed(counts: LevelCounts, *, refused: bool) -> dict[str, int]:
    """Of those that are aborted for good, the codes by which a constraint refused them, or the others."""
    return {code: number for code, number in counts.failed.items() if (code in counts.constraints) is refused}


def _codes(counts: Mapping[str, int], deadlocks: Collection[str] = ()) -> str:
    shown = (f"{number:,} ({code_text(code, deadlocks)})" for code, number in sorted(counts.items()))
    return ", ".join(shown) or NONE


def _schedules(counts: LevelCounts) -> str:
    """ "70", and where not all were run "9 of up to 70", or "9+" where nobody knows how many there are: a
    transaction that is retried can make more of them than its statements do."""
    if counts.complete:
        return f"{counts.schedules:,}"
    if knows_number(counts):
        return f"{counts.schedules:,} of up to {counts.at_most:,}"
    return f"{counts.schedules:,}+"


def knows_number(counts: LevelCounts) -> bool:
    """Whether it is known of how many schedules not all were run."""
    return counts.at_most > 0 and counts.schedules <= counts.at_most


def _number(count: int) -> str:
    return f"{count:,}" if count else NONE
