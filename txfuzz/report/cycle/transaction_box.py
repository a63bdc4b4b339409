"""A transaction as a box: its name, and its micro-operations in cells. Lengths are inches."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from txfuzz.analysis.result import TransactionView
from txfuzz.report.cycle.labels import short_mop, transaction_note
from txfuzz.report.cycle.typography import MOP, NAME, NOTE, Width, line_height, shorten

PAD = 0.11
PASSAGE = 0.26  # above a row of cells to which an edge leads inside the box
CELL_HEIGHT = line_height(MOP) + 0.07
_CELL_PAD = 0.07
_BETWEEN = 0.06  # two cells
_CELLS = 8  # shown per transaction
_WIDEST = 4.6  # a row of cells
_HEADER = line_height(NAME) + 0.05
_AFTER_NAME = 0.12


@dataclass(frozen=True, slots=True)
class Cell:
    """One micro-operation, by its index in the transaction; mop None for those left out. kind: of its edge,
    "missing" for a missing edge, "" for none. x, y: the lower left corner."""

    mop: int | None
    text: str
    kind: str
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
class TransactionBox:
    """x, y: the lower left corner. note_x: where the note starts, from the left."""

    name: str
    note: str
    view: TransactionView
    cells: tuple[Cell, ...]
    width: float
    height: float
    note_x: float
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

    def at(self, x: float, y: float, width: float | None = None) -> TransactionBox:
        """The box at another position, perhaps wider."""
        cells = tuple(replace(cell, x=cell.x - self.x + x, y=cell.y - self.y + y) for cell in self.cells)
        return replace(self, x=x, y=y, width=self.width if width is None else width, cells=cells)

    def cell(self, mop: int | None) -> Cell | None:
        """The cell of a micro-operation, if it is shown."""
        return next((cell for cell in self.cells if mop is not None and cell.mop == mop), None)

    def anchor(self, mop: int | None) -> float:
        """The x at which an edge of that micro-operation meets the box."""
        cell = self.cell(mop)
        return self.x + min(self.width, 2.0) / 2 if cell is None else cell.centre


def transaction_box(
    name: str, view: TransactionView, kinds: Mapping[int, str], reached: Collection[int], width: Width
) -> TransactionBox:
    """The box of a transaction at (0, 0). kinds: of the edges, by their micro-operations, which must not be
    left out; reached: micro-operations that an edge enters inside the box and that need a passage above."""
    note_x = PAD + width(name, NAME) + _AFTER_NAME
    note = shorten(transaction_note(view), NOTE, _WIDEST - note_x, width)
    cells: list[Cell] = []
    y = widest = 0.0
    for number, line in enumerate(_lines(view, kinds, width)):
        y -= CELL_HEIGHT + (_BETWEEN if number else 0.0)
        y -= PASSAGE if any(mop in reached for mop, _, _ in line) else 0.0
        x = PAD
        for mop, text, needed in line:
            cells.append(Cell(mop, text, "" if mop is None else kinds.get(mop, ""), x, y, needed))
            x += needed + _BETWEEN
        widest = max(widest, x - _BETWEEN + PAD)
    raised = tuple(replace(cell, y=cell.y - y + PAD * 0.8) for cell in cells)
    across = max(widest, note_x + width(note, NOTE) + PAD)
    return TransactionBox(name, note, view, raised, across, PAD * 1.6 + _HEADER - y, note_x)


def _lines(
    view: TransactionView, kinds: Collection[int], width: Width
) -> list[list[tuple[int | None, str, float]]]:
    """The cells in lines that are not too wide: (micro-operation, text, width)."""
    lines: list[list[tuple[int | None, str, float]]] = []
    x = 0.0
    for mop in _shown(len(view.mops), kinds):
        text = "…" if mop is None else short_mop(view.mops[mop], view.outcome)
        needed = width(text, MOP) + 2 * _CELL_PAD
        if not lines or (x and x + needed > _WIDEST):
            lines.append([])
            x = 0.0
        lines[-1].append((mop, text, needed))
        x += needed + _BETWEEN
    return lines


def _shown(count: int, wanted: Collection[int]) -> Iterator[int | None]:
    """The micro-operations to show; None where some are left out."""
    first = [mop for mop in range(count) if mop not in wanted][: max(0, _CELLS - len(wanted))]
    kept = range(count) if count <= _CELLS else sorted({*wanted, *first})
    before = -1
    for mop in kept:
        if mop > before + 1:
            yield None
        yield mop
        before = mop
    if before < count - 1:
        yield None
