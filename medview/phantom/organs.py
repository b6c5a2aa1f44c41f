"""What lies between and below the lungs: heart, great vessels, airways, the organs under the diaphragm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.phantom.anatomy import Anatomy
from medview.phantom.grid import Array, Grid, coverage, paint, smooth_max, texture
from medview.phantom.thorax import AIR_HU, Shapes, heart_axes, heart_distance
from medview.phantom.vessels import Tubes

HILUM_LEFT_MM = (34.0, 4.0, 14.0)
HILUM_RIGHT_MM = (-32.0, 4.0, 8.0)


def paint_abdomen(hu: Array, grid: Grid, shape: Shapes, anatomy: Anatomy, rng: np.random.Generator) -> None:
    """Paint liver, stomach with a gas bubble, and spleen below the diaphragm."""
    s = anatomy.size
    bright = 1.0 if anatomy.contrast else 0.0
    region = (slice(0, int((grid.z_mm.ravel() < -30).sum())), slice(None), slice(None))
    if region[0].stop == 0:
        return
    g, part = grid.part(region), hu[region]
    inside = smooth_max(shape.cage_mm[region] + 4, -shape.diaphragm_mm[region] + 2.5, 6)
    spine = 26 * s - np.hypot(g.x_mm, (g.y_mm - 56 * s) * np.float32(0.85))
    inside = smooth_max(inside, spine + 0 * inside, 6)
    grain = texture(part.shape, (6, 10, 10), rng)
    paint(part, coverage(inside - 3), anatomy.muscle_hu)
    paint(part, coverage(inside), -96 + 5 * grain)
    liver = smooth_max(inside + 1, g.x_mm - 22 * s + 0.5 * (g.y_mm + 10) + 4 * grain, 14)
    paint(part, coverage(liver), 58 + 48 * bright + 5 * grain)
    stomach = np.sqrt(((g.x_mm - 58 * s) / 44) ** 2 + ((g.y_mm + 18) / 40) ** 2 + ((g.z_mm + 118 * s) / 46) ** 2)
    stomach = smooth_max((stomach - 1) * np.float32(42), inside + 2, 5)
    paint(part, coverage(stomach), 62.0)
    paint(part, coverage(smooth_max(stomach + 4, 0 * stomach - 9, 1)), 12.0)
    gas = smooth_max(stomach + 4, g.y_mm + 30 + 0 * stomach, 2)
    paint(part, coverage(gas), AIR_HU + 20)
    spleen = np.sqrt(((g.x_mm - 84 * s) / 34) ** 2 + ((g.y_mm - 42 * s) / 30) ** 2 + ((g.z_mm + 116 * s) / 44) ** 2)
    spleen = smooth_max((spleen - 1) * np.float32(32), inside + 2, 6)
    paint(part, coverage(spleen), 50 + 66 * bright + 4 * grain)


def paint_heart(hu: Array, grid: Grid, shape: Shapes, anatomy: Anatomy) -> npt.NDArray[np.bool_]:
    """Paint the heart with its chambers and return its mask, shape (k, j, i)."""
    s = anatomy.size
    region = grid.around((-70 * s, -100 * s, -115 * s), (110 * s, 50 * s, 35 * s))
    g, part = grid.part(region), hu[region]
    x, y, z = heart_axes(g, anatomy)
    heart = smooth_max(heart_distance(g, anatomy), shape.diaphragm_mm[region] + 1, 5)
    heart = smooth_max(heart, shape.cage_mm[region] + 4, 5)
    wall_hu = 0.55 * anatomy.blood_hu + 28 if anatomy.contrast else anatomy.blood_hu + 6
    paint(part, coverage(heart), wall_hu)
    # Left and right ventricle and atria, base (x < 0) to tip.
    for centre, radii in (
        ((10, 10, 8), (34, 15, 16)),
        ((8, -18, -10), (36, 13, 20)),
        ((-34, 16, 10), (18, 19, 20)),
        ((-30, -12, -12), (19, 17, 22)),
    ):
        chamber = np.sqrt(sum(((c - c0) / r) ** 2 for c, c0, r in zip((x, y, z), centre, radii, strict=True)))
        paint(part, coverage(smooth_max((chamber - 1) * np.float32(min(radii)), heart + 3, 2)), anatomy.blood_hu)
    mask = np.zeros(hu.shape, dtype=np.bool_)
    mask[region] = heart < 0
    return mask


def great_vessels(anatomy: Anatomy) -> Tubes:
    """Aorta, its first branches, upper and lower caval vein, pulmonary trunk and its two arteries."""
    s, d = anatomy.size, anatomy.depth
    aorta = [
        (4, -22, -4),
        (-8, -34, 18),
        (-10, -32, 40),
        (-2, -18, 58),
        (12, 4, 64),
        (23, 20, 52),
        (27, 26, 25),
        (25, 29, -20),
    ]
    aorta += [(20, 31, -60), (12, 31, -100), (8, 30, -150)]
    pieces = [
        (aorta, [15, 16, 15.5, 14.5, 13.5, 13, 12.5, 12, 11.5, 11, 11]),
        ([(-4, -16, 60), (-14, -18, 82), (-20, -14, 120), (-24, -10, 150)], [6, 5.5, 4.5, 4]),
        ([(8, -4, 64), (12, -6, 90), (14, -4, 150)], [4.2, 4, 3.5]),
        ([(16, 6, 64), (22, 8, 90), (32, 6, 150)], [5, 4.5, 4]),
        ([(-26, -20, -20), (-26, -22, 20), (-24, -26, 60), (-26, -30, 90)], [10, 9.5, 8.5, 7]),
        ([(-24, -28, 66), (4, -44, 74), (40, -44, 92), (60, -34, 112)], [6, 5.5, 5, 4.5]),
        ([(-24, -4, -62), (-22, 0, -90), (-20, 4, -150)], [12, 12, 12]),
        ([(14, -48, -8), (14, -40, 12), (12, -24, 24)], [13, 13.5, 13]),
        ([(12, -24, 24), (-8, -8, 16), (-28, 0, 10)], [11, 10, 7.5]),
        ([(12, -24, 24), (26, -6, 24), (33, 4, 15)], [11, 9.5, 7.5]),
        ([(2, 16, -24), (-18, 12, -12), (-32, 6, -4)], [9, 7, 5.5]),
        ([(2, 16, -24), (22, 14, -10), (34, 10, -2)], [9, 7, 5.5]),
    ]
    scale = np.array([s, s * d, s])
    return joined([Tubes.along(np.array(points) * scale, np.array(radii) * s) for points, radii in pieces])


def airways(anatomy: Anatomy) -> Tubes:
    """Windpipe and the main and lobar bronchi, as their air."""
    s = anatomy.size
    fork = (-2, 8, 40)
    pieces = [
        ([(0, -6, 160), (-1, -2, 100), (-1, 5, 60), fork], [9.5, 9, 8.8, 8.5]),
        ([fork, (-18, 8, 26), (-32, 9, 16)], [7.5, 6.8, 6]),
        ([fork, (16, 10, 28), (36, 10, 14)], [6.8, 6.0, 5.4]),
        ([(-32, 9, 16), (-44, 4, 34), (-56, 2, 52)], [4.2, 3.0, 1.6]),
        ([(-32, 9, 16), (-36, 14, -6), (-44, 24, -34), (-54, 34, -56)], [5.0, 4.2, 2.8, 1.4]),
        ([(-36, 12, -4), (-52, -6, -14), (-64, -28, -24)], [3.4, 2.4, 1.2]),
        ([(36, 10, 14), (46, 0, 30), (56, -4, 50)], [4.0, 2.8, 1.5]),
        ([(36, 10, 14), (38, 18, -10), (46, 28, -38), (56, 36, -58)], [4.8, 4.0, 2.6, 1.4]),
        ([(44, 2, 28), (58, -20, 18), (66, -38, 8)], [3.0, 2.2, 1.2]),
    ]
    return joined([Tubes.along(np.array(points) * s, np.array(radii) * s) for points, radii in pieces])


def gullet(anatomy: Anatomy) -> Tubes:
    """The oesophagus, collapsed."""
    points = np.array([(6, 16, 160), (5, 20, 60), (4, 22, 10), (6, 24, -40), (18, 16, -90), (34, 6, -105)])
    return Tubes.along(points * anatomy.size, 7.0)


def joined(pieces: list[Tubes]) -> Tubes:
    """Return many tubes as one."""
    return Tubes(
        np.vstack([p.start_lps_mm for p in pieces]),
        np.vstack([p.end_lps_mm for p in pieces]),
        np.concatenate([p.start_radius_mm for p in pieces]),
        np.concatenate([p.end_radius_mm for p in pieces]),
    )
