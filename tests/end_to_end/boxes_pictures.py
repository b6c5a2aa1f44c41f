"""Pictures of boxes and marks, drawn with the mouse: ``python -m tests.end_to_end.boxes_pictures DIR``."""

from __future__ import annotations

import math
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from medview.core.annotations import BoxAnnotation
from medview.core.attributes import Attribute, Choice
from medview.core.axes import Axes
from medview.core.changes import AnnotationChange, Command
from medview.core.job import Inline
from medview.core.source import Source, SourceKind
from medview.workspace.actions import action
from medview.workspace.demo import make_demo
from medview.workspace.drawn import all_drawn, set_attributes
from medview.workspace.open_case import OpenCase

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home

Place = tuple[float, float]
MANY = 200


def point_in(pane: QWidget, at: Place) -> QPoint:
    """Return a place given in parts of a pane."""
    return QPoint(round(at[0] * pane.width()), round(at[1] * pane.height()))


def drag(pane: QWidget, start: Place, end: Place) -> None:
    """Press, move in steps and release, as a hand does."""
    a, b = point_in(pane, start), point_in(pane, end)
    QTest.mouseMove(pane, a)
    QTest.mousePress(pane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, a)
    for n in range(1, 9):
        QTest.mouseMove(pane, a + (b - a) * n / 8)
    QTest.mouseRelease(pane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, b)


def click(pane: QWidget, at: Place) -> None:
    """Press and release in one place."""
    QTest.mouseMove(pane, point_in(pane, at))
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point_in(pane, at))


def pane(studio: Studio, name: str) -> QWidget:
    """Return a pane of the window."""
    found = studio.window.panes.findChild(QWidget, f"{name}_pane")
    assert found is not None
    return found


def settle() -> None:
    """Let the window draw itself."""
    for _ in range(5):
        QApplication.processEvents()


def open_demo(studio: Studio, home: Path) -> OpenCase:
    """Open a series of the demo patient to annotate and return its case."""
    window, workspace = studio.window, studio.program.workspace
    place = make_demo(home / "demo", Inline())
    window.files.open(next(p for p in sorted(place.rglob("*")) if p.is_dir() and any(p.glob("*.dcm"))))
    studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the series")
    case = workspace.active
    assert case is not None
    for name in ("models", "history", "effects"):
        if name in window.side.sections:
            window.side.sections[name].set_open(open_=False)
    window.resize(*LARGE)
    action("mode.annotate").run(workspace)
    settle()
    return case


def draw(studio: Studio, case: OpenCase) -> None:
    """Draw one thing of each kind with the mouse, and let a box be one that a model found."""
    workspace = studio.program.workspace
    axial = pane(studio, "axial")
    action("tool.box").run(workspace)
    workspace.bench.mark_label = "Rib"
    drag(axial, (0.20, 0.42), (0.27, 0.56))
    workspace.bench.mark_label = "Aorta"
    action("tool.box3d").run(workspace)
    drag(axial, (0.52, 0.54), (0.60, 0.64))
    workspace.bench.mark_label = "Carina"
    action("tool.point").run(workspace)
    click(axial, (0.48, 0.40))
    workspace.bench.mark_label = "Pleura"
    action("tool.polyline").run(workspace)
    for at in ((0.72, 0.36), (0.78, 0.44), (0.79, 0.55), (0.75, 0.65)):
        click(axial, at)
    settle()
    studio.shoot("boxes-polyline-being-drawn", SMALL)
    QTest.keyClick(axial, Qt.Key.Key_Return)
    workspace.bench.mark_label = ""
    k, j, i = case.view.crosshair_kji
    source = Source(SourceKind.MODEL, "nodules", "1.2", created_utc="2026-01-01")
    found = BoxAnnotation.on_grid(
        "m", "Nodule", case.volume.geometry, (k - 2, j - 40, i - 60), (k + 1, j - 24, i - 40), score=0.87, source=source
    )
    case.do(Command("Accept Nodule", (AnnotationChange(None, found),), "accept"))
    studio.wait(lambda: len(all_drawn(case)) == 5, "the things")


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        case = open_demo(studio, home)
        action("tool.box").run(workspace)
        studio.shoot("boxes-none", SMALL)
        window.resize(*LARGE)
        settle()
        draw(studio, case)
        aorta = next(one for one in all_drawn(case) if one.label == "Aorta")
        choices = Choice("ascending", ("ascending", "arch", "descending"))
        set_attributes(case, aorta, (Attribute("Part", choices), Attribute("Grade", 2.0), Attribute("Note", "calcified")))
        case.view.active_annotation_id = next(one for one in all_drawn(case) if one.label == "Aorta").annotation_id
        action("tool.box3d").run(workspace)
        studio.wait(lambda: window.side.drawn.view.model().rowCount() == 5, "the list")
        studio.shoot("boxes-dark", SMALL)
        studio.shoot("boxes-dark-large", LARGE)
        studio.shoot("boxes-light", SMALL, "light")
        workspace.bench.maximised = "axial"
        action("slice.next").run(workspace)
        studio.shoot("boxes-beside-dark-large", LARGE)
        workspace.bench.maximised = ""
        axes = Axes.of_grid(case.volume.geometry)
        case.view.axes = axes.turned(axes.head, math.radians(-24.0)).turned(axes.left, math.radians(14.0))
        studio.shoot("boxes-oblique-dark", SMALL)
        case.view.axes = None
        many(studio, case)
        window.close()


def many(studio: Studio, case: OpenCase) -> None:
    """Show hundreds of boxes."""
    slices, rows, columns = case.volume.geometry.shape_kji
    geometry = case.volume.geometry
    boxes = []
    for n in range(MANY):
        k, j, i = (n * 7) % (slices - 3), 20 + (n * 37) % (rows - 60), 20 + (n * 53) % (columns - 60)
        boxes.append(BoxAnnotation.on_grid(f"x{n}", f"Lesion {n + 1}", geometry, (k, j, i), (k + 2, j + 12, i + 14)))
    case.do(Command("Import", tuple(AnnotationChange(None, one) for one in boxes)))
    window = studio.window
    studio.wait(lambda: window.side.drawn.view.model().rowCount() > MANY, "the list")
    window.side.drawn.search.setText("lesion 1")
    studio.shoot("boxes-many-dark", SMALL)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
