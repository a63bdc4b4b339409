"""A transaction as a card: its name, and its micro-operations in cells. Lengths are inches."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from txfuzz.history.model import History
from txfuzz.report.pictures.labels import short_mop, transaction_name, transaction_note
from txfuzz.report.pictures.style import MOP, NAME, NOTE, line_height, shorten, width

PAD = 0.11
_CELL_PAD = 0.07
_BETWEEN = 0.06  # two cells
PASSAGE = 0.26  # above a row of cells to which an edge leads inside the card
_CELLS = 8  # shown of one transaction
_WIDEST = 4.6  # what stands in a card, beyond which the cells go on in the next row
_HEADER = line_height(NAME) + 0.05
CELL_HEIGHT = line_height(MOP) + 0.07


@dataclass(frozen=True, slots=True)
class Cell:
    """One micro-operation; mop None for those left out. x, y: the lower left corner."""

    mop: int | None
    text: str
    x: float
    y: float
    width: float

    @property
    def centre(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y + CELL_HEIGHT


@dataclass(frozen=True, slots=True)
class Card:
    """x, y: the lower left corner."""

    row: int
    name: str
    note: str
    cells: tuple[Cell, ...]
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def top(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    def at(self, x: float, y: float, width: float | None = None) -> Card:
        """The card in another place, perhaps wider."""
        cells = tuple(replace(cell, x=cell.x - self.x + x, y=cell.y - self.y + y) for cell in self.cells)
        return replace(self, x=x, y=y, width=self.width if width is None else width, cells=cells)

    def cell(self, mop: int | None) -> Cell | None:
        """That of a micro-operation, if it is shown."""
        return next((cell for cell in self.cells if mop is not None and cell.mop == mop), None)

    def anchor(self, mop: int | None) -> float:
        """Where an edge of that micro-operation meets the card, from left to right."""
        cell = self.cell(mop)
        return self.x + min(self.width, 2.0) / 2 if cell is None else cell.centre


def card_of(
    history: History,
    row: int,
    wanted: Collection[int],
    names: Sequence[str] = (),
    reached: Collection[int] = (),
) -> Card:
    """The card of a transaction at (0, 0). wanted: micro-operations that must not be left out; names: by
    row, of transactions that have one of their own; reached: those to which an edge leads inside the card,
    so that there is to be a passage above them."""
    name = names[row] if row < len(names) else transaction_name(history, row)
    note = shorten(transaction_note(history, row), NOTE, _WIDEST - width(name, NAME) - 0.12)
    cells: list[Cell] = []
    y = widest = 0.0
    for number, line in enumerate(_lines(history, row, wanted)):
        y -= CELL_HEIGHT + (_BETWEEN if number else 0.0)
        y -= PASSAGE if any(mop in reached for mop, _, _ in line) else 0.0
        x = PAD
        for mop, text, needed in line:
            cells.append(Cell(mop, text, x, y, needed))
            x += needed + _BETWEEN
        widest = max(widest, x - _BETWEEN - PAD)
    header = width(name, NAME) + 0.12 + width(note, NOTE)
    height = PAD * 1.6 + _HEADER - y
    raised = tuple(replace(cell, y=cell.y - y + PAD * 0.8) for cell in cells)
    return Card(row, name, note, raised, max(widest, header) + 2 * PAD, height)


def _lines(history: History, row: int, wanted: Collection[int]) -> list[list[tuple[int | None, str, float]]]:
    """The cells in lines that are not too wide: micro-operation, text, width."""
    lines: list[list[tuple[int | None, str, float]]] = []
    x = 0.0
    for mop in _shown(history, row, wanted):
        text = "…" if mop is None else short_mop(history, mop)
        needed = width(text, MOP) + 2 * _CELL_PAD
        if not lines or (x and x + needed > _WIDEST):
            lines.append([])
            x = 0.0
        lines[-1].append((mop, text, needed))
        x += needed + _BETWEEN
    return lines


def _shown(history: History, row: int, wanted: Collection[int]) -> list[int | None]:
    """The micro-operations that are shown; None where some are left out."""
    mops = range(int(history.mops[row]), int(history.mops[row + 1]))
    first = [mop for mop in mops if mop not in wanted][: max(0, _CELLS - len(wanted))]
    kept = mops if len(mops) <= _CELLS else sorted({*wanted, *first} & set(mops))
    shown: list[int | None] = []
    for at, mop in enumerate(kept):
        if at and mop > kept[at - 1] + 1:
            shown.append(None)
        shown.append(mop)
    if kept and kept[-1] < mops[-1]:
        shown.append(None)
    return shown
