"""How the centre of the window is divided, and what each pane shows. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from medview.core.language import _
from medview.core.plane import Plane

GROUPS = {0: _("On its own"), 1: _("Group A"), 2: _("Group B"), 3: _("Group C")}
"""``Cell.group`` -> what people call it."""

FOLLOWS = ""
"""``Cell.case_key`` of a pane that shows whichever case is active."""

EMPTY = "-"
"""``Cell.case_key`` of a pane that waits for a series."""

LARGEST_GRID = 4
"""Rows or columns; smaller pictures help nobody."""


class CellKind(Enum):
    """What stands in a cell."""

    SLICES = "slices"
    FACTS = "facts"
    """What is known about the active series."""
    VOLUME = "volume"
    """The 3-D view."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of a layout.

    Attributes
    ----------
    pane_id : str
        Stays the same while the pane is on the screen; keys act on it, files of settings name it.
    plane : Plane or None
        What the pane looks along; None is the plane the series was acquired in.
    case_key : str
        Key of an open case, FOLLOWS or EMPTY.
    group : int
        Panes of one group do together what is linked; 0 goes on its own.
    """

    pane_id: str
    row: int
    column: int
    kind: CellKind = CellKind.SLICES
    plane: Plane | None = None
    case_key: str = FOLLOWS
    row_span: int = 1
    column_span: int = 1
    group: int = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """Cells of the centre.

    Attributes
    ----------
    layout_id : str
        One of LAYOUTS, or ``grid`` for any other grid.
    """

    layout_id: str
    cells: tuple[Cell, ...]

    @property
    def rows(self) -> int:
        """Rows of the grid."""
        return max(cell.row + cell.row_span for cell in self.cells)

    @property
    def columns(self) -> int:
        """Columns of the grid."""
        return max(cell.column + cell.column_span for cell in self.cells)

    @property
    def spelt(self) -> str:
        """What ``layout_of`` takes to make one like it."""
        return f"{self.rows}x{self.columns}" if self.layout_id == "grid" else self.layout_id

    @property
    def slices(self) -> tuple[Cell, ...]:
        """The cells that show slices."""
        return tuple(cell for cell in self.cells if cell.kind is CellKind.SLICES)

    @property
    def follows(self) -> bool:
        """Whether all panes show the active case; otherwise each holds a case of its own."""
        return all(cell.case_key == FOLLOWS for cell in self.slices)

    def cell(self, pane_id: str) -> Cell | None:
        """Return a cell by the id of its pane."""
        return next((cell for cell in self.cells if cell.pane_id == pane_id), None)

    def with_cell(self, changed: Cell) -> Layout:
        """Return the layout with one cell replaced."""
        return replace(self, cells=tuple(changed if cell.pane_id == changed.pane_id else cell for cell in self.cells))

    def with_case(self, key: str, pane_id: str = "") -> Layout:
        """Return the layout with a case in a pane; without a pane in the first empty one, else in the first.

        Nothing changes where the panes follow the active case, or where no pane is named and one holds the case already.
        """
        cells = self.slices
        if self.follows or (not pane_id and any(cell.case_key == key for cell in cells)):
            return self
        empty = next((cell for cell in cells if cell.case_key == EMPTY), cells[0])
        return self.with_cell(replace(self.cell(pane_id) or empty, case_key=key))

    def without_case(self, key: str) -> Layout:
        """Return the layout with the panes of a case that was closed empty."""
        cells = tuple(replace(cell, case_key=EMPTY) if cell.case_key == key else cell for cell in self.cells)
        return replace(self, cells=cells)

    def holding(self, keys: Iterable[str]) -> Layout:
        """Return the layout with one case after the other in its panes, the rest empty."""
        waiting = iter(keys)
        slices = {cell.pane_id: replace(cell, case_key=next(waiting, EMPTY)) for cell in self.slices}
        return replace(self, cells=tuple(slices.get(cell.pane_id, cell) for cell in self.cells))


def three_planes(*, volume: bool = False) -> Layout:
    """Return axial, coronal and sagittal of the active case, with facts or the 3-D view in the fourth corner."""
    fourth = Cell("volume", 1, 0, CellKind.VOLUME) if volume else Cell("facts", 1, 0, CellKind.FACTS)
    planes = ((Plane.AXIAL, 0, 0), (Plane.CORONAL, 0, 1), (Plane.SAGITTAL, 1, 1))
    cells = tuple(Cell(plane.value, row, column, plane=plane) for plane, row, column in planes)
    return Layout("planes-3d" if volume else "planes", (*cells, fourth))


def grid(rows: int, columns: int) -> Layout:
    """Return panes in rows and columns, all empty but for a single one, which follows the active case."""
    if not (1 <= rows <= LARGEST_GRID and 1 <= columns <= LARGEST_GRID):
        raise ValueError(f"a grid of {rows} x {columns} panes")
    key = FOLLOWS if rows * columns == 1 else EMPTY
    cells = [Cell(f"{n + 1}", *divmod(n, columns), case_key=key) for n in range(rows * columns)]
    known = f"{rows}x{columns}"
    return Layout(known if known in LAYOUTS else "grid", tuple(cells))


LAYOUTS = {
    "1x1": _("One pane"),
    "1x2": _("Two panes side by side"),
    "2x2": _("Four panes"),
    "planes": _("Three planes"),
    "planes-3d": _("Three planes and 3-D"),
}
"""Id -> what people call it."""


def layout_of(layout_id: str) -> Layout:
    """Return a layout by id; ``RxC`` for a free grid. Raises ValueError for anything else."""
    if layout_id in ("planes", "planes-3d"):
        return three_planes(volume=layout_id == "planes-3d")
    rows, _, columns = layout_id.partition("x")
    if not (rows.isdigit() and columns.isdigit()):
        raise ValueError(f"no layout {layout_id!r}")
    return grid(int(rows), int(columns))
