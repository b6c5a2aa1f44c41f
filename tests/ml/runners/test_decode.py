"""Maps of a pyramid to boxes, by numbers worked out by hand; slices to flat boxes of the patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from medview.core.errors import ModelError
from medview.core.job import Inline
from medview.core.source import Source
from medview.core.volume import Volume
from medview.ml.networks.planar import SliceBySlice
from medview.ml.packs import ModelPack, write_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners.decode import Decoder, decode_levels
from medview.ml.runners.detector import detect
from medview.ml.runners.job import Findings, RunningJob
from medview.ml.runners.memory_plan import MemoryPlan
from medview.ml.runners.precision import Precision
from medview.ml.runners.preprocess import prepare
from medview.ml.runners.run import predict
from medview.ml.runners.watched import Stopwatch
from medview.ml.weights import RESIDENT
from tests.ml.runners.test_preprocess import turned
from tests.ml.small_packs import ct_volume, document, oblique_geometry, small_pack

FPN: dict[str, Any] = {"in_channels": 1, "classes": 1, "channels": [4, 4, 4], "width": 4, "first_level": 1}

FULL = Precision(torch.device("cpu"), None)


def silent(levels: list[tuple[int, ...]], dims: int = 3) -> dict[str, torch.Tensor]:
    """A batch of one tile in which no cell answers."""
    maps: dict[str, torch.Tensor] = {}
    for n, shape in enumerate(levels):
        maps |= {f"logits_{n}": torch.full((1, 2, *shape), -20.0), f"centre_{n}": torch.full((1, 1, *shape), -20.0)}
        maps |= {f"offset_{n}": torch.zeros(1, dims, *shape), f"size_{n}": torch.ones(1, dims, *shape)}
    return maps


def test_a_cell_of_a_coarse_level_is_read_as_computed_by_hand() -> None:
    maps = silent([(8, 12, 16), (4, 6, 8)])
    # Class 1, probability 0.8, centerness 0.5, in the cell (k, j, i) = (1, 2, 5) of the level with cells of 4 voxels.
    maps["logits_1"][0, 1, 1, 2, 5] = float(np.log(0.8 / 0.2))
    maps["centre_1"][0, 0, 1, 2, 5] = 0.0
    maps["offset_1"][0, :, 1, 2, 5] = torch.tensor([0.25, -0.5, 1.0])
    maps["size_1"][0, :, 1, 2, 5] = torch.tensor([3.0, 8.0, 10.0])
    (found,) = decode_levels(maps, [(2, 2, 2), (4, 4, 4)], 0.3)
    # The cell's middle is (1.5, 2.5, 5.5) * 4; the object's (1.75, 2.0, 6.5) * 4 = (7, 8, 26).
    assert found.low_kji.tolist() == [[5.5, 4.0, 21.0]]
    assert found.high_kji.tolist() == [[8.5, 12.0, 31.0]]
    assert found.scores.tolist() == pytest.approx([np.sqrt(0.8 * 0.5)])
    assert found.classes.tolist() == [1]
    assert len(decode_levels(maps, [(2, 2, 2), (4, 4, 4)], 0.64)[0].scores) == 0


def test_maps_of_slices_give_boxes_of_one_slice() -> None:
    maps = silent([(1, 6, 8)], dims=2)
    maps["logits_0"][0, 0, 0, 2, 5] = maps["centre_0"][0, 0, 0, 2, 5] = 9.0
    maps["offset_0"][0, :, 0, 2, 5] = torch.tensor([0.5, 0.0])
    maps["size_0"][0, :, 0, 2, 5] = torch.tensor([6.0, 2.0])
    (found,) = decode_levels(maps, [(1, 2, 2)], 0.3)
    assert (found.low_kji.tolist(), found.high_kji.tolist()) == ([[0.0, 3.0, 10.0]], [[1.0, 9.0, 12.0]])


def test_a_network_that_does_not_answer_as_the_table_says_is_refused(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack", "detection", network={"name": "fpn_detector", "kwargs": {**FPN, "dimensions": 3}})
    volume = Volume(np.zeros((8, 8, 8), np.int16), oblique_geometry((8, 8, 8)), "CT", "HU")
    prepared = prepare([volume], pack.spec.input, Inline())
    with pytest.raises(ModelError, match="size of its cells"):
        Decoder(nn.Identity(), prepared.spacing_kji_mm, pack.spec.output)  # type: ignore[arg-type]
    network = nn.Identity()
    network.levels = ((2, 2, 2),)  # type: ignore[assignment]
    with pytest.raises(ModelError, match="maps of boxes"):
        Decoder(network, prepared.spacing_kji_mm, pack.spec.output).check({"heatmap": torch.zeros(1)})  # type: ignore[arg-type]


class BrightSquares(nn.Module):
    """Says where on a slice the bright square is, one cell of 2 x 2 voxels for each."""

    levels = ((1, 2, 2),)

    def __init__(self) -> None:
        super().__init__()
        self.identity = nn.Identity()

    def forward(self, slices: torch.Tensor) -> dict[str, torch.Tensor]:
        slices = self.identity(slices)
        count, _, rows, columns = slices.shape
        maps = {
            "logits_0": torch.full((count, 1, rows // 2, columns // 2), -20.0),
            "centre_0": torch.full((count, 1, rows // 2, columns // 2), 9.0),
            "offset_0": torch.zeros(count, 2, rows // 2, columns // 2),
            "size_0": torch.ones(count, 2, rows // 2, columns // 2),
        }
        for n, one in enumerate(slices[:, 0] > 0.5):
            if one.any():
                at = torch.nonzero(one)
                low, high = at.min(0).values, at.max(0).values + 1
                middle = (low + high) / 2
                j, i = (middle / 2).long().tolist()
                maps["logits_0"][n, 0, j, i] = 9.0
                maps["offset_0"][n, :, j, i] = middle / 2 - torch.tensor([j + 0.5, i + 0.5])
                maps["size_0"][n, :, j, i] = (high - low).float()
        return maps


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, ModelPack]:
    made = {}
    for join in (False, True):
        content = document("detection")
        wanted = {**content["input"], "spacing_kji_mm": None, "intensity": [], "dimensions": 2, "orientation": "SPL"}
        made[join] = small_pack(
            tmp_path_factory.mktemp("packs") / "pack",
            "detection",
            schema_version=2,
            input=wanted,
            tiling={"tile_kji": [1, 40, 44], "overlap": 0.5, "blend": "gaussian"},
            output={**content["output"], "join_slices": join},
            network={"name": "fpn_detector", "kwargs": {**FPN, "dimensions": 2}},
        )
    return made


def squares() -> Volume:
    voxels = np.zeros((9, 40, 44), dtype=np.int16)
    for k, grow in ((3, 0), (4, 1), (5, 0)):
        voxels[k, 10 - grow : 18 + grow, 21 - grow : 33 + grow] = 1
    return Volume(voxels, oblique_geometry((9, 40, 44), (3.0, 1.0, 0.8)), "CT", "HU", series_uid="1.2.3")


def found(volume: Volume, pack: ModelPack) -> Findings:
    prepared = prepare([volume], pack.spec.input, Inline())
    plan, source = MemoryPlan(torch.device("cpu"), (1, 1, 1), 2, 0), Source(job_id="job")
    network = SliceBySlice(BrightSquares()).eval()
    job = RunningJob(
        PredictRequest(volume, pack), Inline(), Stopwatch(), source, plan, network, prepared, Precision(plan.device, None)
    )
    with torch.inference_mode():
        return detect(job)


def bounds(findings: Findings, volume: Volume) -> list[list[float]]:
    both = [np.concatenate(box.bounds_kji(volume.geometry)) for box in findings.boxes]
    return sorted(np.asarray(both).round(3).tolist())


def test_a_model_of_slices_gives_flat_boxes_on_the_slices_it_saw(packs: dict[bool, ModelPack]) -> None:
    volume = squares()
    boxes = found(volume, packs[False]).boxes
    assert {box.flat_edge for box in boxes} == {0}
    assert bounds(found(volume, packs[False]), volume) == [
        [3, 10, 21, 4, 18, 33],
        [4, 9, 20, 5, 19, 34],
        [5, 10, 21, 6, 18, 33],
    ]


def test_joined_through_slices_they_are_one_solid_box(packs: dict[bool, ModelPack]) -> None:
    volume = squares()
    (box,) = found(volume, packs[True]).boxes
    assert box.flat_edge is None
    assert bounds(found(volume, packs[True]), volume) == [[3, 9, 20, 6, 19, 34]]


@pytest.mark.parametrize(("axes", "flips"), [((2, 0, 1), (False, True, True)), ((1, 2, 0), (True, True, False))])
def test_flat_boxes_lie_on_the_same_patient_however_the_input_is_stored(
    packs: dict[bool, ModelPack], axes: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> None:
    volume = squares()
    other = turned(volume, axes, flips)

    def corners(one: Volume) -> list[npt.NDArray[np.float64]]:
        return sorted(b.corners_lps_mm().mean(axis=0).round(2).tolist() for b in found(one, packs[False]).boxes)

    assert np.allclose(corners(volume), corners(other), atol=0.03)
    # Flat across the same direction of the patient.
    mine, theirs = found(volume, packs[False]).boxes[0], found(other, packs[False]).boxes[0]
    assert mine.flat_edge is not None
    assert theirs.flat_edge is not None
    assert mine.size_mm()[mine.flat_edge] == pytest.approx(3.0)
    assert theirs.size_mm()[theirs.flat_edge] == pytest.approx(3.0, abs=1e-3)


@pytest.mark.parametrize("dims", [3, 2])
def test_an_ensemble_of_detectors_with_levels_answers_with_their_mean(tmp_path: Path, dims: int) -> None:
    content = document("detection")
    changes: dict[str, Any] = {
        "schema_version": 2,
        "input": {**content["input"], "spacing_kji_mm": None, "dimensions": dims},
        "tiling": {"tile_kji": [16 if dims == 3 else 1, 24, 24], "overlap": 0.5, "blend": "gaussian"},
        "output": {**content["output"], "score_threshold": 0.01, "max_boxes": 12},
        "network": {"name": "fpn_detector", "kwargs": {**FPN, "dimensions": dims}},
    }
    one, other = (small_pack(tmp_path / str(n), "detection", seed=n, **changes) for n in (1, 2))
    weights = {"weights.safetensors": one.weights.read_bytes(), "fold_1.safetensors": other.weights.read_bytes()}
    described = document("detection", **changes, ensemble=list(weights))
    both = write_pack(tmp_path / "both", described, {**weights, "LICENSE": b"x", "MODEL_CARD.md": b"x"})
    volume = ct_volume((10, 30, 34))
    boxes = {pack.digest: predict(PredictRequest(volume, pack, "cpu"), Inline()).boxes for pack in (one, other, both)}
    assert all(boxes.values())
    seen = torch.randn(2, 1, *both.spec.tiling.tile_kji) if both.spec.tiling is not None else torch.empty(0)
    first, second, mean = (RESIDENT.get(pack, torch.device("cpu"))(seen) for pack in (one, other, both))
    torch.testing.assert_close(mean["logits_0"], (first["logits_0"] + second["logits_0"]) / 2)
