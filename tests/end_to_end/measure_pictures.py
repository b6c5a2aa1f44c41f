"""Pictures of measuring, drawn with the mouse on the demo patient: ``python -m tests.end_to_end.measure_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from medview.core.job import Inline
from medview.workspace.actions import action
from medview.workspace.demo import make_demo
from medview.workspace.measuring import measurements
from medview.workspace.open_case import OpenCase

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home

FIGURES = {
    "tool.length": ((0.28, 0.30), (0.44, 0.34)),
    "tool.bidirectional": ((0.60, 0.36), (0.74, 0.44)),
    "tool.ellipse": ((0.44, 0.55), (0.58, 0.66)),
    "tool.angle": ((0.30, 0.74), (0.42, 0.66)),
    "tool.probe": ((0.66, 0.60), (0.66, 0.60)),
}
"""Tool -> press and release, in parts of the pane."""


def drag(pane: QWidget, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Press, move in steps and release, as a hand does."""
    a, b = (QPoint(round(x * pane.width()), round(y * pane.height())) for x, y in (start, end))
    QTest.mouseMove(pane, a)
    QTest.mousePress(pane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, a)
    for n in range(1, 9):
        QTest.mouseMove(pane, a + (b - a) * n / 8)
    QTest.mouseRelease(pane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, b)


def draw_figures(studio: Studio, home: Path) -> OpenCase:
    """Open a series of the demo patient, draw all FIGURES on its axial pane and return the case."""
    window, workspace = studio.window, studio.program.workspace
    place = make_demo(home / "demo", Inline())
    window.files.open(next(p for p in sorted(place.rglob("*")) if p.is_dir() and any(p.glob("*.dcm"))))
    studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the series")
    case = workspace.active
    assert case is not None
    window.side.sections["models"].set_open(open_=False)
    pane = window.panes.findChild(QWidget, "axial_pane")
    assert pane is not None
    workspace.bench.maximised = "axial"
    window.resize(*LARGE)
    for _ in range(5):
        QApplication.processEvents()
    for tool, (start, end) in FIGURES.items():
        action(tool).run(workspace)
        drag(pane, start, end)
    studio.wait(lambda: len(measurements(case)) == len(FIGURES), "the figures")
    return case


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        draw_figures(studio, home)
        studio.wait(lambda: len(window.side.measurements.findChildren(QWidget)) > 20, "the list")
        studio.shoot("measure-dark-large", LARGE)
        studio.shoot("measure-light", SMALL, "light")
        workspace.bench.maximised = ""
        studio.shoot("measure-dark", SMALL)
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
