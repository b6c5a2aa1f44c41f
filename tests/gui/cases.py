"""Panes over cases without files, and their pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QCursor, QGuiApplication, QImage, QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import Command
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.plane import Plane
from medview.core.segmentation import Segment
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.core.window import Window
from medview.gui.panes.slice_view import SliceView
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.workspace.hands import Hands
from medview.workspace.jobs import InlineRunner
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.scheme import Scheme
from medview.workspace.services import Services
from medview.workspace.view_state import CaseView
from medview.workspace.workspace import Workspace

SHAPE_KJI = (7, 40, 24)
SPACING_KJI_MM = (4.0, 0.7, 1.3)
BRIGHT_KJI = (1, 9, 17)
"""A voxel to the right of the middle, above it and behind it, so that every flip shows."""
LABELLED_KJI = (5, 31, 6)
PANE_PX = 480
SERIES = Series("1.2.3.4", "1.2.3", modality="CT")
SEGMENT = Segment("s1", "Liver", (86, 180, 233), 0, 1)


def sagittal_geometry() -> Geometry:
    """Return an oblique sagittal acquisition: k to the patient's right, j to the feet, i to the back, 10 degrees off."""
    a, b = np.deg2rad(9.0), np.deg2rad(-6.0)
    turn_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turn_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    axes = turn_z @ turn_x @ np.array([[-1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=float)
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array(SPACING_KJI_MM)
    affine[:3, 3] = (40.0, -25.0, 310.0)
    return Geometry(SHAPE_KJI, affine, "1.2.3")


def screen_position(plane: Plane, voxel_kji: tuple[int, int, int]) -> tuple[float, float, float, float]:
    """Return (x, y, half width, half height) in pixels of a voxel of ``sagittal_geometry`` in a fitted pane, by hand.

    Left of the screen is the patient's right (k grows to the right, so columns of k are turned round) or front (i grows to
    the back); down is the back (i) or the feet (j).
    """
    k, j, i = voxel_kji
    dk, dj, di = SPACING_KJI_MM
    nk, nj, ni = SHAPE_KJI
    columns, rows = {
        Plane.AXIAL: ((nk - 1 - k, nk, dk), (i, ni, di)),
        Plane.CORONAL: ((nk - 1 - k, nk, dk), (j, nj, dj)),
        Plane.SAGITTAL: ((i, ni, di), (j, nj, dj)),
    }[plane]
    mm_per_px = max(columns[1] * columns[2], rows[1] * rows[2]) / PANE_PX
    x, y = (PANE_PX / 2 + (n - (count - 1) / 2) * mm / mm_per_px for n, count, mm in (columns, rows))
    return x, y, columns[2] / mm_per_px / 2, rows[2] / mm_per_px / 2


def make_case(
    geometry: Geometry | None = None,
    voxels: npt.NDArray[np.generic] | None = None,
    series: Series = SERIES,
) -> OpenCase:
    """Return a case with one bright voxel on black, or with ``voxels``."""
    grid = geometry or sagittal_geometry()
    if voxels is None:
        voxels = np.full(grid.shape_kji, -1000, dtype=np.int16)
        voxels[BRIGHT_KJI] = 1000
    load = LoadState(grid.shape_kji[0])
    load.mark_all_ready()
    return OpenCase(
        series,
        VolumeEntry(Verdict.VOLUME, (), grid, grid.shape_kji, ()),
        Volume(voxels, grid, modality="CT", unit="HU", series_uid=series.series_uid),
        load,
        CaseLabels.empty(grid),
        CaseView(BRIGHT_KJI, Window(0, 400)),
    )


def make_workspace(*cases: OpenCase) -> tuple[Workspace, Hands]:
    """Return a workspace with open cases, the last one shown, and its hands."""
    # Panes read neither files nor models, and there is no project.
    nowhere = Path("no models")
    workspace = Workspace(InlineRunner(), Services(InlinePool(), Registry(nowhere, nowhere)))
    for case in cases:
        workspace.add_case(case)
    return workspace, Hands(workspace, Scheme.load())


def make_pane(qtbot: QtBot, workspace: Workspace, hands: Hands, plane: Plane) -> SliceView:
    """Return a pane of PANE_PX x PANE_PX on the screen, with nothing of the window around it."""
    # A test before may have left the system's pointer where the pane will lie, and Qt would say so in the middle.
    QCursor.setPos(QGuiApplication.primaryScreen().geometry().bottomRight())
    workspace.bench.pointed = next(other.value for other in Plane if other is not plane)
    pane = SliceView(workspace, hands, plane.value)
    pane.resize(PANE_PX, PANE_PX)
    qtbot.addWidget(pane)
    with qtbot.waitExposed(pane):
        pane.show()
    return pane


def pane_of(qtbot: QtBot, case: OpenCase, plane: Plane) -> SliceView:
    """Return a pane on the screen over one case."""
    return make_pane(qtbot, *make_workspace(case), plane)


def at(shown: npt.NDArray[np.uint8], x: float, y: float) -> tuple[int, ...]:
    """Return the colour of one of ``pixels``."""
    return tuple(int(c) for c in shown[int(y), int(x)])


def label_voxel(case: OpenCase, segment: Segment, voxel_kji: tuple[int, int, int]) -> None:
    """Label one voxel through the front door."""
    k, j, i = voxel_kji
    box = Box(voxel_kji, (k + 1, j + 1, i + 1))
    layer = case.labels.segmentation.layer(segment.layer_id)
    patch = LabelPatch.between(layer, box, np.full((1, 1, 1), segment.value, dtype=np.uint8))
    assert patch is not None
    case.do(Command("Brush", (patch,)))


def add_segment(case: OpenCase, **changes: object) -> Segment:
    """Add SEGMENT, or a variant of it."""
    segment = replace(SEGMENT, **changes)
    case.labels.segmentation.segments.append(segment)
    return segment


def pixels(widget: QWidget) -> npt.NDArray[np.uint8]:
    """Return what a widget shows, (y, x, RGB), in device pixels."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


class Painted(QObject):
    """Records which part of a widget Qt asked it to draw."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.region = QRegion()
        widget.installEventFilter(self)
        self.forget()

    def forget(self) -> None:
        """Let Qt draw what it still owes, and start counting."""
        for _ in range(3):
            QApplication.sendPostedEvents()
            QApplication.processEvents()
        self.region = QRegion()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.region = self.region.united(event.region())
        return False

    @property
    def area_px(self) -> int:
        return sum(rect.width() * rect.height() for rect in self.region)
