"""Makes the pictures of README and docs from the demo study, the same ones every time: ``make pictures``."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Before Qt and MedView look at them.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QThread
from PySide6.QtWidgets import QApplication

from medview.core.axes import Axes
from medview.gui.app import Program
from medview.gui.panes.volume_view import VolumeView
from medview.store.entry import SavedKind
from medview.workspace.actions import action
from medview.workspace.demo import DEMO_MODELS
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.view_state import Mode, Tool

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SMALL, LARGE = (1280, 800), (1920, 1080)
_PATIENCE_S = 180.0


class Studio:
    """A window of its own user, and a camera."""

    def __init__(self, app: QApplication, folder: Path) -> None:
        self._app, self.folder = app, folder
        self.program = Program(app)
        self.window = self.program.window
        self.program.show()
        self.program.begin([], demo=False)

    def wait(self, condition: Callable[[], object], what: str, patience_s: float = _PATIENCE_S) -> None:
        """Let the window work until a condition holds."""
        end = time.monotonic() + patience_s
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(f"waited in vain for {what}")
            self._app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
            # Spinning here, this thread would keep the interpreter from those that work.
            QThread.msleep(5)

    def shoot(self, name: str, size: tuple[int, int], theme: str = "dark") -> None:
        """Write a picture of the window. Times and jobs are left out, since they differ from run to run."""
        self.program.use_theme(theme)
        self.window.resize(*size)
        dot = self.window.status.saved
        self.wait(lambda: dot.state is None or dot.state.kind is SavedKind.SAVED, "the saved dot")
        self.wait(lambda: not self.program.threads.jobs, "the jobs to end")
        self.window.message.clear()
        self.window.start.setFocus()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        for _ in range(5):
            self._app.processEvents()
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.png"
        self.window.grab().save(str(path))
        print(path)


@contextmanager
def private_home() -> Iterator[Path]:
    """Keep the pictures free of what this computer's user has opened."""
    with tempfile.TemporaryDirectory(prefix="medview-pictures-") as name:
        home = Path(name)
        (home / "config").mkdir()
        (home / "config" / "settings.json").write_text(json.dumps({"notice_seen": True}), encoding="utf-8")
        os.environ["MEDVIEW_CONFIG"], os.environ["MEDVIEW_DATA"] = str(home / "config"), str(home / "data")
        os.environ["MEDVIEW_CACHE"] = str(home / "cache")
        yield home


def make_pictures(folder: Path) -> None:
    """Write all pictures into a folder."""
    app = QApplication(sys.argv[:1])
    with private_home():
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        # The line about this computer differs from computer to computer.
        window.start.computer.hide()
        studio.shoot("start-dark", SMALL)
        wanted = [p for p in workspace.services.registry.list() if p.spec.id in DEMO_MODELS]
        window.files.open_demo()
        studio.wait(
            lambda: workspace.active is not None and len(workspace.active.labels.proposals) == len(wanted), "the proposals"
        )
        case = workspace.active
        assert case is not None
        studio.shoot("main-dark", SMALL)
        studio.shoot("main-dark-large", LARGE)
        studio.shoot("main-light", SMALL, "light")
        for proposal_id, proposal in list(case.labels.proposals.items()):
            if proposal.prediction.mask is not None:
                labels.accept(case, proposal_id)
        workspace.bench.mode = Mode.ANNOTATE
        workspace.bench.tool = workspace.bench.last_drawing_tool
        studio.shoot("annotate-dark", SMALL)
        workspace.bench.maximised = "axial"
        studio.shoot("annotate-dark-large", LARGE)
        workspace.bench.identity_hidden = True
        studio.shoot("annotate-light-large", LARGE, "light")
        workspace.bench.identity_hidden, workspace.bench.maximised = False, ""
        workspace.bench.mode, workspace.bench.tool = Mode.READ, Tool.CROSSHAIR
        _reading(studio, case)
        window.close()


def _reading(studio: Studio, case: OpenCase) -> None:
    """Planes at an angle, the 3-D view, the earlier study beside, and the layouts."""
    window, workspace = studio.window, studio.program.workspace
    axes = Axes.of_grid(case.volume.geometry)
    case.view.axes = axes.turned(axes.head, math.radians(-18.0)).turned(axes.left, math.radians(9.0))
    studio.shoot("oblique-dark-large", LARGE)
    studio.shoot("oblique-light", SMALL, "light")
    case.view.axes = None
    workspace.bench.tool = Tool.WINDOW
    action("layout.planes-3d").run(workspace)
    for name, size, theme in (("volume-dark-large", LARGE, "dark"), ("volume-light", SMALL, "light")):
        # The first look gives the pane its size, the second is taken when the view has drawn itself in it.
        studio.shoot(name, size, theme)
        studio.wait(lambda: _drawn(window.panes.volume), "the 3-D view")
        studio.shoot(name, size, theme)
    newest = max(workspace.series, key=lambda series: (series.patient_id == case.series.patient_id, series.study_date))
    window.files.open_series(newest, None)
    studio.wait(
        lambda: workspace.active is not case and workspace.active is not None and workspace.active.ready, "the follow-up"
    )
    action("compare.prior").run(workspace)
    studio.wait(lambda: len(workspace.shown_cases) == 2, "the prior")
    studio.shoot("compare-dark-large", LARGE)
    studio.shoot("compare-light", SMALL, "light")
    action("layout.2x2").run(workspace)
    studio.shoot("layout-dark", SMALL)


def _drawn(view: VolumeView | None) -> bool:
    """Whether the newest fine picture of the 3-D view is shown."""
    if view is None or view.canvas.shown is None:
        return False
    look = view.canvas.shown.look
    return look.serial >= view.follower.serial and not look.quick


if __name__ == "__main__":
    make_pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
