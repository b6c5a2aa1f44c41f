"""Padding of an open series is looked for once, and only when its planes are turned."""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import FileDataset

from medview.analysis.padding_blocks import known_blocks
from medview.core.axes import Axes
from medview.workspace.jobs import InlineRunner
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace
from tests.helpers.dicom_series import asymmetric, write_ct
from tests.workspace.test_key_images import Desk, desk

__all__ = ["desk"]
TITLE = "Looking for padding"


def looked(workspace: Workspace) -> int:
    assert isinstance(workspace.runner, InlineRunner)
    return [job.title for job in workspace.runner.jobs].count(TITLE)


def opened(desk: Desk, folder: Path, padding: int) -> OpenCase:
    voxels = asymmetric()
    voxels[:, :3] = -2000

    def padded(_k: int, ds: FileDataset) -> None:
        ds.PixelPaddingValue = padding

    write_ct(folder, voxels, change=padded)
    return desk.open(folder)


def test_it_is_looked_for_at_the_first_turn_and_kept(desk: Desk, tmp_path: Path) -> None:
    case = opened(desk, tmp_path / "ct", -2000)
    assert case.volume.padding is not None
    assert looked(desk.workspace) == 0
    axes = Axes.of_grid(case.volume.geometry)
    for angle in (0.1, 0.2):
        case.view.axes = axes.turned((1.0, 0.3, 0.0), angle)
    assert looked(desk.workspace) == 1
    blocks = known_blocks(case.volume)
    assert blocks is not None
    assert blocks.any()
    assert blocks.nbytes < case.volume.voxels.size


def test_a_series_without_padding_is_asked_once_and_keeps_nothing(desk: Desk, tmp_path: Path) -> None:
    case = opened(desk, tmp_path / "ct", -3000)
    axes = Axes.of_grid(case.volume.geometry)
    for angle in (0.1, 0.2):
        case.view.axes = axes.turned((1.0, 0.3, 0.0), angle)
    assert looked(desk.workspace) == (1 if case.volume.padding is not None else 0)
    assert known_blocks(case.volume) is None
