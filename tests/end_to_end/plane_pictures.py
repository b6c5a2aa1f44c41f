"""Pictures of layouts and of planes at an angle: ``python -m tests.end_to_end.plane_pictures DIR``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from medview.workspace.actions import action
from medview.workspace.open_case import OpenCase

# Sets the platform before Qt looks at it.
from tests.end_to_end.measure_pictures import drag
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home


def open_series(studio: Studio, folder: Path) -> OpenCase:
    """Open a folder with one series and wait until it is read."""
    workspace = studio.program.workspace
    before = workspace.active
    studio.window.files.open(folder)
    studio.wait(lambda: workspace.active not in (None, before) and workspace.active.ready, f"the series {folder.name}")
    assert workspace.active is not None
    return workspace.active


def main(folder: Path, data: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home():
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        chest = open_series(studio, data / "ct-chest")
        window.resize(*LARGE)
        workspace.bench.crosshair_visible = True
        action("tool.crosshair").run(workspace)
        for _ in range(5):
            QApplication.processEvents()
        pane = window.panes.findChild(QWidget, "axial_pane")
        assert pane is not None
        drag(pane, (0.75, 0.5), (0.72, 0.62))
        assert chest.view.axes is not None
        studio.shoot("planes-oblique-large", LARGE)
        studio.shoot("planes-oblique-light", SMALL, "light")
        action("tool.ellipse").run(workspace)
        coronal = window.panes.findChild(QWidget, "coronal_pane")
        assert coronal is not None
        drag(coronal, (0.42, 0.55), (0.6, 0.72))
        studio.shoot("planes-oblique-region", SMALL)
        action("planes.grid").run(workspace)
        action("tool.window").run(workspace)
        action("layout.1x1").run(workspace)
        studio.shoot("layout-one", SMALL)
        action("layout.1x2").run(workspace)
        studio.shoot("layout-two-empty", SMALL)
        open_series(studio, data / "ct-head-tiny-93")
        studio.shoot("layout-two-patients", SMALL)
        action("layout.2x2").run(workspace)
        studio.shoot("layout-four-light", SMALL, "light")
        window.close()


if __name__ == "__main__":
    studies = Path(os.environ["MEDVIEW_TEST_DATA"])
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures", studies)
