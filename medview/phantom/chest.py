"""A computed tomography of the chest of a person who does not exist, with its truth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.phantom.anatomy import Anatomy
from medview.phantom.grid import Array, Grid, coverage, paint
from medview.phantom.nodules import Lesion, place_lesions
from medview.phantom.organs import (
    HILUM_LEFT_MM,
    HILUM_RIGHT_MM,
    airways,
    great_vessels,
    gullet,
    joined,
    paint_abdomen,
    paint_heart,
)
from medview.phantom.thorax import AIR_HU, paint_lungs, paint_spine, paint_table, paint_wall, shapes
from medview.phantom.vessels import Tubes, grow_tree

LUNGS, NODULE, HEART, SPINE = 1, 2, 3, 4
LABEL_NAMES = {LUNGS: "Lungs", NODULE: "Nodule", HEART: "Heart", SPINE: "Spine"}
"""Values of the truth; a nodule's voxels are not lung."""

SHAPE_KJI = (112, 224, 224)
SPACING_KJI_MM = (2.5, 1.6, 1.6)

MOST_NODULES = 6
WITHOUT_NODULES = 0.4
"""Share of patients without any nodule when the number is left to chance."""

TIPS_PER_TREE = 170

_TREES, _NODULES, _SETTING, _GROWTH = 1, 2, 3, 4
"""Independent random streams of one person, so that asking for fewer nodules moves no vessel."""


@dataclass(frozen=True, slots=True, eq=False)
class ChestPhantom:
    """A chest and what is known about it.

    Attributes
    ----------
    hu : ndarray of int16, shape (k, j, i)
        Hounsfield units.
    geometry : Geometry
        Axial; k to the head, LPS millimetres.
    labels : ndarray of uint8, shape (k, j, i)
        See ``LABEL_NAMES``; 0 is everything else.
    lesions : tuple of Lesion
        Centres in LPS millimetres of ``geometry``. A follow-up lists the same nodules in the same order.
    seed : int
    visit : int
        0, or 1 for a follow-up.
    """

    hu: npt.NDArray[np.int16]
    geometry: Geometry
    labels: npt.NDArray[np.uint8]
    lesions: tuple[Lesion, ...]
    seed: int
    visit: int = 0

    def lesion_mask(self, lesion: Lesion) -> tuple[Box, npt.NDArray[np.bool_]]:
        """Return the box of voxels around one nodule and its mask in there."""
        grid = Grid.of(self.geometry)
        region = lesion.region(grid)
        mask = np.zeros(self.labels.shape, dtype=np.bool_)
        mask[region] = lesion.distance(grid.part(region)) < 0
        box = Box.around(mask) or Box((0, 0, 0), (0, 0, 0))
        return box, mask[box.slices]


def chest(
    seed: int,
    *,
    shape_kji: tuple[int, int, int] = SHAPE_KJI,
    spacing_kji_mm: tuple[float, float, float] = SPACING_KJI_MM,
    nodules: int | None = None,
    follow_up_of: ChestPhantom | None = None,
) -> ChestPhantom:
    """Compute a chest CT. The same arguments give the same voxels.

    Parameters
    ----------
    seed : int
        The person.
    shape_kji, spacing_kji_mm
        The grid; about 280 x 360 x 360 mm hold the whole chest.
    nodules : int, optional
        How many to place; by default drawn: none in ``WITHOUT_NODULES`` of all patients, else 1 to ``MOST_NODULES``. In
        crowded lungs fewer may find room.
    follow_up_of : ChestPhantom, optional
        An earlier visit of the same ``seed``: same anatomy, patient placed anew, new noise, nodules grown.

    Returns
    -------
    ChestPhantom
    """
    if follow_up_of is not None and follow_up_of.seed != seed:
        raise ValueError("a follow-up needs the seed of the first visit")
    visit = 0 if follow_up_of is None else follow_up_of.visit + 1
    person = np.random.default_rng([seed])
    anatomy = Anatomy.drawn(person)
    setting = np.random.default_rng([seed, _SETTING, visit])
    shift_lps_mm = _triple(setting.normal(0, 1.5, 3))
    grid = Grid.centred(shape_kji, spacing_kji_mm, shift_lps_mm)

    shape = shapes(grid, anatomy)
    hu = np.full(shape_kji, AIR_HU, dtype=np.float32)
    paint_table(hu, grid, anatomy)
    paint_wall(hu, grid, shape, anatomy, person)
    paint_abdomen(hu, grid, shape, anatomy, person)
    heart = paint_heart(hu, grid, shape, anatomy)
    paint_lungs(hu, grid, shape, anatomy, person)
    spine = paint_spine(hu, grid, anatomy, person)
    plan = _plan(seed, anatomy, nodules)
    large = _paint_tubes(hu, grid, anatomy, plan.vessels)

    lesions = plan.lesions
    for earlier in range(visit):
        growth = np.random.default_rng([seed, _GROWTH, earlier])
        lesions = tuple(lesion.grown(growth) for lesion in lesions)
    nodule = np.zeros(shape_kji, dtype=np.bool_)
    for lesion in lesions:
        region = lesion.region(grid)
        distance = lesion.distance(grid.part(region))
        paint(hu[region], coverage(distance), lesion.tissue_hu)
        nodule[region] |= distance < 0

    labels = np.zeros(shape_kji, dtype=np.uint8)
    labels[heart] = HEART
    # A large vessel at the edge of a lung is not lung; one inside it is, as in masks drawn by hand.
    labels[(shape.lung_mm < 0) & ~large] = LUNGS
    labels[spine] = SPINE
    labels[nodule] = NODULE
    _add_noise(hu, anatomy, setting)
    geometry = Geometry.from_spacing(
        shape_kji,
        spacing_kji_mm,
        _triple(-(n - 1) / 2 * spacing for n, spacing in zip(shape_kji[::-1], spacing_kji_mm[::-1], strict=True)),
    )
    moved = tuple(
        replace(lesion, centre_lps_mm=_triple(c - m for c, m in zip(lesion.centre_lps_mm, shift_lps_mm, strict=True)))
        for lesion in lesions
    )
    return ChestPhantom(np.rint(np.clip(hu, -1024, 3071)).astype(np.int16), geometry, labels, moved, seed, visit)


def _triple(numbers: Iterable[float]) -> tuple[float, float, float]:
    a, b, c = (float(number) for number in numbers)
    return a, b, c


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What is placed before anything is painted."""

    vessels: Tubes
    lesions: tuple[Lesion, ...]


def _plan(seed: int, anatomy: Anatomy, nodules: int | None) -> _Plan:
    """Grow the lung vessels and place the nodules, on a coarse grid of their own so that no image grid changes them."""
    grid = Grid.centred((70, 90, 90), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0))
    lung_mm = shapes(grid, anatomy).lung_mm
    vessels = _lung_vessels(grid, lung_mm, anatomy, np.random.default_rng([seed, _TREES]))
    rng = np.random.default_rng([seed, _NODULES])
    drawn = 0 if rng.random() < WITHOUT_NODULES else int(rng.integers(1, MOST_NODULES + 1))
    count = drawn if nodules is None else nodules
    thin = vessels.start_radius_mm < 2.5
    lesions = place_lesions(count, grid, lung_mm, vessels.start_lps_mm[thin], rng)
    return _Plan(vessels, lesions)


def _lung_vessels(grid: Grid, lung_mm: Array, anatomy: Anatomy, rng: np.random.Generator) -> Tubes:
    """Grow an artery and a vein tree into each lung."""
    inside = np.argwhere(lung_mm < -3.0)
    points = np.stack(
        [grid.x_mm.ravel()[inside[:, 2]], grid.y_mm.ravel()[inside[:, 1]], grid.z_mm.ravel()[inside[:, 0]]], axis=1
    ).astype(np.float64)
    trees = []
    for hilum_mm in (HILUM_LEFT_MM, HILUM_RIGHT_MM):
        side = points[np.sign(points[:, 0]) == np.sign(hilum_mm[0])]
        for offset_mm in ((0, 0, 2), (0, 7, -13)):
            tips = side[rng.choice(len(side), TIPS_PER_TREE, replace=False)] + rng.uniform(-2, 2, (TIPS_PER_TREE, 3))
            root = (np.array(hilum_mm) + offset_mm) * anatomy.size
            trees.append(grow_tree(root, tips, rng, root_radius_mm=6.5))
    return joined(trees)


def _paint_tubes(hu: Array, grid: Grid, anatomy: Anatomy, lung_vessels: Tubes) -> npt.NDArray[np.bool_]:
    """Paint blood vessels, the oesophagus and the airways; return the mask of the great vessels, shape (k, j, i)."""
    large = _paint_cover(hu, grid, great_vessels(anatomy), anatomy.blood_hu)
    _paint_cover(hu, grid, gullet(anatomy), 38.0)
    _paint_cover(hu, grid, lung_vessels, anatomy.blood_hu)
    air = airways(anatomy)
    _paint_cover(hu, grid, air.thicker(1.2), 0.0)
    _paint_cover(hu, grid, air, AIR_HU + 8)
    return np.asarray(large >= 0.5)


def _paint_cover(hu: Array, grid: Grid, tubes: Tubes, tissue_hu: float) -> Array:
    cover = np.zeros_like(hu)
    tubes.cover(grid, cover)
    paint(hu, cover, tissue_hu)
    return cover


def _add_noise(hu: Array, anatomy: Anatomy, rng: np.random.Generator) -> None:
    """Add noise that is correlated inside a slice, as a reconstruction kernel leaves it."""
    noise = rng.standard_normal(hu.shape, dtype=np.float32)
    for axis in (1, 2):
        near = np.moveaxis(noise, axis, 0)
        near[1:-1] = 0.25 * (near[:-2] + 2 * near[1:-1] + near[2:])
    # Twice (1 2 1) / 4 leaves 6/16 of the deviation.
    noise *= np.float32(anatomy.noise_hu * 16 / 6)
    hu += noise
