"""A program on two monitors of different scale: ``python -m tests.gui.two_screens CONFIG``; tells in JSON what it saw."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SCREENS = {
    "screens": [
        {"name": "one", "x": 0, "y": 0, "width": 1280, "height": 800, "dpr": 1},
        {"name": "two", "x": 1280, "y": 0, "width": 2560, "height": 1600, "dpr": 1},
    ]
}
# Windows of the offscreen platform do not take the scale of their screen; Qt's own scaling does what a desktop's would.
SCALES = "one=1;two=2"
WIDTH_PX = 300
SHAPE_KJI = (3, 640, 640)


def main() -> None:
    """Detach a pane to the finer screen, move its window to the coarser one and back, and take the pane home."""
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={sys.argv[1]}"
    os.environ["QT_SCREEN_SCALE_FACTORS"] = SCALES
    from PySide6.QtCore import QEventLoop, QPoint
    from PySide6.QtWidgets import QApplication

    from medview.core.geometry import Geometry
    from medview.core.plane import Plane
    from medview.gui.jobs.job_thread import JobThreads
    from medview.gui.main_window import MainWindow
    from medview.gui.parts.theme_tokens import DARK
    from medview.workspace.actions import action
    from tests.gui.cases import add_segment, make_case, pixels
    from tests.gui.windows import bare_workspace, hands_of

    app = QApplication(sys.argv[:1])
    screens = {screen.name(): screen for screen in app.screens()}

    def wait(condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + 10
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(f"waited in vain for {what}")
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)

    threads = JobThreads()
    workspace = bare_workspace(Path(tempfile.mkdtemp()), threads)
    window = MainWindow(workspace, threads, hands_of(workspace), DARK)
    window.resize(1000, 700)
    window.setScreen(screens["one"])
    window.move(0, 0)
    window.show()
    # Stripes one voxel wide, which only the finer screen has pixels for, and a block of labels.
    voxels = np.full(SHAPE_KJI, -1000, dtype=np.int16)
    voxels[:, :, ::2] = 1000
    case = make_case(Geometry.from_spacing(SHAPE_KJI, (1.0, 1.0, 1.0)), voxels)
    segment = add_segment(case)
    case.labels.segmentation.layer(segment.layer_id).voxels[:, 240:400, 200:440] = segment.value
    workspace.add_case(case)
    case.view.set_slice(0, 1)
    workspace.bench.crosshair_visible = False
    workspace.bench.overlay_opacity = 0.0
    pane_id = Plane.AXIAL.value
    workspace.bench.pointed = pane_id
    pane = window.panes.panes[pane_id]

    def seen() -> dict[str, float]:
        image = pixels(pane).astype(int)
        rows = image.shape[0]
        stripes, middle = image[round(rows * 0.3)], image[rows // 2]
        inner = stripes[round(rows * 0.25) : round(rows * 0.75)].mean(axis=1)
        outline = (middle.max(axis=1) - middle.min(axis=1)) > 40
        return {
            "ratio": pane.devicePixelRatioF(),
            "pixels": rows,
            "contrast": float(inner.std()),
            "outline_pixels": int(outline.sum()),
        }

    found = {"home": seen()}
    action("view.detach").run(workspace)
    frame = window.panes.windows[pane_id]
    frame.resize(WIDTH_PX, WIDTH_PX)
    wait(lambda: pane.width() == WIDTH_PX, "the window to be as large as it is told")

    def move(name: str) -> None:
        frame.move(screens[name].geometry().topLeft() + QPoint(20, 20))
        wait(lambda: pane.devicePixelRatioF() == screens[name].devicePixelRatio(), f"the screen {name}")
        app.processEvents()

    found["detached"] = seen()
    move("one")
    found["moved"] = seen()
    move("two")
    found["back"] = seen()
    frame.close()
    wait(lambda: pane.window() is window and pane.devicePixelRatioF() == 1.0, "the pane to come home")
    app.processEvents()
    found["again"] = seen()
    sys.stdout.write(json.dumps(found) + "\n")
    threads.close()
    window.close()


if __name__ == "__main__":
    main()
