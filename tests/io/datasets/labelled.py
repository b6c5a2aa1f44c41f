"""Labelled cases on their way out: an oblique anisotropic volume and a picture, with all that masks can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from medview.core.annotations import BoxAnnotation
from medview.core.attributes import Attribute
from medview.core.geometry import Calibration, Geometry
from medview.core.segmentation import LabelLayer, Segment, Segmentation, SegmentRole
from medview.core.volume import Rescale, Volume
from medview.io.datasets.dataset_case import DatasetCase
from tests.helpers.grids import turned_grid
from tests.io.datasets.pictures import COLUMNS, ROWS, holed_mask

SHAPE = (4, ROWS, COLUMNS)
GRID = turned_grid(degrees=35.0, shape_kji=SHAPE)
FLAT = Geometry.from_spacing((1, ROWS, COLUMNS), (1.0, 1.0, 1.0), calibration=Calibration.PIXELS)


def volume_of(geometry: Geometry = GRID, seed: int = 0) -> Volume:
    voxels = np.random.default_rng(seed).integers(-500, 1500, geometry.shape_kji).astype(np.int16)
    return Volume(voxels, geometry, modality="CT", rescale=Rescale(2.0, -100.0))


def picture_of(seed: int = 0, *, colour: bool = False) -> Volume:
    shape = (1, ROWS, COLUMNS, 3) if colour else (1, ROWS, COLUMNS)
    return Volume(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8), FLAT)


def drawn(geometry: Geometry = GRID, *, overlap: bool = False, unsure: bool = False) -> Segmentation:
    """Return a lung with a hole and lone pixels, two nodules of a group, and what is asked for."""
    first = np.zeros(geometry.shape_kji, dtype=np.uint8)
    last = geometry.shape_kji[0] - 1
    first[last] = holed_mask()
    first[last, 20:22, 10:15] = 2
    first[last, 0, 37] = 3
    segments = [
        Segment("a", "Lung", (9, 99, 200), 0, 1),
        Segment("b", "Nodule 1", (1, 2, 3), 0, 2, group="Nodule"),
        Segment("c", "Nodule 2", (1, 2, 3), 0, 3, group="Nodule"),
    ]
    layers = {0: LabelLayer.drawn(0, first)}
    if overlap:
        second = np.zeros(geometry.shape_kji, dtype=np.uint8)
        second[last, 4:11, 6:20] = 1
        layers[1] = LabelLayer.drawn(1, second)
        segments.append(Segment("d", "Lobe", (7, 7, 7), 1, 1))
    if unsure:
        third = np.zeros(geometry.shape_kji, dtype=np.uint8)
        third[0, 1:4, 1:4] = 1
        third[last, 3, 5] = 1
        layers[2] = LabelLayer.drawn(2, third)
        segments.append(Segment("e", "Unsure", (8, 8, 8), 2, 1, role=SegmentRole.IGNORE))
    return Segmentation(geometry, layers, segments)


def box_on(geometry: Geometry, low: Any, high: Any, label: str = "cell", flat: int | None = 0) -> BoxAnnotation:
    made = BoxAnnotation.on_grid(f"{label}-{low}", label, geometry, low, high, flat_edge=flat)
    return made if label != "cell" else with_flag(made)


def with_flag(box: BoxAnnotation) -> BoxAnnotation:
    return replace(box, attributes=(Attribute("difficult", "yes"),))


def boxes(geometry: Geometry) -> tuple[BoxAnnotation, ...]:
    """Return boxes between pixels, of one pixel, at the edges, and a solid one."""
    last = geometry.shape_kji[0] - 1
    return (
        box_on(geometry, (last, 3.25, 5.5), (last + 1, 9.75, 17.125)),
        box_on(geometry, (last, 11, 20), (last + 1, 12, 21), 'mark <&> "new" µ, one'),
        box_on(geometry, (last, 0, 0), (last + 1, ROWS, COLUMNS), "all"),
        box_on(geometry, (0, 2.5, 2.5), (last + 1, 6.0, 6.0), "solid", None),
    )


def a_volume(key: str = "ct_1", *, overlap: bool = False, unsure: bool = False, **more: Any) -> DatasetCase:
    return DatasetCase.of(key, volume_of(), drawn(overlap=overlap, unsure=unsure), **more)


def a_picture(key: str = "photo", **more: Any) -> DatasetCase:
    return DatasetCase.of(key, picture_of(), boxes=boxes(FLAT), **more)
