"""A model on 192 x 192 x 160 voxels of 1 mm on the CPU, beside MONAI's inferer with its usual finish.

One and twenty classes at 1.5 mm, and 118 at 3 mm. Both ways run in processes of their own, one after the other; then the
window runs the model in its lane while slices are scrolled. The weights are random and every class wins somewhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from medview.core.plane import Plane
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.panes.pane_grid import PaneGrid
from medview.io.reader_pool import InlinePool
from medview.ml.packs import ModelPack
from medview.ml.registry import Registry
from medview.workspace.hands import Hands
from medview.workspace.jobs import JobStatus
from medview.workspace.operations.predict import run_model
from medview.workspace.scheme import Scheme
from medview.workspace.services import Services
from medview.workspace.wheel import step_slice
from medview.workspace.workspace import Workspace
from tests.benchmarks.model_ways import phantom
from tests.benchmarks.row import Row
from tests.gui.cases import make_case
from tests.ml.runners.test_run import balanced
from tests.ml.small_packs import document

LONGEST_GAP_MS = 50.0

WAIT = QEventLoop.ProcessEventsFlag.WaitForMoreEvents


@dataclass(frozen=True, slots=True)
class Setting:
    classes: int
    spacing_mm: float

    @property
    def name(self) -> str:
        what = "1 class" if self.classes == 1 else f"{self.classes} classes"
        return f"model, {what} at {self.spacing_mm:g} mm"


SETTINGS = (Setting(1, 1.5), Setting(20, 1.5), Setting(118, 3.0))


def rows() -> list[Row]:
    found = []
    for setting in SETTINGS:
        with tempfile.TemporaryDirectory() as place:
            pack = made(setting, Path(place))
            found += beside_monai(setting, Path(place))
            found += beside_window(setting, pack, Path(place))
    return found


def made(setting: Setting, place: Path) -> ModelPack:
    """Write the pack of a setting to ``place/pack``."""
    mm = [setting.spacing_mm] * 3
    intensity = [{"op": "clip", "low": -1000, "high": 1000}, {"op": "scale", "low": -1000, "high": 1000}]
    wanted = {**document()["input"], "spacing_kji_mm": mm, "orientation": None, "intensity": intensity}
    labels = [{"value": n + 1, "name": f"Part {n + 1}"} for n in range(setting.classes)]
    kwargs = {"in_channels": 1, "classes": setting.classes + 1, "channels": [8, 16, 32]}
    tile = 64 if setting.spacing_mm < 2 else 48
    return balanced(
        place / "pack",
        phantom(),
        input=wanted,
        network={"name": "unet3d", "kwargs": kwargs},
        output={"labels": labels},
        tiling={"tile_kji": [tile] * 3, "overlap": 0.5, "blend": "gaussian"},
    )


def beside_monai(setting: Setting, place: Path) -> list[Row]:
    took = {}
    for way in ("ours", "theirs"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.model_ways", way, str(place)],
            check=True,
            capture_output=True,
            text=True,
        )
        took[way] = json.loads(done.stdout.splitlines()[-1])
    found = [
        Row(f"{setting.name}: {stage}", seconds, "s", None, f"{took['theirs']['seconds'][stage]:.2f} s of MONAI")
        for stage, seconds in took["ours"]["seconds"].items()
    ]
    mine, other = (took[way]["peak_bytes"] / 1e6 for way in ("ours", "theirs"))
    found.append(
        Row(f"{setting.name}: peak memory", mine / other, "x", 1.0, f"{mine:.0f} MB against {other:.0f} MB of MONAI")
    )
    labels, judge = (np.load(place / f"{way}.npy") for way in ("ours", "theirs"))
    sizes = [(2 * ((labels == v) & (judge == v)).sum(), (labels == v).sum() + (judge == v).sum()) for v in np.unique(judge)]
    same = float((labels == judge).mean())
    dice = min(common / both for common, both in sizes)
    note = f"{len(sizes)} labels present, {100 * same:.3f} % of the voxels equal"
    return [*found, Row(f"{setting.name}: 1 - Dice with MONAI", 1.0 - float(dice), "", 0.001, note)]


def beside_window(setting: Setting, pack: ModelPack, place: Path) -> list[Row]:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication([])
    volume = phantom()
    case = make_case(volume.geometry, np.rint(volume.values()).astype(np.int16))
    threads = JobThreads()
    workspace = Workspace(threads, Services(InlinePool(), Registry(place / "bundled", place / "user")))
    workspace.add_case(case)
    panes = PaneGrid(workspace, Hands(workspace, Scheme.load()))
    panes.resize(1200, 800)
    panes.show()
    beats: list[tuple[float, str]] = []
    job = run_model(workspace, pack, "cpu")
    assert job is not None

    def beat() -> None:
        beats.append((time.perf_counter(), job.text.split(" ")[0] if job.status is JobStatus.RUNNING else "result"))
        step_slice(case, Plane.AXIAL, 1 if len(beats) % 60 < 30 else -1)

    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(beat)
    timer.start()
    while job.status in (JobStatus.QUEUED, JobStatus.RUNNING):
        application.processEvents(WAIT)
    done = time.perf_counter()
    while not case.labels.proposals:
        application.processEvents(WAIT)
    for _ in range(3):
        application.processEvents()
    painted_s = time.perf_counter() - done
    while time.perf_counter() - done < 0.5:
        application.processEvents(WAIT)
    timer.stop()
    times = np.asarray([at for at, _ in beats])
    worst = int(np.diff(times).argmax())
    gap_ms = 1000.0 * float(np.diff(times)[worst])
    typical_ms = 1000.0 * float(np.median(np.diff(times)))
    note = f"during {beats[worst][1]}; typically {typical_ms:.0f} ms, scrolling every 10 ms"
    panes.close()
    threads.close()
    return [
        Row(f"{setting.name}: paint", painted_s, "s", None, "from the end of the job to the proposal in every pane"),
        Row(f"{setting.name}: longest gap of the window", gap_ms, "ms", LONGEST_GAP_MS, note),
    ]
