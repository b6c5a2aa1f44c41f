"""The chest phantom and its truth."""

import numpy as np
import pytest

from medview.phantom.chest import HEART, LUNGS, NODULE, SPINE, ChestPhantom, chest
from medview.phantom.nodules import GROWTH, LARGEST_MM, SMALLEST_MM

SEED = 4


@pytest.fixture(scope="module")
def phantom() -> ChestPhantom:
    return chest(SEED, nodules=5)


@pytest.fixture(scope="module")
def follow_up(phantom: ChestPhantom) -> ChestPhantom:
    return chest(SEED, nodules=5, follow_up_of=phantom)


def _millilitres(phantom: ChestPhantom, value: int) -> float:
    return float((phantom.labels == value).sum()) * phantom.geometry.voxel_volume_mm3 / 1000


def test_the_same_seed_gives_the_same_bytes(phantom: ChestPhantom) -> None:
    again = chest(SEED, nodules=5)
    assert again.hu.tobytes() == phantom.hu.tobytes()
    assert again.labels.tobytes() == phantom.labels.tobytes()
    assert again.lesions == phantom.lesions


def test_another_seed_is_another_person(phantom: ChestPhantom) -> None:
    small = {"shape_kji": (28, 60, 60), "spacing_kji_mm": (10.0, 6.0, 6.0)}
    one, other = chest(SEED, **small), chest(SEED + 1, **small)
    assert (one.labels != other.labels).mean() > 0.005


def test_every_nodule_asked_for_is_there_with_a_diameter_of_6_to_20_mm(phantom: ChestPhantom) -> None:
    assert len(phantom.lesions) == 5
    assert all(SMALLEST_MM <= lesion.diameter_mm <= LARGEST_MM for lesion in phantom.lesions)


def test_a_patient_without_nodules_has_no_nodule_voxels() -> None:
    healthy = chest(SEED, nodules=0)
    assert healthy.lesions == ()
    assert not (healthy.labels == NODULE).any()


def test_nodules_are_of_soft_tissue_where_the_labels_say_so(phantom: ChestPhantom) -> None:
    for lesion in phantom.lesions:
        box, mask = phantom.lesion_mask(lesion)
        assert (phantom.labels[box.slices][mask] == NODULE).all()
        # The middle of a nodule is its tissue; its rim is mixed with lung.
        core = lesion.tissue_hu - 25, lesion.tissue_hu + 25
        k, j, i = np.rint(phantom.geometry.index_kji(lesion.centre_lps_mm)).astype(int)
        assert core[0] < phantom.hu[k - 1 : k + 2, j - 1 : j + 2, i - 1 : i + 2].mean() < core[1] or lesion.diameter_mm < 9
        assert -250 < phantom.hu[box.slices][mask].mean() < 100


def test_nodule_voxels_fill_the_volume_of_a_ball_of_the_diameter(phantom: ChestPhantom) -> None:
    for lesion in phantom.lesions:
        _, mask = phantom.lesion_mask(lesion)
        filled = mask.sum() * phantom.geometry.voxel_volume_mm3
        assert filled == pytest.approx(lesion.volume_mm3, rel=0.25 if lesion.diameter_mm < 9 else 0.06)


def test_all_nodule_voxels_belong_to_a_listed_nodule(phantom: ChestPhantom) -> None:
    listed = sum(int(phantom.lesion_mask(lesion)[1].sum()) for lesion in phantom.lesions)
    assert listed == int((phantom.labels == NODULE).sum())


def test_vessels_run_into_nodules(phantom: ChestPhantom) -> None:
    """Around some nodules the lung holds tissue brighter than lung that is not nodule."""
    touched = 0
    for lesion in phantom.lesions:
        box, _ = phantom.lesion_mask(lesion)
        around = box.padded((2, 3, 3)).clipped(phantom.geometry.shape_kji).slices
        lung = phantom.labels[around] == LUNGS
        touched += int((phantom.hu[around][lung] > -300).sum() > 15)
    assert touched >= 2


def test_organs_have_human_sizes_and_densities(phantom: ChestPhantom) -> None:
    assert 2000 < _millilitres(phantom, LUNGS) < 6000
    assert 200 < _millilitres(phantom, HEART) < 900
    assert 150 < _millilitres(phantom, SPINE) < 500
    assert -900 < phantom.hu[phantom.labels == LUNGS].mean() < -750
    assert 20 < phantom.hu[phantom.labels == HEART].mean() < 220
    assert 150 < phantom.hu[phantom.labels == SPINE].mean() < 600


def test_the_patient_lies_as_the_geometry_says(phantom: ChestPhantom) -> None:
    """Spine behind the heart, heart to the left of the spine, spine through the whole stack."""
    heart, spine = (
        phantom.geometry.point_lps_mm(np.argwhere(phantom.labels == value)).mean(axis=0) for value in (HEART, SPINE)
    )
    assert spine[1] > heart[1] + 40
    assert heart[0] > spine[0] + 5
    assert (phantom.labels == SPINE).any(axis=(1, 2)).all()


def test_a_finer_grid_shows_the_same_anatomy(phantom: ChestPhantom) -> None:
    coarse = chest(SEED, nodules=5, shape_kji=(70, 112, 112), spacing_kji_mm=(4.0, 3.2, 3.2))
    assert _millilitres(coarse, LUNGS) == pytest.approx(_millilitres(phantom, LUNGS), rel=0.02)
    assert [lesion.diameter_mm for lesion in coarse.lesions] == [lesion.diameter_mm for lesion in phantom.lesions]
    assert np.allclose([c.centre_lps_mm for c in coarse.lesions], [c.centre_lps_mm for c in phantom.lesions])


def test_nodules_have_grown_at_the_follow_up(phantom: ChestPhantom, follow_up: ChestPhantom) -> None:
    assert follow_up.visit == 1
    assert len(follow_up.lesions) == len(phantom.lesions)
    for before, after in zip(phantom.lesions, follow_up.lesions, strict=True):
        assert GROWTH[0] <= after.diameter_mm / before.diameter_mm <= GROWTH[1]
        assert follow_up.lesion_mask(after)[1].sum() > 1.4 * phantom.lesion_mask(before)[1].sum()


def test_the_follow_up_is_the_same_person_lying_a_little_differently(
    phantom: ChestPhantom, follow_up: ChestPhantom
) -> None:
    moved = np.subtract(
        [lesion.centre_lps_mm for lesion in follow_up.lesions], [lesion.centre_lps_mm for lesion in phantom.lesions]
    )
    assert np.ptp(moved, axis=0).max() < 1e-9
    assert 0.1 < np.abs(moved[0]).max() < 8
    assert _millilitres(follow_up, HEART) == pytest.approx(_millilitres(phantom, HEART), rel=0.02)


def test_a_follow_up_of_another_person_is_refused(phantom: ChestPhantom) -> None:
    with pytest.raises(ValueError, match="seed of the first visit"):
        chest(SEED + 1, follow_up_of=phantom)
