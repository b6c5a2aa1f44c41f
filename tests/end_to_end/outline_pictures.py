"""Pictures of outlines and regions drawn on a real chest: ``python -m tests.end_to_end.outline_pictures DIR``."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from medview.core.axes import Axes
from medview.core.window import Window
from medview.gui.panes.slice_view import SliceView
from medview.workspace.actions import action
from medview.workspace.open_case import OpenCase

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
Place = tuple[float, float]
"""To the right and down, in parts of the picture."""

AORTA: Sequence[Place] = ((0.466, 0.381), (0.501, 0.416), (0.466, 0.451), (0.431, 0.416))
HEART: Sequence[Place] = ((0.44, 0.36), (0.56, 0.34), (0.66, 0.42), (0.68, 0.53), (0.58, 0.57), (0.47, 0.52))


class Chest:
    """The window with the chest, and a hand on one of its panes."""

    def __init__(self, studio: Studio, pane_id: str = "axial_pane") -> None:
        self.studio, self.window, self.workspace = studio, studio.window, studio.program.workspace
        self.pane_id = pane_id

    @property
    def case(self) -> OpenCase:
        """The chest."""
        assert self.workspace.active is not None
        return self.workspace.active

    @property
    def pane(self) -> SliceView:
        """Where the hand is."""
        found = self.window.panes.findChild(QWidget, self.pane_id)
        assert isinstance(found, SliceView)
        return found

    def at(self, place: Place) -> QPoint:
        """Return a place of the picture in the pane."""
        area = self.pane.picture_rect
        return QPoint(round(area.x() + place[0] * area.width()), round(area.y() + place[1] * area.height()))

    def take(self, tool: str, size: tuple[int, int] = LARGE, theme: str = "dark") -> None:
        """Take a tool, with the window as large as the picture will be: what is begun lies at the same places then."""
        self.studio.program.use_theme(theme)
        self.window.resize(*size)
        for _ in range(10):
            QApplication.processEvents()
        action(tool).run(self.workspace)
        for _ in range(5):
            QApplication.processEvents()

    def click(self, *places: Place) -> None:
        """Click one place after the other."""
        for place in places:
            QTest.mouseMove(self.pane, self.at(place))
            QTest.mouseClick(self.pane, LEFT, NO_KEY, self.at(place))

    def hold(self, *way: Place) -> None:
        """Press and go along a way without letting go."""
        QTest.mouseMove(self.pane, self.at(way[0]))
        QTest.mousePress(self.pane, LEFT, NO_KEY, self.at(way[0]))
        for start, end in pairwise(way):
            for n in range(1, 9):
                part = n / 8
                place = (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)
                QTest.mouseMove(self.pane, self.at(place))

    def let_go(self, place: Place) -> None:
        """Let go of the button."""
        QTest.mouseRelease(self.pane, LEFT, NO_KEY, self.at(place))

    def key(self, key: Qt.Key) -> None:
        """Press a key."""
        QTest.keyClick(self.pane, key)

    def wait_written(self) -> None:
        """Wait until jobs have written what was drawn."""
        later = self.window.hands.later
        self.studio.wait(lambda: not later.going_on, "what was drawn to be written")


def draw(chest: Chest) -> None:
    """Take all pictures."""
    studio, workspace, case = chest.studio, chest.workspace, chest.case
    workspace.bench.maximised = "axial"
    case.view.crosshair_kji = (45, 256, 256)
    case.view.window = Window(40, 400)

    chest.take("tool.lasso")
    chest.click(*HEART[:5])
    QTest.mouseMove(chest.pane, chest.at(HEART[5]))
    studio.shoot("lasso-open-dark-large", LARGE)
    chest.click(HEART[5])
    chest.key(Qt.Key.Key_Return)
    chest.hold(HEART[3], (0.70, 0.56))
    studio.shoot("lasso-pulled-dark-large", LARGE)
    chest.let_go((0.70, 0.56))
    chest.key(Qt.Key.Key_Escape)

    chest.take("tool.livewire", SMALL, "light")
    chest.click(*AORTA[:3])
    QTest.mouseMove(chest.pane, chest.at(AORTA[3]))
    studio.shoot("livewire-light", SMALL, "light")
    chest.click(AORTA[3])
    chest.key(Qt.Key.Key_Return)
    QTest.mouseMove(chest.pane, chest.at(AORTA[1]))
    studio.shoot("livewire-closed-dark", SMALL)
    chest.key(Qt.Key.Key_Return)

    workspace.bench.maximised = ""
    action("segment.add").run(workspace)
    case.view.window = Window(-500, 1500)
    chest.take("tool.grow")
    chest.hold((0.30, 0.50), (0.34, 0.46))
    studio.shoot("grow-dark-large", LARGE)
    chest.let_go((0.34, 0.46))
    chest.wait_written()
    chest.take("tool.fill", SMALL, "light")
    case.view.window = Window(40, 400)
    chest.hold((0.534, 0.582), (0.55, 0.57))
    studio.shoot("fill-light", SMALL, "light")
    chest.key(Qt.Key.Key_Escape)
    chest.let_go((0.55, 0.57))
    case.view.window = Window(-500, 1500)

    axes = Axes.of_grid(case.volume.geometry)
    case.view.axes = axes.turned(axes.head, math.radians(-18.0)).turned(axes.left, math.radians(9.0))
    chest.pane_id = "coronal_pane"
    chest.take("tool.scissors")
    chest.click((0.15, 0.40), (0.48, 0.40), (0.48, 0.62), (0.15, 0.62))
    chest.key(Qt.Key.Key_Return)
    studio.shoot("scissors-oblique-dark-large", LARGE)
    chest.key(Qt.Key.Key_Return)
    chest.wait_written()
    studio.shoot("scissors-cut-dark-large", LARGE)


def draw_in_3d(chest: Chest) -> None:
    """Cut with a line over the 3-D view, and show what is left."""
    studio, workspace, case = chest.studio, chest.workspace, chest.case
    case.view.axes = None
    case.view.active_segment_id = case.labels.segmentation.segments[-1].segment_id
    action("layout.planes-3d").run(workspace)
    chest.take("tool.scissors")
    canvas = chest.window.panes.volume.canvas if chest.window.panes.volume is not None else None
    assert canvas is not None
    workspace.scene.surfaces = True

    def fine() -> bool:
        follower = chest.window.panes.volume.follower
        look = canvas.shown.look if canvas.shown is not None else None
        return look is not None and look.serial >= follower.serial and not look.quick and not follower.labels_wait

    studio.wait(fine, "the 3-D view")
    chest.window.resize(*LARGE)
    for _ in range(20):
        QApplication.processEvents()
    studio.wait(fine, "the 3-D view")
    middle, ring = canvas.rect().center(), [(-130, -60), (-30, -90), (-10, 10), (-60, 60), (-140, 30)]
    places = [middle + QPoint(a, b) for a, b in ring]
    QTest.mousePress(canvas, LEFT, NO_KEY, places[0])
    for start, end in pairwise([*places, places[0]]):
        for n in range(1, 9):
            QTest.mouseMove(canvas, start + (end - start) * n / 8)
    studio.shoot("scissors-3d-dark-large", LARGE)
    before = case.history.next_undo()
    QTest.mouseRelease(canvas, LEFT, NO_KEY, places[0])
    studio.wait(lambda: case.history.next_undo() is not before, "the cut to be written")
    studio.wait(fine, "the 3-D view")
    studio.shoot("scissors-3d-cut-dark-large", LARGE)
    studio.wait(fine, "the 3-D view")
    studio.shoot("scissors-3d-cut-dark-large", LARGE)


def main(folder: Path) -> None:
    """Open the chest and draw."""
    data = os.environ.get("MEDVIEW_TEST_DATA")
    if not data:
        raise SystemExit("MEDVIEW_TEST_DATA has to name the folder with real studies")
    app = QApplication(sys.argv[:1])
    with private_home():
        studio = Studio(app, folder)
        workspace = studio.program.workspace
        studio.window.files.open(Path(data) / "ct-chest")
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the series")
        for name in ("models", "effects"):
            if name in studio.window.side.sections:
                studio.window.side.sections[name].set_open(open_=False)
        draw(Chest(studio))
        draw_in_3d(Chest(studio))
        studio.window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
