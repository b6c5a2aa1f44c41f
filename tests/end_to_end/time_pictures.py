"""Pictures of a series in time and its curve: ``python -m tests.end_to_end.time_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from medview.core.plane import Plane
from medview.core.window import Window
from medview.workspace.actions import action
from medview.workspace.measuring import measurements

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import SMALL, Studio, private_home
from tests.helpers.contrast import LESION_KJI, TIMES_S, VESSEL_KJI, write_contrast

from tests.end_to_end.measure_pictures import drag  # isort: skip


def shoot_both(studio: Studio, name: str, theme: str, dialog: QWidget, folder: Path) -> None:
    """Write a picture of the window with the curve over it, as it stands on a screen."""
    studio.shoot(name, SMALL, theme)
    picture = QPixmap(str(folder / f"{name}.png"))
    painter = QPainter(picture)
    at = QPoint(picture.width() - dialog.width() - 330, picture.height() - dialog.height() - 60)
    painter.drawPixmap(at, dialog.grab())
    painter.end()
    picture.save(str(folder / f"{name}.png"))


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        write_contrast(home / "contrast")
        window.files.open(home / "contrast")
        studio.wait(lambda: workspace.active is not None and len(workspace.active.times) == len(TIMES_S), "the times")
        case = workspace.active
        assert case is not None
        window.side.sections["models"].set_open(open_=False)
        case.view.window = Window(100.0, 400.0, "Contrast")
        case.view.crosshair_kji = VESSEL_KJI
        for _ in range(3):
            window.actions_table.run("time.next")
        window.actions_table.run("time.curve")
        studio.wait(lambda: window.findChild(QWidget, "time curve") is not None, "what draws curves")
        curve = window.findChild(QWidget, "time curve")
        assert curve is not None
        shoot_both(studio, "time-voxel-dark", "dark", curve, folder)
        workspace.bench.maximised = Plane.AXIAL
        window.side.sections["planes"].set_open(open_=True)
        studio.shoot("time-axial-dark", SMALL)
        window.side.sections["planes"].set_open(open_=False)
        case.view.crosshair_kji = LESION_KJI
        pane = window.panes.findChild(QWidget, "axial_pane")
        assert pane is not None
        action("tool.ellipse").run(workspace)
        drag(pane, (0.52, 0.53), (0.62, 0.63))
        studio.wait(lambda: len(measurements(case)) == 1, "the ellipse")
        workspace.bench.maximised = None
        curve.plot.index_wanted.emit(7)  # type: ignore[attr-defined]  # the dialog is found by its name
        shoot_both(studio, "time-region-dark", "dark", curve, folder)
        shoot_both(studio, "time-region-light", "light", curve, folder)
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
