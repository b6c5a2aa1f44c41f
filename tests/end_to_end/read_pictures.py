"""Pictures of the helps for reading, on two patients of the demo: ``python -m tests.end_to_end.read_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from medview.core.job import Inline
from medview.core.plane import Plane
from medview.gui.dialogs.corner_texts import CornerTextsDialog
from medview.workspace.actions import action
from medview.workspace.demo import make_demo
from medview.workspace.measuring import measurements
from medview.workspace.open_case import OpenCase
from tests.end_to_end.measure_pictures import drag

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home

NO_KEY = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton
OVERLAPPING = (
    ("tool.length", (0.30, 0.40), (0.42, 0.44)),
    ("tool.length", (0.30, 0.42), (0.42, 0.46)),
    ("tool.ellipse", (0.32, 0.38), (0.44, 0.50)),
    ("tool.bidirectional", (0.33, 0.45), (0.45, 0.41)),
    ("tool.rectangle", (0.36, 0.40), (0.47, 0.49)),
    ("tool.length", (0.28, 0.47), (0.44, 0.40)),
)
CORNERS = ((0.58, 0.50), (0.68, 0.47), (0.74, 0.58), (0.65, 0.60), (0.60, 0.68))


def open_series(studio: Studio, folder: Path) -> OpenCase:
    """Open a series and wait until all about it has arrived."""
    workspace = studio.program.workspace
    before = set(workspace.cases)
    studio.window.files.open(folder)
    studio.wait(lambda: set(workspace.cases) - before, "the series")
    studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the slices")
    case = workspace.active
    assert case is not None
    studio.wait(lambda: not studio.program.threads.jobs, "the headings and the histogram")
    return case


def click(pane: QWidget, x: float, y: float) -> None:
    """Click at a place in parts of the pane."""
    at = QPoint(round(x * pane.width()), round(y * pane.height()))
    QTest.mouseMove(pane, at)
    QTest.mouseClick(pane, LEFT, NO_KEY, at)


def place_of(pane: QWidget, x: float, y: float) -> QPoint:
    """Return a place in parts of the pane in pixels."""
    return QPoint(round(x * pane.width()), round(y * pane.height()))


def draw(studio: Studio, pane: QWidget, case: OpenCase, folder: Path) -> None:
    """Draw figures that overlap, and a polygon click by click, with a picture before it is closed."""
    for tool, start, end in OVERLAPPING:
        action(tool).run(studio.program.workspace)
        drag(pane, start, end)
    action("tool.polygon").run(studio.program.workspace)
    for x, y in CORNERS[:-1]:
        click(pane, x, y)
    QTest.mouseMove(pane, place_of(pane, *CORNERS[-1]))
    for _ in range(5):
        QApplication.processEvents()
    path = folder / "read-polygon-drawing.png"
    studio.window.grab().save(str(path))
    print(path)
    QTest.mouseDClick(pane, LEFT, NO_KEY, place_of(pane, *CORNERS[-1]))
    if studio.window.hands.clicking.going_on:
        click(pane, *CORNERS[-1])
        QTest.keyClick(pane, Qt.Key.Key_Return)
    print("history:", list(case.history.names))
    assert measurements(case)[-1].kind.value == "polygon"


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        folder.mkdir(parents=True, exist_ok=True)
        place = make_demo(home / "demo", Inline())
        series = [p for p in sorted(place.rglob("*")) if p.is_dir() and any(p.glob("*.dcm"))]
        first = open_series(studio, series[0])
        window.side.sections["models"].set_open(open_=False)
        workspace.bench.maximised = Plane.AXIAL.value
        studio.wait(lambda: window.side.histogram.plot is not None, "the histogram")
        studio.shoot("read-corners-dark", SMALL)
        studio.shoot("read-corners-light", SMALL, "light")
        pane = window.panes.findChild(QWidget, "axial_pane")
        assert pane is not None
        studio.shoot("read-before", LARGE)
        draw(studio, pane, first, folder)
        studio.shoot("read-figures-dark", LARGE)
        action("tool.magnifier").run(workspace)
        window.resize(*SMALL)
        for _ in range(5):
            app.processEvents()
        QTest.mousePress(pane, LEFT, NO_KEY, place_of(pane, 0.64, 0.55))
        studio.shoot("read-magnifier-dark", SMALL)
        QTest.mouseRelease(pane, LEFT, NO_KEY, place_of(pane, 0.64, 0.55))
        action("view.actual").run(workspace)
        studio.shoot("read-actual-dark", SMALL)
        action("view.fit").run(workspace)
        workspace.bench.maximised = ""
        patients = {first.series.patient_id}
        for other in series[1:]:
            case = open_series(studio, other)
            if case.series.patient_id not in patients:
                break
        studio.shoot("read-owner-dark", SMALL)
        workspace.show(first.key)
        studio.shoot("read-owner-other-light", SMALL, "light")
        workspace.bench.identity_hidden = True
        studio.shoot("read-owner-hidden-dark", SMALL)
        workspace.bench.identity_hidden = False
        for theme in ("dark", "light"):
            studio.program.use_theme(theme)
            window.actions_table.run("view.corners")
            (dialog,) = [w for w in window.findChildren(CornerTextsDialog) if w.isVisible()]
            for _ in range(5):
                app.processEvents()
            path = folder / f"read-corner-dialog-{theme}.png"
            dialog.grab().save(str(path))
            print(path)
            dialog.close()
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
