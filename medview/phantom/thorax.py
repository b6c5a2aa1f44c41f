"""The chest wall and the lungs inside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from medview.phantom.anatomy import Anatomy
from medview.phantom.grid import AnyFloats, Array, Grid, coverage, paint, smooth_max, superellipse, texture
from medview.phantom.vessels import Tubes

FAT_HU = -98.0
AIR_HU = -1000.0

RIB_STEP_MM = 24.0
RIB_MIDDLE_MM = 5.5
"""Depth of the middle of a rib outside the inner surface of the chest wall."""

FRONT = -np.pi / 2
"""Angle of the breastbone; 0 is the patient's left, a quarter turn the back."""


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Distances to the large surfaces, mm, negative inside, shape (k, j, i).

    Attributes
    ----------
    angle : ndarray, shape (1, j, i)
        Direction from the middle of the chest.
    """

    body_mm: Array
    cage_mm: Array
    diaphragm_mm: Array
    lung_mm: Array
    angle: Array


def spine_centre_mm(anatomy: Anatomy, z_mm: Array) -> tuple[Array, Array]:
    """Return x and y of the middle of the vertebral bodies at heights ``z_mm``."""
    share = z_mm / np.float32(130)
    x = np.float32(anatomy.lean) * np.sin(share * np.float32(2.5))
    y = np.float32(52 * anatomy.depth) - np.float32(9) * share * share
    return x, y


def shapes(grid: Grid, anatomy: Anatomy) -> Shapes:
    """Compute the surfaces of body, rib cage, diaphragm and lungs."""
    s, d = anatomy.size, anatomy.depth
    z = grid.z_mm / np.float32(s)
    body_x = _profile(z, [(-140, 156), (-90, 159), (-20, 163), (50, 166), (95, 163), (140, 140)]) * s
    body_y = _profile(z, [(-140, 112), (-40, 117), (30, 113), (95, 96), (140, 78)]) * s * d
    body_c = _profile(z, [(-140, 0), (30, 2), (95, 10), (140, 16)]) * s
    furrow = 7 * np.exp(-((grid.x_mm / 14) ** 2)) * (grid.y_mm > 0)
    body = superellipse(grid.x_mm, grid.y_mm - body_c, body_x, body_y, 2.5) + furrow

    cage_x = (
        _profile(z, [(-140, 131), (-60, 130), (0, 124), (45, 108), (75, 84), (98, 57), (114, 35), (126, 16), (140, 9)]) * s
    )
    cage_y = (
        _profile(z, [(-140, 84), (-40, 86), (20, 80), (55, 69), (85, 55), (105, 40), (118, 26), (128, 14), (140, 8)])
        * s
        * d
    )
    cage_c = _profile(z, [(-140, -2), (20, 1), (70, 12), (110, 26), (140, 34)]) * s * d
    cage = superellipse(grid.x_mm, grid.y_mm - cage_c, cage_x, cage_y, 2.25)

    diaphragm = _diaphragm(grid, anatomy)
    lung = smooth_max(cage, _mediastinum(grid, anatomy), 14)
    lung = smooth_max(lung, diaphragm, 5)
    angle = np.arctan2(grid.y_mm - np.float32(4), grid.x_mm).astype(np.float32)
    return Shapes(body, cage, diaphragm, lung, angle)


def _profile(z_mm: Array, knots: list[tuple[float, float]]) -> Array:
    """Smooth curve through (z, value) knots, at the slices."""
    heights, values = zip(*knots, strict=True)
    clipped = np.clip(z_mm, heights[0], heights[-1])
    return np.asarray(PchipInterpolator(heights, values)(clipped), dtype=np.float32)


def _diaphragm(grid: Grid, anatomy: Anatomy) -> Array:
    """Distance above the two domes, negative where the lungs are."""
    s = np.float32(anatomy.size)
    x, y = grid.x_mm / s, grid.y_mm / s
    left = 1 / (1 + np.exp(-x / 9))
    right_dome = -50 - 62 * (np.abs(x + 58) / 78) ** 2.4 - 60 * (np.abs(y + 8) / 88) ** 2.4
    left_dome = -62 - 56 * (np.abs(x - 58) / 78) ** 2.4 - 56 * (np.abs(y + 6) / 88) ** 2.4
    height = s * (right_dome + left * (left_dome - right_dome)) - np.float32(anatomy.breath_mm)
    slope = np.hypot(*np.gradient(height[0], *_steps(grid)))[None]
    return np.asarray((height - grid.z_mm) / np.sqrt(1 + slope * slope), dtype=np.float32)


def _steps(grid: Grid) -> tuple[float, float]:
    return float(np.diff(grid.y_mm.ravel()[:2])[0]), float(np.diff(grid.x_mm.ravel()[:2])[0])


def _mediastinum(grid: Grid, anatomy: Anatomy) -> Array:
    """Distance into the space between the lungs, positive inside it."""
    s, d = anatomy.size, anatomy.depth
    y, z = grid.y_mm / np.float32(s * d), grid.z_mm / np.float32(s)
    column = 5 + 22 * np.exp(-(((y + 8 - z * 0.06) / 34) ** 2)) * _profile(
        z, [(-130, 0.9), (-30, 1.05), (20, 1.1), (60, 0.95), (110, 0.7), (140, 0.6)]
    )
    middle = 3 * np.exp(-(((z - 20) / 40) ** 2)) + 4 * np.exp(-(((z + 50) / 40) ** 2))
    outside = np.float32(s) * column - np.abs(grid.x_mm - middle)
    spine_x, spine_y = spine_centre_mm(anatomy, grid.z_mm)
    spine = 24 * s - np.hypot(grid.x_mm - spine_x, (grid.y_mm - spine_y - 4) * np.float32(0.82))
    outside = smooth_max(outside, spine, 8)
    # The arch and the descending aorta push into the left lung.
    aorta_y = _profile(z, [(-140, 30), (-40, 28), (40, 22), (70, 12), (140, 12)]) * s * d
    aorta_x = _profile(z, [(-140, 12), (-60, 22), (20, 29), (50, 28), (66, 22), (72, 8), (140, 8)]) * s
    aorta = 15 * s - np.hypot(grid.x_mm - aorta_x, grid.y_mm - aorta_y)
    outside = smooth_max(outside, aorta, 8)
    heart = -heart_distance(grid, anatomy) + 3
    return smooth_max(outside, heart, 10)


def heart_distance(grid: Grid, anatomy: Anatomy) -> Array:
    """Distance to the surface of the heart, roughly, negative inside."""
    x, y, z = heart_axes(grid, anatomy)
    norm = np.sqrt((x / 60) ** 2 + (y / 43) ** 2 + (z / 42) ** 2)
    return np.asarray((norm - 1) * np.float32(44), dtype=np.float32)


def heart_axes(grid: Grid, anatomy: Anatomy) -> tuple[AnyFloats, AnyFloats, AnyFloats]:
    """Coordinates along the heart's own axes, mm at scale 1: base to tip, then across."""
    scale = np.float32(anatomy.size * anatomy.heart)
    x, y = grid.x_mm - 20 * anatomy.size, grid.y_mm + 24 * anatomy.size
    z = grid.z_mm + np.float32(38 * anatomy.size + 0.5 * anatomy.breath_mm)
    turn = 0.62 + anatomy.heart_turn
    a, b = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    flat_x, flat_y = x * a - y * b, x * b + y * a
    c, e = np.float32(np.cos(0.45)), np.float32(np.sin(0.45))
    return (flat_x * c - z * e) / scale, flat_y / scale, (flat_x * e + z * c) / scale


def paint_wall(hu: Array, grid: Grid, shape: Shapes, anatomy: Anatomy, rng: np.random.Generator) -> None:
    """Paint skin, fat, muscle, ribs, breastbone, shoulder blades and the inside of the chest up to the lungs."""
    fat = np.float32(anatomy.fat_mm) * (1 - 0.35 * np.sin(shape.angle)) * (1 + 0.1 * np.sin(3 * shape.angle))
    mottle = texture(grid.shape_kji, (16, 24, 24), rng)
    paint(hu, coverage(shape.body_mm), 25.0)
    paint(hu, coverage(shape.body_mm + np.float32(2.2)), FAT_HU + 6 * mottle)
    wavy = shape.body_mm + fat + 2.5 * mottle
    paint(hu, coverage(wavy), anatomy.muscle_hu + 4 * mottle)
    # Thin fat planes part the muscles.
    for depth_mm, waves, phase in ((14.0, 3, 0.0), (27.0, 5, 1.0)):
        between = np.abs(shape.cage_mm - depth_mm - 4 * np.sin(waves * shape.angle + phase) - 2 * mottle) - 1.1
        paint(hu, coverage(smooth_max(between, wavy + 4, 1)), FAT_HU + 20)
    _paint_shoulder_blades(hu, grid, shape, anatomy)
    _paint_ribs(hu, grid, shape, anatomy)
    # Fat lines the chest inside the muscles; organs are painted over it.
    paint(hu, coverage(shape.cage_mm + 2), FAT_HU + 6 * mottle)


def _paint_ribs(hu: Array, grid: Grid, shape: Shapes, anatomy: Anatomy) -> None:
    turn = np.abs(np.angle(np.exp(1j * (shape.angle - FRONT)))).astype(np.float32) / np.float32(np.pi)  # 0 front, 1 back
    drop = np.float32(anatomy.size) * (62 * (1 - turn) ** 1.2 - 16 * np.exp(-((turn / 0.16) ** 2)))
    shell = (np.abs(shape.cage_mm - RIB_MIDDLE_MM) < 7) & (grid.z_mm < 118 * anatomy.size)
    k, j, i = np.nonzero(shell)
    depth = shape.cage_mm[k, j, i] - np.float32(RIB_MIDDLE_MM)
    along = turn[0, j, i]
    height = grid.z_mm[k, 0, 0] + drop[0, j, i] + np.float32(anatomy.rib_phase_mm)
    height = np.mod(height, np.float32(RIB_STEP_MM)) - np.float32(RIB_STEP_MM / 2)
    norm = np.sqrt((depth / 3.9) ** 2 + (height / 6.4) ** 2)
    cartilage = along < 0.17
    bone = np.where(norm < 0.6, 190.0, anatomy.bone_hu).astype(np.float32)
    bone = np.where(cartilage, np.float32(105), bone)
    cover = coverage((norm - 1) * np.float32(4.4))
    cover *= (along > 0.035) & (along < 0.93)
    here = hu[k, j, i]
    hu[k, j, i] = here + cover * (bone - here)

    # Breastbone: a flat bone in front of the cage, wider at the top.
    s = anatomy.size
    half_width = _profile(grid.z_mm / s, [(-60, 6), (-30, 15), (20, 16), (40, 20), (62, 27), (75, 18)]) * s
    region = grid.around((-40, -140, -60 * s), (40, -20, 78 * s))
    g = grid.part(region)
    flat = np.maximum(
        np.abs(g.x_mm) - half_width[region[0]],
        np.abs(shape.cage_mm[region] - 6) - 5,
    )
    flat = np.where(g.y_mm < 5, flat, np.float32(9))
    ends = np.maximum(g.z_mm - 74 * s, -48 * s - g.z_mm)
    flat = smooth_max(flat, ends + 0 * flat, 3)
    paint(hu[region], coverage(flat), anatomy.bone_hu * 0.75)
    paint(hu[region], coverage(flat + 2.0), 140.0)


def _paint_shoulder_blades(hu: Array, grid: Grid, shape: Shapes, anatomy: Anatomy) -> None:
    s = anatomy.size
    region = grid.around((-200, -200, 0), (200, 200, 200))
    g = grid.part(region)
    cage = shape.cage_mm[region]
    side = np.abs(np.abs(g.x_mm) - 98 * s) - np.float32(38 * s) * np.clip((g.z_mm - 4) / np.float32(80), 0, 1)
    plate = np.abs(g.y_mm - (58 * s - 0.35 * (np.abs(g.x_mm) - 98 * s))) - 2.6
    flat = np.maximum(np.maximum(plate, side), 20 - cage)
    flat = np.maximum(flat, shape.body_mm[region] + 14)
    paint(hu[region], coverage(flat), anatomy.bone_hu * 0.7)
    for sign in (-1, 1):
        points = [(sign * 22, -62, 84), (sign * 55, -62, 98), (sign * 95, -40, 112), (sign * 128, -18, 118)]
        clavicle = Tubes.along(np.array(points) * s, 5.5)
        _paint_bone_tubes(hu, grid, clavicle, anatomy)


def _paint_bone_tubes(hu: Array, grid: Grid, tubes: Tubes, anatomy: Anatomy) -> None:
    for by_mm, tissue_hu in ((0.0, anatomy.bone_hu), (-2.4, 180.0)):
        cover = np.zeros_like(hu)
        tubes.thicker(by_mm).cover(grid, cover)
        paint(hu, cover, tissue_hu)


def paint_spine(hu: Array, grid: Grid, anatomy: Anatomy, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Paint the spine and return its mask, shape (k, j, i)."""
    s = anatomy.size
    region = grid.around((-70, 5, -1000), (70, 140, 1000))
    g = grid.part(region)
    centre_x, centre_y = spine_centre_mm(anatomy, g.z_mm)
    x, y = g.x_mm - centre_x, g.y_mm - centre_y
    step = np.float32(27 * s)
    height = np.mod(g.z_mm + np.float32(anatomy.rib_phase_mm), step) - step / 2
    share = np.abs(height) / (step / 2)
    waist = 1 - 0.12 * (1 - share**2)
    front = np.hypot(x / (1.18 * waist), y / waist) - np.float32(15.5 * s)
    body = smooth_max(front, np.abs(height) - np.float32(10.8 * s) + 0 * front, 2)
    disc = smooth_max(front + 1.5, np.float32(10.8 * s) - np.abs(height) + 0 * front, 1)

    # The arch: a ring around the canal, processes to the sides and the back, in the middle of each level.
    back_y = y - np.float32(24 * s)
    ring = np.abs(np.hypot(x, back_y) - np.float32(10.5 * s)) - np.float32(2.8)
    level = np.abs(height + 2) - np.float32(8.5 * s)
    sides = np.maximum(np.abs(back_y - 2 - 0.25 * np.abs(x)) - 4.2, np.abs(x) - np.float32(32 * s))
    sides = np.maximum(np.maximum(sides, np.abs(height - 4) - 5), 10 * s - np.abs(x))
    spinous = np.maximum(np.abs(x) - 2.8, np.abs(back_y - np.float32(20 * s)) - np.float32(11 * s))
    spinous = np.maximum(spinous, np.abs(height + 5) - 8)
    arch = np.minimum(np.minimum(np.maximum(ring, level), sides), spinous)

    part = hu[region]
    grain = texture(part.shape, (40, 40, 40), rng)
    canal = np.hypot(x, back_y) - np.float32(8.5 * s) + 0 * height
    paint(part, coverage(canal), 22.0)
    paint(part, coverage(disc), 78.0)
    paint(part, coverage(arch), anatomy.bone_hu * 0.8)
    paint(part, coverage(arch + 2.2), 210.0)
    paint(part, coverage(body), anatomy.bone_hu * 0.72)
    paint(part, coverage(body + 1.7), 165 + 32 * grain)
    mask = np.zeros(hu.shape, dtype=np.bool_)
    mask[region] = np.minimum(np.minimum(body, disc), arch) < 0
    return mask


def paint_lungs(hu: Array, grid: Grid, shape: Shapes, anatomy: Anatomy, rng: np.random.Generator) -> None:
    """Paint lung tissue: denser towards the back, finely mottled."""
    coarse, fine = texture(hu.shape, (14, 18, 18), rng), texture(hu.shape, (60, 100, 100), rng)
    tissue = anatomy.lung_hu + 9 * coarse + 22 * fine
    tissue += np.float32(anatomy.gradient_hu) * np.clip(grid.y_mm / 80, -1, 1)
    paint(hu, coverage(shape.lung_mm), tissue)


def paint_table(hu: Array, grid: Grid, anatomy: Anatomy) -> None:
    """Paint the curved table top under the patient, where there is air."""
    bottom = np.float32(122 * anatomy.size * anatomy.depth)
    depth = grid.y_mm - bottom + (grid.x_mm / 62) ** 2
    top = coverage(np.abs(depth - 4) - 1.6)[0] * (np.abs(grid.x_mm[0]) < 200)
    np.maximum(hu, AIR_HU + 640 * top[None], out=hu)
    core = coverage(np.abs(depth - 14) - 8.0)[0]
    np.maximum(hu, AIR_HU + 60 * core[None], out=hu)
