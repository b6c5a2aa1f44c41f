"""Boxes from heatmaps: decoded, thinned out, and back in the patient."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from medview.core.job import Inline
from medview.core.prediction import Prediction
from medview.core.source import Source
from medview.core.volume import Volume
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.runners.candidates import Candidates, suppress
from medview.ml.runners.detector import detect
from medview.ml.runners.job import RunningJob
from medview.ml.runners.memory_plan import MemoryPlan
from medview.ml.runners.precision import Precision
from medview.ml.runners.preprocess import prepare
from medview.ml.runners.watched import Stopwatch
from medview.ml.spec import Crop
from tests.ml.runners.test_preprocess import turned
from tests.ml.small_packs import document, oblique_geometry, small_pack

CUBE_KJI = (5, 9, 13)
"""Odd sides, so that every cube has a middle voxel."""

FULL = Precision(torch.device("cpu"), None)


class BrightCubes(nn.Module):
    """Answers with the middle of each bright cube: what a trained network would say, computed by averaging."""

    stride = 4

    def __init__(self, spacing_kji_mm: tuple[float, float, float]) -> None:
        super().__init__()
        self.identity = nn.Identity()
        self._size = torch.tensor(CUBE_KJI) * torch.tensor(spacing_kji_mm)

    def forward(self, volume: torch.Tensor) -> dict[str, torch.Tensor]:
        volume = self.identity(volume)
        pad = [p for n in reversed(CUBE_KJI) for p in (n // 2, n // 2)]
        # Only where the whole cube is seen is the mean 1.
        mean = functional.avg_pool3d(functional.pad(volume, pad), CUBE_KJI, stride=1)
        middle, at = functional.max_pool3d(mean, 4, return_indices=True)
        k, j, i = (torch.div(at, d, rounding_mode="floor") for d in (volume.shape[3] * volume.shape[4], volume.shape[4], 1))
        within = torch.cat([k % 4, (j % volume.shape[3]) % 4, (i % volume.shape[4]) % 4], dim=1).float()
        size = self._size.view(1, 3, 1, 1, 1).expand_as(within)
        return {"heatmap": (middle - 0.9) * 100.0, "size_mm": size, "offset": (within + 0.5) / 4 - 0.5}


def cubes(middles_kji: list[tuple[int, int, int]], shape_kji: tuple[int, int, int] = (40, 72, 80)) -> Volume:
    voxels = np.zeros(shape_kji, dtype=np.int16)
    for middle in middles_kji:
        voxels[tuple(slice(m - n // 2, m + n // 2 + 1) for m, n in zip(middle, CUBE_KJI, strict=True))] = 1
    return Volume(voxels, oblique_geometry(shape_kji, (3.0, 1.0, 0.8)), "CT", "HU", series_uid="1.2.3")


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> ModelPack:
    content = document("detection")
    wanted = {**content["input"], "spacing_kji_mm": [3.0, 1.0, 0.8], "orientation": "SPL", "intensity": []}
    tiling = {"tile_kji": [24, 32, 32], "overlap": 0.5, "blend": "gaussian"}
    return small_pack(tmp_path_factory.mktemp("packs") / "pack", "detection", input=wanted, tiling=tiling)


def found(volume: Volume, pack: ModelPack) -> Prediction:
    prepared = prepare([volume], pack.spec.input, Inline())
    plan = MemoryPlan(torch.device("cpu"), (1, 1, 1), 2, 0)
    network = BrightCubes(prepared.spacing_kji_mm).eval()
    job = RunningJob(
        PredictRequest(volume, pack),
        Inline(),
        Stopwatch(),
        Source(job_id="job"),
        plan,
        network,
        prepared,
        Precision(plan.device, None),
    )
    with torch.inference_mode():
        boxes = detect(job).boxes
    return Prediction("detection", pack.spec.name, job.source, volume.geometry, boxes=boxes)


MIDDLES = [(6, 10, 12), (20, 36, 40), (35, 66, 70), (20, 10, 70), (12, 50, 22)]


def test_each_object_gives_one_box_exactly_around_it(pack: ModelPack) -> None:
    volume = cubes(MIDDLES)
    boxes = found(volume, pack).boxes
    bounds = sorted(np.concatenate(box.bounds_kji(volume.geometry)).round(3).tolist() for box in boxes)
    half = np.asarray(CUBE_KJI) / 2
    expected = sorted(np.concatenate([np.add(m, 0.5) - half, np.add(m, 0.5) + half]).round(3).tolist() for m in MIDDLES)
    assert np.allclose(bounds, expected, atol=1e-3)
    assert {box.label for box in boxes} == {"Nodule"}


@pytest.mark.parametrize(
    ("axes", "flips"),
    [((0, 1, 2), (True, False, True)), ((2, 0, 1), (False, True, True)), ((1, 2, 0), (True, True, False))],
)
def test_boxes_lie_on_the_same_patient_however_the_input_is_stored(
    pack: ModelPack, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> None:
    volume = cubes(MIDDLES)
    corners = [sorted(b.corners_lps_mm().round(2).tolist()) for b in found(volume, pack).boxes]
    others = [sorted(b.corners_lps_mm().round(2).tolist()) for b in found(turned(volume, axes, flips), pack).boxes]
    assert len(corners) == len(MIDDLES)
    assert np.allclose(sorted(corners), sorted(others), atol=0.03)


def test_a_volume_smaller_than_a_tile_is_padded_and_boxes_stay_in_place(pack: ModelPack) -> None:
    volume = cubes([(6, 10, 12)], (13, 20, 25))
    (box,) = found(volume, pack).boxes
    low, high = box.bounds_kji(volume.geometry)
    assert np.allclose(low, [4, 6, 6], atol=1e-3)
    assert np.allclose(high, [9, 15, 19], atol=1e-3)


def test_an_empty_volume_has_no_boxes(pack: ModelPack) -> None:
    assert found(cubes([]), pack).boxes == ()


def candidates(*rows: tuple[float, float, int]) -> Candidates:
    """Cubes of side 10 at positions along i, with scores and classes."""
    low = np.asarray([[0.0, 0.0, place] for place, _, _ in rows])
    return Candidates(low, low + 10.0, np.asarray([s for _, s, _ in rows]), np.asarray([c for _, _, c in rows]))


def test_of_overlapping_boxes_of_one_class_the_better_stays() -> None:
    several = candidates((0.0, 0.5, 0), (2.0, 0.9, 0), (2.0, 0.4, 1), (30.0, 0.3, 0))
    assert suppress(several, 0.5, 50, Inline()).tolist() == [1, 2, 3]
    # Intersection over union of cubes 2 apart is 8 / 12.
    assert suppress(several, 0.7, 50, Inline()).tolist() == [1, 0, 2, 3]
    assert suppress(several, 0.5, 2, Inline()).tolist() == [1, 2]


def test_nothing_suppressed_to_nothing() -> None:
    none = Candidates(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros(0, dtype=np.int64))
    assert suppress(none, 0.5, 5, Inline()).tolist() == []


def test_what_is_cropped_away_moves_no_box(pack: ModelPack) -> None:
    volume = cubes([(20, 36, 40), (35, 66, 70)])
    cropping = dataclasses.replace(pack.spec.input, crop=Crop.NONZERO)
    cropped = dataclasses.replace(pack, spec=dataclasses.replace(pack.spec, input=cropping))
    assert prepare([volume], cropping, Inline()).crop.min_kji != (0, 0, 0)
    whole, part = (
        sorted(np.concatenate(box.bounds_kji(volume.geometry)).round(3).tolist() for box in found(volume, one).boxes)
        for one in (pack, cropped)
    )
    assert len(whole) == 2
    assert np.allclose(whole, part, atol=1e-3)
