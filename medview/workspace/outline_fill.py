"""Filling a closed outline on its picture: what the tools that draw outlines of a segment come to."""

from __future__ import annotations

from collections.abc import Iterator

from medview.core.box import Box
from medview.core.language import _
from medview.core.screen_map import ScreenMap
from medview.edit.outline import Prism
from medview.workspace.label_writing import LabelWriting, may_write
from medview.workspace.outline_clicks import Drawn
from medview.workspace.pointer import Pointer
from medview.workspace.stage import Drag, Stage


def fill(drawn: Drawn) -> bool:
    """Add the voxels that the picture cuts, whose centres the outline holds, to the active segment, or take them away."""
    stage = drawn.stage
    if not may_write(stage, erase=drawn.erase):
        return False
    geometry = stage.case.volume.geometry
    prism = Prism.on_picture(drawn.corners, ScreenMap.of(drawn.layout, geometry), drawn.at)
    pieces = list(prism.pieces(prism.box(Box.whole(geometry.shape_kji))))
    if not pieces:
        stage.say(_("The outline holds the middle of no voxel, so it changed nothing."))
        return True
    writing = LabelWriting(stage, "outline", erase=drawn.erase)
    writing.write(pieces)
    writing.commit(f"{'Erase' if drawn.erase else 'Outline'} {writing.name}")
    return True


def nothing(_stage: Stage, _press: Pointer) -> Drag:
    """Do nothing with a drag that no outline took."""
    steps: Iterator[None] = iter(())
    yield from steps
