"""Pictures of objects pointed at on a real chest: ``python -m tests.end_to_end.prompts_pictures DIR``."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from medview.core.prompt import PromptKind
from medview.core.window import Window
from medview.workspace.actions import action

# Sets the platform before Qt looks at it.
from tests.end_to_end.outline_pictures import LEFT, Chest, Place
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home

CTRL, NO_KEY = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


class Pointing(Chest):
    """A hand that points, and waits for what it pointed at."""

    def point(self, *places: Place, negative: bool = False) -> None:
        """Click, or drag where there are several places."""
        key = CTRL if negative else NO_KEY
        QTest.mouseMove(self.pane, self.at(places[0]))
        QTest.mousePress(self.pane, LEFT, key, self.at(places[0]))
        for start, end in pairwise(places):
            for n in range(1, 9):
                part = n / 8
                place = (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)
                QTest.mouseMove(self.pane, self.at(place))
                QApplication.processEvents()
        QTest.mouseRelease(self.pane, LEFT, key, self.at(places[-1]))
        self.studio.wait(lambda: not self.workspace.bench.prompts.working, "the object")
        for _ in range(5):
            QApplication.processEvents()

    def told(self, what: str) -> None:
        """Say what was found."""
        case, segment = self.case, self.case.active_segment
        count = 0 if segment is None else case.labels.segmentation.count(segment)
        volume_ml = count * case.volume.geometry.voxel_volume_mm3 / 1000
        print(f"{what}: {volume_ml:.2f} mL after {self.workspace.bench.prompts.seconds:.2f} s")


def draw(hand: Pointing) -> None:
    """Take all pictures."""
    studio, workspace, case = hand.studio, hand.workspace, hand.case
    case.view.window = Window(40, 400)
    case.view.crosshair_kji = (45, 256, 256)
    hand.take("tool.prompt")
    hand.point((0.466, 0.416))
    hand.told("aorta, a click")
    studio.shoot("prompt-click-dark-large", LARGE)
    hand.point((0.58, 0.50), negative=True)
    hand.told("aorta, a negative click beside it")
    studio.shoot("prompt-negative-dark-large", LARGE)
    hand.take("tool.prompt", SMALL, "light")
    studio.shoot("prompt-list-light", SMALL, "light")

    action("segment.add").run(workspace)
    workspace.bench.prompt_drag = PromptKind.LASSO
    workspace.bench.maximised = "axial"
    hand.take("tool.prompt", SMALL, "dark")
    key = NO_KEY
    ring = [(0.60 + 0.07 * float(np.cos(a)), 0.45 + 0.07 * float(np.sin(a))) for a in np.linspace(0, 5.9, 14)]
    QTest.mouseMove(hand.pane, hand.at(ring[0]))
    QTest.mousePress(hand.pane, LEFT, key, hand.at(ring[0]))
    for place in ring[1:]:
        QTest.mouseMove(hand.pane, hand.at(place))
    studio.shoot("prompt-lasso-drawn-dark", SMALL)
    QTest.mouseRelease(hand.pane, LEFT, key, hand.at(ring[-1]))
    studio.wait(lambda: not workspace.bench.prompts.working, "the object")
    hand.told("heart, a lasso")
    workspace.bench.maximised = ""
    studio.shoot("prompt-lasso-dark", SMALL)

    action("segment.add").run(workspace)
    workspace.bench.prompt_drag = PromptKind.SCRIBBLE
    case.view.window = Window(-500, 1500)
    hand.pane_id = "coronal_pane"
    hand.take("tool.prompt")
    hand.point((0.30, 0.40), (0.33, 0.50), (0.30, 0.60))
    hand.told("lung, a scribble on the coronal plane")
    studio.shoot("prompt-scribble-coronal-dark-large", LARGE)
    studio.shoot("prompt-scribble-coronal-light", SMALL, "light")


def main(folder: Path) -> None:
    """Open the chest and point."""
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
        draw(Pointing(studio))
        studio.window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
