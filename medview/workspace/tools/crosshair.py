"""Put the crosshair under the pointer; the other planes follow."""

from __future__ import annotations

from medview.workspace.pointer import Pointer
from medview.workspace.stage import Drag, Stage


def drag(stage: Stage, press: Pointer) -> Drag:
    """Move the crosshair with the hand; outside the grid it stays where it was."""
    _place(stage, press)
    while (move := (yield)) is not None:
        _place(stage, move)


def _place(stage: Stage, pointer: Pointer) -> None:
    voxel = pointer.voxel_kji(stage.case.volume.geometry)
    if voxel is not None and voxel != stage.case.view.crosshair_kji:
        stage.case.view.crosshair_kji = voxel
