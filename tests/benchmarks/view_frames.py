"""From a change to pixels: scrolling, a moving crosshair and brush strokes in panes of 1600 x 1000 pixels."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from medview.core.axes import Axes
from medview.core.geometry import Geometry
from medview.core.plane import Plane
from medview.core.segmentation import COLOUR_CYCLE
from medview.core.slab import Slab, SlabMode
from medview.core.window import Window
from medview.gui.panes.pane_grid import PaneGrid
from medview.gui.panes.slice_view import SliceView
from medview.gui.parts.theme import apply_theme
from medview.workspace.brush_range import set_brush_range
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.view_state import Camera, Mode, Tool
from medview.workspace.wheel import step_slice
from medview.workspace.workspace import Workspace
from tests.benchmarks.brush import RADIUS_VOXELS, big_case
from tests.benchmarks.row import Row, percentile
from tests.gui.cases import make_case, make_workspace

SIZE_PX = (1600, 1000)
SHAPE_KJI = (400, 512, 512)
FRAMES = 120
_WARM_UP = 8


def rows() -> list[Row]:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    apply_theme(app)
    return [*_looking(), *_oblique(), *_painting()]


def _looking() -> list[Row]:
    case = _body()
    grid, workspace = _window(case)
    view, middle = case.view, [n // 2 for n in SHAPE_KJI]
    note = "512 x 512 x 400, five segments"

    def turn(axis: int) -> Callable[[int], None]:
        return lambda n: view.set_slice(axis, middle[axis] - FRAMES // 2 + n)

    def cross(n: int) -> None:
        view.crosshair_kji = (middle[0] - 50 + n, middle[1] - 40 + n, middle[2] - 60 + n)

    def zoom(n: int) -> None:
        view.set_camera(Plane.AXIAL, Camera((n / 4, -n / 4), 1 + n / 60))

    def window(n: int) -> None:
        view.window = Window(40 + n, 400 + 2 * n)

    result = [_row("crosshair moving 3 panes", cross, 16.0, note)]
    workspace.bench.maximised = "axial"
    _settle()
    result.append(_row("scroll one pane 1600x1000", turn(0), 10.0, note))
    result.append(_row("window drag, one pane 1600x1000", window, None, note))
    result.append(_row("zoom, one pane 1600x1000", zoom, None, note))
    workspace.bench.maximised = "sagittal"
    _settle()
    result.append(_row("scroll sagittal 1600x1000", turn(2), 10.0, note))
    result += _slabs(workspace, turn)
    grid.close()
    return result


def _slabs(workspace: Workspace, turn: Callable[[int], Callable[[int], None]]) -> list[Row]:
    """Scroll slabs of ten slices in the plane they were acquired in and across it."""
    result = []
    for plane, axis, thickness_mm in ((Plane.AXIAL, 0, 10.0), (Plane.SAGITTAL, 2, 7.0)):
        workspace.bench.maximised = plane.value
        for mode in (SlabMode.MAXIMUM, SlabMode.MEAN):
            workspace.bench.slab = Slab(mode, thickness_mm)
            _settle()
            result.append(_row(f"scroll {plane.value} {mode.title} of 10 slices", turn(axis), 33.0, "1600 x 1000"))
    workspace.bench.slab = Slab()
    return result


def _oblique() -> list[Row]:
    """Turn a plane through a volume as a hand on the crosshair's lines does, step across it, and turn slabs."""
    shape_kji = (512, 512, 512)
    voxels = np.random.default_rng(0).integers(-1000, 1000, shape_kji, dtype=np.int16)
    case = make_case(Geometry.from_spacing(shape_kji, (1.0, 0.7, 0.7)), voxels)
    case.view.window = Window(40, 400)
    case.view.crosshair_kji = (256, 256, 256)
    grid, workspace = _window(case)
    workspace.bench.maximised = "axial"
    start = Axes().turned((0.3, 1.0, 0.2), 0.4)

    def turn(n: int) -> None:
        case.view.axes = start.turned((0.0, 1.0, 0.0), np.radians(n / 2))

    def step(n: int) -> None:
        step_slice(case, Plane.AXIAL, 1 if n < FRAMES // 2 else -1)

    note = "512 x 512 x 512, pane 1600 x 1000"
    result = [_row("oblique plane turning, 512^3", turn, 16.0, note)]
    result.append(_row("oblique plane stepping, 512^3", step, 16.0, note))
    for mode in (SlabMode.MAXIMUM, SlabMode.MEAN):
        workspace.bench.slab = Slab(mode, 8.0)
        _settle()
        result.append(_row(f"oblique 10-layer slab turning, {mode.title}", turn, 33.0, f"{note}, coarse while it moves"))
    grid.close()
    return result


def _painting() -> list[Row]:
    case = big_case()
    for n in range(30):
        labels.add_segment(case, f"Organ {n}")
    grid, workspace = _window(case)
    bench = workspace.bench
    bench.mode, bench.tool, bench.maximised = Mode.ANNOTATE, Tool.BRUSH, "axial"
    bench.brush_radius_mm = RADIUS_VOXELS * case.volume.geometry.spacing_kji_mm[2]
    set_brush_range(bench, case, (-10.0, 10.0))
    _settle()
    pane = grid.panes["axial"]

    def stroke(n: int) -> None:
        _mouse(pane, QEvent.Type.MouseMove, 400.0 + 5.0 * n, 200.0 + 300.0 * abs(np.sin(n / 15)))
        # Moves are gathered up to the next turn of the event loop; what they come to is drawn in the one after.
        QApplication.processEvents()

    result = []
    for title in ("disc", "sphere", "threshold disc", "disc at an angle"):
        bench.brush_sphere = title == "sphere"
        bench.tool = Tool.THRESHOLD_BRUSH if title == "threshold disc" else Tool.BRUSH
        case.view.axes = Axes().turned((0.3, 1.0, 0.2), 0.4) if title == "disc at an angle" else None
        _settle()
        _mouse(pane, QEvent.Type.MouseButtonPress, 400.0, 200.0)
        note = f"mouse move to pixels, radius {RADIUS_VOXELS} voxels, 512 x 512 x 1000, 30 segments"
        result.append(_row(f"brush {title} to pixels", stroke, 12.0, note))
        _mouse(pane, QEvent.Type.MouseButtonRelease, 900.0, 500.0)
    note = f"one stroke of {FRAMES} moves"
    result.append(_row("undo of a stroke to pixels", lambda _n: case.undo(), None, note, frames=1))
    grid.close()
    return result


def _body() -> OpenCase:
    rng = np.random.default_rng(0)
    voxels = rng.integers(-1000, 1000, SHAPE_KJI, dtype=np.int16)
    case = make_case(Geometry.from_spacing(SHAPE_KJI, (1.0, 0.7, 0.7)), voxels)
    case.view.window = Window(40, 400)
    k, j, i = np.ogrid[: SHAPE_KJI[0], : SHAPE_KJI[1], : SHAPE_KJI[2]]
    for n in range(5):
        segment = labels.add_segment(case, f"Organ {n}")
        assert segment.colour == COLOUR_CYCLE[n]
        ball = ((k - 200) / 2) ** 2 + (j - 150 - n * 50) ** 2 + (i - 120 - n * 70) ** 2 < (60 + 10 * n) ** 2
        case.labels.segmentation.layer(segment.layer_id).voxels[ball] = segment.value
    return case


def _window(case: OpenCase) -> tuple[PaneGrid, Workspace]:
    workspace, hands = make_workspace(case)
    grid = PaneGrid(workspace, hands)
    grid.resize(*SIZE_PX)
    grid.show()
    _settle()
    return grid, workspace


def _settle() -> None:
    for _ in range(5):
        QApplication.processEvents()


def _row(name: str, change: Callable[[int], object], budget_ms: float | None, note: str, frames: int = FRAMES) -> Row:
    """Measure change and repaint. The note tells the processor time, which other programs do not lengthen."""
    samples, processor = [], []
    for n in range(frames):
        started, worked = time.perf_counter(), time.process_time()
        change(n)
        QApplication.processEvents()
        samples.append(time.perf_counter() - started)
        processor.append(time.process_time() - worked)
    warm_up = min(_WARM_UP, frames - 1)
    middle = percentile(samples[warm_up:], 50)
    note = f"p50 {middle:.1f} ms, processor {percentile(processor[warm_up:], 50):.1f} ms; {note}"
    return Row(f"{name}, p95", percentile(samples[warm_up:], 95), "ms", budget_ms, note)


def _mouse(pane: SliceView, kind: QEvent.Type, x: float, y: float) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind == QEvent.Type.MouseMove else left
    held = none if kind == QEvent.Type.MouseButtonRelease else left
    at = QPointF(x, y)
    event = QMouseEvent(kind, at, QPointF(pane.mapToGlobal(at)), button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(pane, event)
