"""What changed between two matrices: the one of before, from its matrix.json, and the one of now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from txfuzz.common.sentences import listed
from txfuzz.compare.matrix.cell import MatrixCell, Outcome
from txfuzz.compare.matrix.table import mark_of, place_of, remark_of

_NAMED = 4  # questions of a row
Place = tuple[str, str, str]


@dataclass(frozen=True)
class Change:
    """before, after: None where the cell is in one of the two only."""

    before: MatrixCell | None
    after: MatrixCell | None

    @property
    def breaks(self) -> bool:
        """Whether a promise is broken now that was not broken before, or not known to be."""
        if self.after is None or self.after.outcome is not Outcome.BROKEN:
            return False
        return self.before is None or not set(self.after.broken) <= set(self.before.broken)

    @property
    def text(self) -> str:
        shown = self.after or self.before
        assert shown is not None
        where = place_of(shown)
        if self.before is None:
            return f"{where}: new, {remark_of(shown)}"
        if self.after is None:
            return f"{where}: no longer asked, was {remark_of(shown)}"
        version = f" (on {self.before.server})" if self.before.server != self.after.server else ""
        return (
            f"{where}: {mark_of(self.before)} → {mark_of(self.after)}: was "
            f"{remark_of(self.before)}{version}, is {remark_of(self.after)}"
        )


def changes(before: Sequence[MatrixCell], after: Sequence[MatrixCell]) -> tuple[Change, ...]:
    """Cells whose outcome or findings differ, then those that are new and those that are gone.

    A cell is compared with the one of the same version. Where a version is in one matrix only, its cells are
    compared with those of the same major version that have no partner either, if there is one such version.
    """
    earlier = {each.key: each for each in before}
    now = {each.key: each for each in after}
    pairs = [(earlier[key], now[key]) for key in now if key in earlier]
    old, new = _versions(set(earlier) - set(now), earlier), _versions(set(now) - set(earlier), now)
    for place, cells in new.items():
        partners = [cells_before for other, cells_before in old.items() if other[:2] == place[:2]]
        unique = sum(other[:2] == place[:2] for other in new) == 1
        if len(partners) == 1 and unique:
            (partner,) = partners
            pairs += [(partner[key], cell) for key, cell in cells.items() if key in partner]
    paired = {id(each) for pair in pairs for each in pair}
    return (
        *(Change(*pair) for pair in pairs if _differ(*pair)),
        *(Change(None, each) for each in after if id(each) not in paired),
        *(Change(each, None) for each in before if id(each) not in paired),
    )


def _versions(
    keys: set[tuple[str, str, str, str]], cells: dict[tuple[str, str, str, str], MatrixCell]
) -> dict[Place, dict[tuple[str, str], MatrixCell]]:
    """(database, major version, version) → (level, question) → cell."""
    found: dict[Place, dict[tuple[str, str], MatrixCell]] = {}
    for key in keys:
        database, version, level, question = key
        place = (database, version.partition(".")[0], version)
        found.setdefault(place, {})[level, question] = cells[key]
    return found


def _differ(before: MatrixCell, after: MatrixCell) -> bool:
    return (before.outcome, sorted(before.found)) != (after.outcome, sorted(after.found))


def difference_text(found: Sequence[Change]) -> str:
    """Markdown."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Sequence[Change]) -> Iterator[str]:
    if not found:
        yield "Nothing changed."
        return
    yield f"{len(found):,} of the cells changed:" if len(found) > 1 else "One cell changed:"
    yield ""
    for each in found:
        if each.before is not None and each.after is not None:
            yield f"- {each.text}."
    yield from _in_one(found, lambda each: each.before is None, "new")
    yield from _in_one(found, lambda each: each.after is None, "no longer asked")


def _in_one(found: Sequence[Change], chosen: Callable[[Change], bool], what: str) -> Iterator[str]:
    """Cells that are in one matrix only: a line for each row, but for what broke a promise."""
    rows: dict[tuple[str, str], list[MatrixCell]] = {}
    for each in filter(chosen, found):
        shown = each.after or each.before
        assert shown is not None
        if shown.outcome is Outcome.BROKEN:
            yield f"- {each.text}."
        else:
            rows.setdefault((shown.server or shown.database, shown.level), []).append(shown)
    for (server, level), cells in rows.items():
        yield f"- {server}, {level}: {what}: {listed([each.question for each in cells], most=_NAMED)}."
