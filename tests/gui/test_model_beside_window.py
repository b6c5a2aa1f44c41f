"""A real MeshNet in the real MODEL lane while the window is used: it stays smooth, and Cancel is quick."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.job import Inline
from medview.core.plane import Plane
from medview.core.volume import Volume
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.panes.pane_grid import PaneGrid
from medview.io.load import load_volume
from medview.io.reader_pool import InlinePool
from medview.ml.packs import ModelPack
from medview.ml.registry import Registry
from medview.workspace.hands import Hands
from medview.workspace.jobs import Job, JobStatus
from medview.workspace.load_state import LoadState
from medview.workspace.models import add_model
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations.predict import run_model
from medview.workspace.presets import auto_window
from medview.workspace.scheme import Scheme
from medview.workspace.services import Services
from medview.workspace.view_state import CaseView
from medview.workspace.wheel import step_slice
from medview.workspace.workspace import Workspace
from tests.helpers.timing import allowed_s, typical_of

pytestmark = pytest.mark.data

HEAD = Box((48, 48, 48), (208, 208, 208))
"""The middle 160^3 voxels of the head: seconds of work on two cores."""

LONGEST_STALL_S = 0.05
LONGEST_CANCEL_S = 0.2


class Desk:
    """The panes of a window with a head and a MeshNet."""

    def __init__(self, qtbot: QtBot, threads: JobThreads, volume: Volume, pack: ModelPack, registry: Registry) -> None:
        self.qtbot, self.pack = qtbot, pack
        self.workspace = Workspace(threads, Services(InlinePool(), registry))
        self.case = open_case(volume)
        self.workspace.add_case(self.case)
        self.panes = PaneGrid(self.workspace, Hands(self.workspace, Scheme.load()))
        qtbot.addWidget(self.panes)
        self.panes.resize(1200, 800)
        with qtbot.waitExposed(self.panes):
            self.panes.show()

    def start(self) -> Job:
        job = run_model(self.workspace, self.pack, "cpu")
        assert job is not None
        return job

    def wait(self, job: Job, status: JobStatus) -> None:
        self.qtbot.waitUntil(lambda: job.status is status, timeout=120_000)


def open_case(volume: Volume) -> OpenCase:
    from medview.core.study import Series, Verdict, VolumeEntry

    shape = volume.geometry.shape_kji
    load = LoadState(shape[0])
    load.mark_all_ready()
    return OpenCase(
        Series(volume.series_uid, volume.study_uid),
        VolumeEntry(Verdict.VOLUME, (), volume.geometry, shape, ()),
        volume,
        load,
        CaseLabels.empty(volume.geometry),
        CaseView((80, 80, 80), auto_window(volume, 80)),
    )


@pytest.fixture
def desk(qtbot: QtBot, test_data: Path, tmp_path: Path) -> Iterator[Desk]:
    source = test_data / "weights-brainchop"
    registry = Registry(tmp_path / "bundled", tmp_path / "user")
    pack = add_model(source / "meshnet" / "model5_gw_ae", registry)
    whole = load_volume(source / "t1_crop.nii.gz", None, Inline()).volume
    volume = replace(whole, voxels=whole.voxels[HEAD.slices].copy(), geometry=whole.geometry.cropped(HEAD))
    threads = JobThreads()
    yield Desk(qtbot, threads, volume, pack, registry)
    threads.close()


def test_scrolling_goes_on_without_a_stall_while_the_model_runs(desk: Desk) -> None:
    desk.wait(desk.start(), JobStatus.DONE)

    def longest_gap_s() -> float:
        beats: list[float] = []

        def beat() -> None:
            beats.append(time.perf_counter())
            step_slice(desk.case, Plane.AXIAL, 1 if len(beats) % 60 < 30 else -1)

        timer = QTimer()
        timer.setInterval(10)
        timer.timeout.connect(beat)
        job = desk.start()
        timer.start()
        desk.wait(job, JobStatus.DONE)
        timer.stop()
        assert len(beats) > 30
        return float(np.diff(beats).max())

    assert typical_of(longest_gap_s) <= allowed_s(LONGEST_STALL_S)


def test_the_result_becomes_a_proposal_with_its_source_and_changes_no_label(desk: Desk) -> None:
    desk.wait(desk.start(), JobStatus.DONE)
    (proposal,) = desk.case.labels.proposals.values()
    assert proposal.prediction.source.model_id == desk.pack.spec.id
    assert proposal.prediction.mask is not None
    assert all(count > 100_000 for count in proposal.prediction.mask.counts().values())
    assert desk.case.labels.segmentation.segments == []


@pytest.mark.parametrize("after", [0.05, 0.5])
def test_cancel_ends_the_job_at_once_and_leaves_the_labels_as_they_were(desk: Desk, after: float) -> None:
    desk.wait(desk.start(), JobStatus.DONE)
    # A run that ended is no step of the history: what it proposed goes by a person's act.
    labels.reject(desk.case, next(iter(desk.case.labels.proposals)))

    def seconds_to_stop() -> float:
        job = desk.start()
        desk.qtbot.waitUntil(lambda: job.fraction >= after, timeout=60_000)
        assert job.status is JobStatus.RUNNING
        pressed = time.perf_counter()
        job.cancel()
        desk.wait(job, JobStatus.CANCELLED)
        return time.perf_counter() - pressed

    assert typical_of(seconds_to_stop) <= allowed_s(LONGEST_CANCEL_S)
    assert desk.case.labels.proposals == {}
    desk.wait(desk.start(), JobStatus.DONE)
    assert len(desk.case.labels.proposals) == 1


def test_the_result_of_a_series_that_was_closed_is_dropped(desk: Desk) -> None:
    job = desk.start()
    desk.workspace.close_case(desk.case.key)
    desk.wait(job, JobStatus.DONE)
    assert desk.case.labels.proposals == {}
