"""The window while a training runs beside it: slices are scrolled and a brush draws, and the longest wait is measured.

The training is a real one of the default recipe, in a process as the window starts it, with lower priority than its own.
What the system as a whole takes from the window counts, so this says something only where nothing else runs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from medview.core.job import JobContext
from medview.core.plane import Plane
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.panes.pane_grid import PaneGrid
from medview.io.reader_pool import InlinePool
from medview.ml.recipes.table import choose
from medview.ml.registry import Registry
from medview.ml.runs.events import read_events
from medview.ml.runs.folder import RunFolder
from medview.ml.spec import Task
from medview.workspace.hands import Hands
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.operations import labels
from medview.workspace.scheme import Scheme
from medview.workspace.services import Services
from medview.workspace.training.freeze import Wanted, freeze
from medview.workspace.training.process import ask_to_stop, start_training
from medview.workspace.wheel import step_slice
from medview.workspace.workspace import Workspace
from tests.benchmarks.model_ways import phantom
from tests.benchmarks.row import Row
from tests.gui.cases import make_case
from tests.helpers.annotating_hand import Hand
from tests.helpers.chest_project import chest_project

LONGEST_GAP_MS = 50.0
WARM_UP_S, MEASURED_S = 5.0, 20.0
_PATIENCE_S = 300.0
WAIT = QEventLoop.ProcessEventsFlag.WaitForMoreEvents


@dataclass(frozen=True, slots=True)
class FreezeLabels:
    """Request: labels frozen for a training, as the window has it done."""

    wanted: Wanted
    path: Path
    title: str = "Freezing"
    lane: Lane = Lane.TRAIN

    def run(self, context: JobContext) -> RunFolder:
        return freeze(self.wanted, self.path, context, InlinePool(), lambda _said: None)


class Stroker(Hand):
    """Draws strokes of the brush."""

    def stroke(self) -> None:
        self._brush()


def rows() -> list[Row]:
    application = QApplication.instance() or QApplication([])
    found = []
    with tempfile.TemporaryDirectory() as place:
        project = chest_project(Path(place), 8, step=2)
        wanted = Wanted(project, Task.SEGMENTATION, choose(Task.SEGMENTATION), confirmed=True)
        run = RunFolder(Path(place) / "run")
        volume = phantom()
        case = make_case(volume.geometry, np.rint(volume.values()).astype(np.int16))
        threads = JobThreads()
        workspace = Workspace(threads, Services(InlinePool(), Registry(Path(place) / "a", Path(place) / "b")))
        workspace.add_case(case)
        labels.add_segment(case, "Liver")
        hands = Hands(workspace, Scheme.load())
        panes = PaneGrid(workspace, hands)
        panes.resize(1200, 800)
        panes.show()
        hand = Stroker(workspace, hands, 7)
        # The first strokes import and make what later ones find.
        _longest(application, workspace, hand, WARM_UP_S)
        alone = _longest(application, workspace, hand)
        frozen: list[object] = []
        threads.submit(FreezeLabels(wanted, run.path), Outcome(frozen.append))
        freezing = _longest(application, workspace, hand, over=lambda: bool(frozen))
        process = start_training(run.path, background=True)
        end = time.monotonic() + _PATIENCE_S
        while not _steps(run) and time.monotonic() < end:
            application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 100)
        before = _steps(run)
        beside = _longest(application, workspace, hand)
        made = _steps(run) - before
        ask_to_stop(process)
        process.wait()
        panes.close()
        threads.close()
    measured = (("alone", alone), ("while labels are frozen", freezing), ("beside a training", beside))
    for name, (gap_ms, note) in measured:
        budget = LONGEST_GAP_MS if name != "alone" else None
        found.append(Row(f"window {name}: longest gap", gap_ms, "ms", budget, note))
    found.append(Row("training beside the window: steps", made / MEASURED_S, "1/s", None, "at lower priority"))
    return found


def _longest(
    application: QApplication,
    workspace: Workspace,
    hand: Stroker,
    seconds: float = MEASURED_S,
    over: Callable[[], bool] = lambda: False,
) -> tuple[float, str]:
    """Return the longest time between two beats in ms, and what else is to be known of them."""
    case = workspace.active
    assert case is not None
    beats: list[float] = []
    strokes = 0

    def beat() -> None:
        nonlocal strokes
        beats.append(time.perf_counter())
        step_slice(case, Plane.AXIAL, 1 if len(beats) % 60 < 30 else -1)
        if len(beats) % 20 == 0:
            hand.stroke()
            strokes += 1

    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(beat)
    timer.start()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end and not over():
        application.processEvents(WAIT)
    timer.stop()
    gaps = np.diff(np.asarray(beats[5:])) * 1000.0
    usual, most, late = np.median(gaps), np.percentile(gaps, 99.5), int((gaps > LONGEST_GAP_MS).sum())
    told = f"typically {usual:.0f} ms, 99.5 % within {most:.0f} ms, {late} of {len(gaps)} over 50 ms, {strokes} strokes"
    return float(gaps.max()), told


def _steps(run: RunFolder) -> int:
    return max((int(event["step"]) for event in read_events(run.events) if event["kind"] == "step"), default=0)
