"""Cutting the active segment with an outline, drawn on a slice or over the picture in three dimensions."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.language import _
from medview.core.screen_map import ScreenMap
from medview.edit.outline import Prism
from medview.edit.whole_masks import cut
from medview.scene.camera import Shot
from medview.workspace.label_writing import AT_ONCE_VOXELS, LabelWriting, may_write
from medview.workspace.stage import Stage


def cut_away(stage: Stage, prism: Prism) -> bool:
    """Take what a prism holds away from the active segment, or what it does not, as the bench says.

    Returns
    -------
    bool
        It was done or there was nothing to do; False, after saying why, where it cannot be done now.
    """
    case, outside = stage.case, stage.bench.cut_outside
    if not may_write(stage, erase=True):
        return False
    segment = case.active_segment
    assert segment is not None
    box = case.labels.segmentation.box(segment)
    region = None if box is None else box if outside else prism.box(box)
    if region is None or region.empty:
        stage.say(_("There is nothing of {name} to cut there.").format(name=segment.name))
        return True
    if stage.later is not None and math.prod(region.shape_kji) > AT_ONCE_VOXELS:
        return stage.later.start(case, cut(prism, outside=outside))
    writing = LabelWriting(stage, "scissors", erase=True)
    writing.write(prism.pieces(region, outside=outside))
    if writing.commit(f"Cut {writing.name}") is None:
        stage.say(_("There is nothing of {name} to cut there.").format(name=segment.name))
    return True


def seen_in(shot: Shot, geometry: Geometry) -> ScreenMap:
    """Return where voxels lie in a picture in three dimensions: millimetres towards the eye, pixels down, pixels right."""
    right, up, eye = shot.orbit.axes_lps
    lps_to_screen = np.stack([eye, -up / shot.mm_per_px, right / shot.mm_per_px])
    width, height = shot.size_px
    middle = np.array([0.0, height / 2, width / 2])
    offset = middle + lps_to_screen @ (geometry.affine_lps[:3, 3] - shot.focus_lps_mm)
    return ScreenMap(lps_to_screen @ geometry.affine_lps[:3, :3], offset)


def cut_in_picture(stage: Stage, shot: Shot, corners_px: npt.ArrayLike) -> bool:
    """Cut with an outline over a picture in three dimensions, through everything that is seen behind it.

    Parameters
    ----------
    corners_px : array_like, shape (n, 2)
        Pixels (x, y) from the upper left corner of the picture.
    """
    corners = np.asarray(corners_px, dtype=np.float64)[:, ::-1]
    return cut_away(stage, Prism(corners, seen_in(shot, stage.case.volume.geometry)))
