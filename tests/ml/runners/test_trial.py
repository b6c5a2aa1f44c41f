"""What a run would take, found out with one tile."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from medview.core.errors import CancelledError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.ml.estimate import work_voxels
from medview.ml.predict import PredictRequest
from medview.ml.runners import trial
from medview.ml.runners.memory_plan import CPU_BATCH, MemoryPlan
from medview.ml.runners.run import predict
from tests.ml.inputs.made import spec_with
from tests.ml.small_packs import ct_volume, small_pack

TILES = {"tile_kji": [16, 32, 32], "overlap": 0.5, "blend": "gaussian"}


def test_one_tile_tells_the_time_of_all_within_a_factor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run, with the network in memory, as the estimate has it; in time of the processor, whoever runs beside."""
    monkeypatch.setattr(time, "perf_counter", time.process_time)
    pack = small_pack(tmp_path / "pack", tiling=TILES)
    volume = ct_volume((60, 90, 100))
    predict(PredictRequest(volume, pack, "cpu"), Inline())
    began = time.process_time()
    predict(PredictRequest(volume, pack, "cpu"), Inline())
    truth = time.process_time() - began
    found = trial.estimate(pack, volume.geometry, Inline(), "cpu")
    assert found.problem == ""
    assert found.device == "cpu"
    assert 0 < found.memory_bytes < found.free_bytes
    assert truth / 3 < found.seconds - trial.LEAST_S < truth * 3


@pytest.mark.parametrize(("mirror", "looks"), [([], 1), (["i"], 2), (["k", "j", "i"], 8)])
def test_the_time_is_that_of_a_tile_for_every_batch_of_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: list[str], looks: int
) -> None:
    monkeypatch.setattr(trial, "_timed", lambda *_: 2.0)
    geometry = ct_volume((60, 90, 100)).geometry
    # The model's grid is 74 x 58 x 45; tiles of 16 x 32 x 32 lie half a tile apart.
    tiles = 9 * 3 * 2
    pack = small_pack(tmp_path / "a", tiling={**TILES, "mirror": mirror})
    found = trial.estimate(pack, geometry, Inline(), "cpu").seconds
    assert found == pytest.approx(trial.LEAST_S + trial.AROUND_NETWORK * 2.0 * tiles * looks / CPU_BATCH)


@pytest.mark.parametrize("task", ["detection", "classification"])
def test_every_kind_of_model_is_estimated(tmp_path: Path, task: str) -> None:
    pack = small_pack(tmp_path / task, task)
    found = trial.estimate(pack, ct_volume((20, 34, 46)).geometry, Inline(), "cpu")
    assert found.seconds > 0
    assert found.problem == ""


def test_networks_without_tiles_are_timed_on_a_piece_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medview.ml.runners.memory_plan.MOST_SPLITS", 3)
    pack = small_pack(tmp_path / "pack", tiling={"blend": "valid", "margin_kji": [8, 8, 8]})
    small = trial.estimate(pack, Geometry.from_spacing((20, 60, 60), (2.5, 2.0, 2.0)), Inline(), "cpu")
    large = trial.estimate(pack, Geometry.from_spacing((200, 300, 300), (2.5, 2.0, 2.0)), Inline(), "cpu")
    assert large.seconds > 10 * (small.seconds - 0.5)


def test_a_computer_with_too_little_memory_is_said_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medview.ml.runners.memory_plan.free_memory_bytes", lambda: 1 << 20)
    pack = small_pack(tmp_path / "pack", tiling=TILES)
    found = trial.estimate(pack, ct_volume().geometry, Inline(), "cpu")
    assert "GB of memory" in found.problem
    assert found.seconds == 0


def test_cancel_is_looked_at_inside_the_tile(tmp_path: Path) -> None:
    class Impatient(Inline):
        asked = 0

        def raise_if_cancelled(self) -> None:
            self.asked += 1
            if self.asked > 2:
                raise CancelledError

    with pytest.raises(CancelledError):
        trial.estimate(small_pack(tmp_path / "pack", tiling=TILES), ct_volume().geometry, Impatient(), "cpu")


def test_pieces_cover_what_tiles_cover() -> None:
    import torch

    spec = spec_with()
    plan = MemoryPlan(torch.device("cpu"), (1, 1, 1), 2, 0)
    assert trial._pieces(spec, plan, (96, 96, 96)) == ((96, 96, 96), 1.0)
    assert trial._pieces(spec, plan, (97, 96, 200)) == ((96, 96, 96), 2.0 * 1 * 4)


def test_work_grows_with_the_models_grid_not_with_the_files() -> None:
    spec = spec_with(spacing_kji_mm=[2.0, 2.0, 2.0])
    coarse = Geometry.from_spacing((100, 100, 100), (4.0, 2.0, 1.0))
    assert work_voxels(spec, coarse) == pytest.approx(200 * 100 * 50)
    assert work_voxels(spec_with(spacing_kji_mm=None), coarse) == 1e6
