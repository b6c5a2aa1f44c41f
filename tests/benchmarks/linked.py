"""Four linked panes, each with a series of its own and labels, on 1600 x 1000 pixels."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QApplication

from medview.core.geometry import Geometry
from medview.core.plane import Plane
from medview.core.study import Series
from medview.core.window import Window
from medview.gui.panes.pane_grid import PaneGrid
from medview.gui.parts.theme import apply_theme
from medview.workspace.layout import grid
from medview.workspace.layout_actions import look_along, use_layout
from medview.workspace.links import Linker
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.view_state import Links
from tests.benchmarks.row import Row
from tests.benchmarks.view_frames import SIZE_PX, _row, _settle
from tests.gui.cases import make_case, make_workspace

SHAPE_KJI = (160, 512, 512)


def rows() -> list[Row]:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    apply_theme(app)
    cases = [_series(n) for n in range(4)]
    workspace, hands = make_workspace(*cases)
    use_layout(workspace, grid(2, 2))
    linker = Linker(workspace)
    panes = PaneGrid(workspace, hands)
    panes.resize(*SIZE_PX)
    panes.show()
    _settle()
    first = workspace.case_in("1")
    assert first is not None
    view, note = first.view, "four series of 512 x 512 x 160 in one frame of reference, three segments each"

    def scroll(n: int) -> None:
        view.set_slice(0, 20 + n)

    workspace.bench.foreign_labels_visible = False
    _settle()
    result = [_row("scroll 4 linked panes with their labels", scroll, 16.0, note)]
    workspace.bench.foreign_labels_visible = True
    _settle()
    result.append(_row("scroll 4 linked panes, each with the labels of all four", scroll, None, note))
    workspace.bench.links = Links(zoom=True, pan=True, window=True)

    def window(n: int) -> None:
        view.window = Window(40 + n, 400 + 2 * n)

    def pan(n: int) -> None:
        view.set_camera(Plane.AXIAL, view.cameras[Plane.AXIAL].panned(0.3, -0.2))

    result.append(_row("window drag, 4 linked panes", window, None, note))
    result.append(_row("move the picture, 4 linked panes", pan, None, note))
    look_along(workspace, "2", Plane.CORONAL)
    look_along(workspace, "3", Plane.SAGITTAL)
    _settle()
    result.append(_row("reference lines following, 4 panes", lambda n: view.set_slice(0, 20 + n), None, note))
    del linker
    panes.close()
    return result


def _series(number: int) -> OpenCase:
    rng = np.random.default_rng(number)
    voxels = rng.integers(-1000, 1000, SHAPE_KJI, dtype=np.int16)
    geometry = Geometry.from_spacing(SHAPE_KJI, (1.0, 0.7, 0.7), frame_of_reference_uid="1.2.3")
    case = make_case(geometry, voxels, Series(f"1.2.3.{number}", "1.2", modality="CT"))
    case.view.window = Window(40, 400)
    k, j, i = np.ogrid[: SHAPE_KJI[0], : SHAPE_KJI[1], : SHAPE_KJI[2]]
    for n in range(3):
        segment = labels.add_segment(case, f"Organ {n}")
        ball = (k - 80) ** 2 + (j - 150 - n * 80) ** 2 + (i - 120 - n * 90) ** 2 < (50 + 10 * n) ** 2
        case.labels.segmentation.layer(segment.layer_id).voxels[ball] = segment.value
    return case
