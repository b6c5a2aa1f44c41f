from __future__ import annotations

import numpy as np
import pytest

from medview.core.errors import GeometryError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.segmentation import LabelLayer, Segment, Segmentation
from medview.core.volume import Rescale, Volume
from medview.scene.prepare import factors_kji, small_labels, small_volume
from medview.scene.presets import PARTS
from tests.scene.drawing import ball_centre, ball_volume, turned_affine


def centre_of_mass_lps_mm(voxels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    weight = np.clip(voxels.astype(float) + 1000.0, 0, None)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in voxels.shape), indexing="ij"), axis=-1)
    mean = (index * weight[..., None]).reshape(-1, 3).sum(axis=0) / weight.sum()
    return np.asarray(affine[:3, :3] @ mean + affine[:3, 3])


def test_a_thin_sliced_scan_becomes_few_voxels_about_as_long_as_wide() -> None:
    geometry = Geometry.from_spacing((1000, 512, 512), (0.7, 0.8, 0.8))
    fk, fj, fi = factors_kji(geometry)
    assert -(-1000 // fk) * -(-512 // fj) * -(-512 // fi) <= 192**3
    assert max(fk * 0.7, fj * 0.8, fi * 0.8) / min(fk * 0.7, fj * 0.8, fi * 0.8) < 1.5


def test_a_small_volume_keeps_its_voxels() -> None:
    assert factors_kji(Geometry.from_spacing((40, 50, 34), (1, 1, 1))) == (1, 1, 1)


@pytest.mark.parametrize("shape", [(2000, 512, 512), (3, 4000, 3000), (5000, 8, 8), (2, 2, 100_000)])
def test_no_shape_becomes_more_than_a_graphics_card_takes(shape: tuple[int, int, int]) -> None:
    factors = factors_kji(Geometry.from_spacing(shape, (1, 1, 1)))
    counts = [-(-n // f) for n, f in zip(shape, factors, strict=True)]
    assert np.prod(counts) <= 192**3
    assert min(counts) >= 2


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.parametrize("shear", [0.0, 0.35])
def test_what_is_in_the_volume_stays_where_it_is_in_the_patient(shear: float, left_handed: bool) -> None:
    geometry = turned_affine((2.5, 0.9, 0.7), shear, left_handed=left_handed)
    volume = ball_volume(geometry)
    grid = small_volume(volume, Inline(), most_voxels=30_000)
    assert grid.voxels.size <= 30_000
    assert centre_of_mass_lps_mm(grid.voxels, grid.affine_lps) == pytest.approx(ball_centre(geometry), abs=0.15)
    assert np.linalg.det(grid.affine_lps[:3, :3]) < 0, "i, j, k are not right-handed"


def test_values_of_ct_are_hounsfield_units_of_the_file() -> None:
    geometry = Geometry.from_spacing((8, 8, 8), (1, 1, 1))
    volume = Volume(np.full((8, 8, 8), 700, np.int16), geometry, modality="CT", unit="HU", rescale=Rescale(2.0, -1000.0))
    assert np.unique(small_volume(volume, Inline()).voxels).tolist() == [400]


def test_other_values_run_from_nothing_to_all_parts() -> None:
    geometry = Geometry.from_spacing((12, 40, 40), (1, 1, 1))
    rng = np.random.default_rng(3)
    volume = Volume(rng.uniform(5000, 9000, (12, 40, 40)).astype(np.float32), geometry, modality="MR")
    voxels = small_volume(volume, Inline()).voxels
    assert 0 <= voxels.min() < 200
    assert 700 < voxels.max() <= PARTS


def test_what_lies_outside_the_field_of_view_is_empty() -> None:
    geometry = Geometry.from_spacing((8, 16, 16), (1, 1, 1))
    stored = np.full((8, 16, 16), 60, np.int16)
    stored[:, :8] = 3000
    volume = Volume(stored, geometry, modality="CT", unit="HU", padding=(3000, 3000))
    voxels = small_volume(volume, Inline()).voxels
    assert voxels[4, 2, 8] == -1024
    assert voxels[4, 14, 8] == 60


def test_a_colour_volume_is_seen_by_its_brightness() -> None:
    geometry = Geometry.from_spacing((4, 8, 8), (1, 1, 1))
    stored = np.zeros((4, 8, 8, 3), np.uint8)
    stored[:, :, 4:] = (30, 60, 240)
    voxels = small_volume(Volume(stored, geometry, modality="OT"), Inline()).voxels
    assert voxels[2, 4, 1] == 0
    assert voxels[2, 4, 7] > 400


@pytest.mark.parametrize(
    ("shape", "calibration", "said"),
    [((1, 8, 8), Calibration.VOLUME, "single slice"), ((9, 8, 8), Calibration.IN_PLANE, "no known distance")],
)
def test_what_has_no_depth_is_refused_in_one_sentence(
    shape: tuple[int, int, int], calibration: Calibration, said: str
) -> None:
    geometry = Geometry.from_spacing(shape, (1, 1, 1), calibration=calibration)
    with pytest.raises(GeometryError, match=said):
        small_volume(Volume(np.zeros(shape, np.int16), geometry), Inline())


def test_labels_are_copies_at_the_places_of_the_voxels_taken() -> None:
    geometry = turned_affine((2.5, 0.9, 0.7), 0.2)
    layer = LabelLayer(0, np.zeros(geometry.shape_kji, np.uint8))
    layer.voxels[10:30, 20:60, 30:80] = 3
    hidden = Segment("b", "Hidden", (1, 2, 3), 0, 4, visible=False)
    segmentation = Segmentation(geometry, {0: layer}, [Segment("a", "Liver", (9, 8, 7), 0, 3), hidden])
    grids, styles = small_labels(segmentation, segmentation.segments[:1], most_voxels=40_000)
    layer.voxels[...] = 0
    assert [(s.name, s.value, s.layer) for s in styles] == [("Liver", 3, 0)]
    index = np.argwhere(grids[0].voxels == 3)
    places = index @ grids[0].affine_lps[:3, :3].T + grids[0].affine_lps[:3, 3]
    back = geometry.index_kji(places)
    assert back == pytest.approx(np.rint(back), abs=1e-6)
    assert back.min(axis=0) == pytest.approx((10, 20, 30), abs=2.01)
    assert back.max(axis=0) == pytest.approx((29, 59, 79), abs=2.01)
