"""Volumes that pass for another one: all that is known to have put labels on the wrong patient, drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import LabelArray, Segment, Segmentation
from medview.core.study import Frame, Series, Verdict, VolumeEntry
from medview.core.volume import Volume

SHAPE_KJI = (5, 6, 7)
Dice = np.random.Generator
SEGMENT = Segment("s", "Liver", (86, 180, 233), 0, 1)


def genuine() -> Volume:
    """Return the volume labels are drawn on: oblique, anisotropic, every voxel different."""
    affine = np.eye(4)
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    # k along row x column, as a series is put in order.
    turn[:, 0] = np.cross(turn[:, 2], turn[:, 1])
    affine[:3, :3] = turn * [5.0, 0.9, 0.6]
    affine[:3, 3] = (-31.0, 17.5, 42.25)
    voxels = np.random.default_rng(0).permutation(int(np.prod(SHAPE_KJI))).astype(np.int16).reshape(SHAPE_KJI)
    return Volume(
        voxels,
        Geometry(SHAPE_KJI, affine, "1.2.3.9"),
        modality="CT",
        unit="HU",
        series_uid="1.2.3.4",
        study_uid="1.2.3.3",
        sop_instance_uids=tuple(f"1.2.3.4.{k}" for k in range(SHAPE_KJI[0])),
    )


def entry_of(volume: Volume) -> VolumeEntry:
    """Return what a scan would say of a volume."""
    frames = tuple(Frame(f"{uid}.dcm", sop_instance_uid=uid) for uid in volume.sop_instance_uids)
    return VolumeEntry(Verdict.VOLUME, (), volume.geometry, volume.geometry.shape_kji, frames)


def series_of(volume: Volume) -> Series:
    """Return the series a volume would be found in."""
    return Series(volume.series_uid, volume.study_uid, modality="CT", volumes=(entry_of(volume),))


def drawn() -> LabelArray:
    """Return the voxels of SEGMENT on the genuine volume."""
    mask = np.zeros(SHAPE_KJI, np.uint8)
    mask[1:3, 2:5, 3:7] = 1
    return mask


def drawn_command(volume: Volume) -> Command:
    """Return the command that draws SEGMENT on a volume nobody has drawn in."""
    layer = Segmentation(volume.geometry).layer(0)
    patch = LabelPatch.between(layer, Box.whole(volume.geometry.shape_kji), drawn())
    if patch is None:
        raise ValueError("nothing is drawn")
    return Command("Draw", (SegmentChange(None, SEGMENT, 0), patch), "brush")


@dataclass(frozen=True)
class Impostor:
    """A way to be another volume.

    Attributes
    ----------
    alike : bool
        UIDs and grid are those of the genuine one; only the pixels tell.
    moved : bool
        The grid is another one.
    """

    make: Callable[[Volume, Dice], Volume]
    alike: bool = False
    moved: bool = False


def _pixels(volume: Volume, voxels: npt.NDArray[np.generic]) -> Volume:
    return replace(volume, voxels=np.ascontiguousarray(voxels))


def _one_voxel(volume: Volume, dice: Dice) -> Volume:
    voxels = np.array(volume.voxels)
    voxels[tuple(int(dice.integers(n)) for n in SHAPE_KJI)] += int(dice.choice([-1, 1, 1000]))
    return _pixels(volume, voxels)


def _another_patient(volume: Volume, dice: Dice) -> Volume:
    return _pixels(volume, dice.permutation(volume.voxels.ravel()).reshape(SHAPE_KJI))


def _swapped(volume: Volume, dice: Dice) -> Volume:
    order = np.arange(SHAPE_KJI[0])
    a, b = dice.choice(len(order), 2, replace=False)
    order[[a, b]] = order[[b, a]]
    return _pixels(volume, volume.voxels[order])


def _flipped(volume: Volume, dice: Dice) -> Volume:
    return _pixels(volume, np.flip(volume.voxels, int(dice.integers(3))))


def _rolled(volume: Volume, dice: Dice) -> Volume:
    axis = int(dice.integers(3))
    return _pixels(volume, np.roll(volume.voxels, int(dice.integers(1, SHAPE_KJI[axis])), axis))


def _other_type(volume: Volume, dice: Dice) -> Volume:
    return _pixels(volume, volume.voxels.astype(str(dice.choice(["int32", "uint16", "float32"]))))


def _grid(volume: Volume, affine: npt.NDArray[np.float64]) -> Volume:
    return replace(volume, geometry=Geometry(SHAPE_KJI, affine, volume.geometry.frame_of_reference_uid))


def _shifted(volume: Volume, dice: Dice) -> Volume:
    affine = np.array(volume.geometry.affine_lps)
    step = dice.normal(size=3)
    affine[:3, 3] += step / np.linalg.norm(step) * float(dice.uniform(0.3, 40.0))
    return _grid(volume, affine)


def _turned(volume: Volume, dice: Dice) -> Volume:
    affine = np.array(volume.geometry.affine_lps)
    angle = float(dice.uniform(0.2, 3.0))
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine[:3, :3] = turn @ affine[:3, :3]
    return _grid(volume, affine)


def _stretched(volume: Volume, dice: Dice) -> Volume:
    affine = np.array(volume.geometry.affine_lps)
    affine[:3, int(dice.integers(3))] *= float(dice.uniform(1.05, 2.0))
    return _grid(volume, affine)


def _mirrored(volume: Volume, dice: Dice) -> Volume:
    """The same voxels on a grid that covers the same place and runs the other way along one axis."""
    axis = int(dice.integers(3))
    last = [0, 0, 0]
    last[axis] = SHAPE_KJI[axis] - 1
    affine = np.array(volume.geometry.affine_lps)
    affine[:3, 3] = volume.geometry.point_lps_mm(last)
    affine[:3, axis] *= -1
    return _grid(volume, affine)


def _other_size(volume: Volume, dice: Dice) -> Volume:
    axis = int(dice.integers(3))
    voxels = np.delete(volume.voxels, -1, axis)
    geometry = Geometry(voxels.shape, volume.geometry.affine_lps, volume.geometry.frame_of_reference_uid)  # type: ignore[arg-type]
    uids = volume.sop_instance_uids[: voxels.shape[0]]
    return replace(volume, voxels=np.ascontiguousarray(voxels), geometry=geometry, sop_instance_uids=uids)


def _other_frame(volume: Volume, dice: Dice) -> Volume:
    grid = volume.geometry
    frame = Geometry(SHAPE_KJI, grid.affine_lps, f"1.2.3.9.{dice.integers(1 << 30)}")
    return _other_series(replace(volume, geometry=frame), dice)


def _other_series(volume: Volume, dice: Dice) -> Volume:
    series = f"1.2.3.4.{dice.integers(1000, 1 << 30)}"
    uids = tuple(f"{series}.{k}" for k in range(SHAPE_KJI[0]))
    return replace(_another_patient(volume, dice), series_uid=series, sop_instance_uids=uids)


def _other_study(volume: Volume, dice: Dice) -> Volume:
    return replace(_other_series(volume, dice), study_uid=f"1.2.3.3.{dice.integers(1 << 30)}")


def _other_time(volume: Volume, dice: Dice) -> Volume:
    """The same series and grid, later: as a second time point, a second echo or another volume of a mixed series."""
    uids = tuple(f"1.2.3.5.{dice.integers(1 << 30)}.{k}" for k in range(SHAPE_KJI[0]))
    return replace(_another_patient(volume, dice), sop_instance_uids=uids)


IMPOSTORS: dict[str, Impostor] = {
    "one voxel changed": Impostor(_one_voxel, alike=True),
    "another patient under the same UIDs": Impostor(_another_patient, alike=True),
    "two slices swapped": Impostor(_swapped, alike=True),
    "flipped": Impostor(_flipped, alike=True),
    "rolled by some voxels": Impostor(_rolled, alike=True),
    "stored as another type": Impostor(_other_type, alike=True),
    "grid shifted": Impostor(_shifted, moved=True),
    "grid turned": Impostor(_turned, moved=True),
    "grid stretched": Impostor(_stretched, moved=True),
    "grid mirrored": Impostor(_mirrored, moved=True),
    "a slice, row or column fewer": Impostor(_other_size, moved=True),
    "another frame of reference": Impostor(_other_frame),
    "another series": Impostor(_other_series),
    "another study": Impostor(_other_study),
    "another time point": Impostor(_other_time),
}


def impostors(count: int, seed: int, *, alike: bool | None = None, moved: bool | None = None) -> list[tuple[str, Volume]]:
    """Return ``count`` impostors of the kinds asked for, each kind equally often."""
    dice = np.random.default_rng(seed)
    kinds = [
        (name, one)
        for name, one in IMPOSTORS.items()
        if (alike is None or one.alike is alike) and (moved is None or one.moved is moved)
    ]
    found = []
    while len(found) < count:
        name, one = kinds[len(found) % len(kinds)]
        volume = one.make(genuine(), dice)
        same_pixels = volume.voxels.dtype == genuine().voxels.dtype and np.array_equal(volume.voxels, genuine().voxels)
        if one.alike and same_pixels:
            continue
        found.append((name, volume))
    return found
