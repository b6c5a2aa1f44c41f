"""How long models take is learnt from runs, kept between starts, and said before the next one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medview.core.geometry import Geometry
from medview.core.prediction import Prediction
from medview.core.source import Source
from medview.io.reader_pool import InlinePool
from medview.ml.estimate import RunEstimate
from medview.ml.packs import ModelPack
from medview.workspace.model_inputs import Given, ModelInputs
from medview.workspace.operations.model_inputs import estimate_short, estimate_text
from medview.workspace.pace import MOST_KEPT, known_estimate, run_before, with_estimate, with_run
from medview.workspace.settings import Settings, load_settings, save_settings
from tests.ml.inputs.made import candidate, spec_with

GRID = Geometry.from_spacing((100, 200, 200), (2.5, 2.0, 2.0))
TWICE = Geometry.from_spacing((200, 200, 200), (2.5, 2.0, 2.0))


def pack(digest: str = "a" * 64) -> ModelPack:
    return ModelPack(spec_with(), Path("nowhere"), "0" * 64, digest)


def run_of(geometry: Geometry, seconds: float, device: str = "cpu") -> Prediction:
    stages = {"load": 100.0, "prepare": 0.1 * seconds, "infer": 0.8 * seconds, "finish": 0.1 * seconds}
    return Prediction("segmentation", "Organs", Source(), geometry, seconds=stages, device=device)


def inputs_on(geometry: Geometry, model: ModelPack | None = None) -> ModelInputs:
    one: Any = candidate("CT", "CT", geometry=geometry)
    given = Given("CT", None, None, one)  # type: ignore[arg-type]
    return ModelInputs.proposed(model or pack(), (given,), InlinePool(), "CT")


def test_a_run_tells_the_time_of_the_next_one_on_a_series_twice_as_long() -> None:
    settings = with_run(Settings(), pack(), run_of(GRID, 10.0))
    found = known_estimate(settings, inputs_on(TWICE))
    assert found is not None
    assert found.seconds == pytest.approx(20.0)
    assert found.measured
    assert run_before(settings, pack())


def test_later_runs_count_more_than_earlier_ones_and_a_timed_tile_not_at_all() -> None:
    settings = with_estimate(Settings(), pack(), GRID, RunEstimate(99.0, 1 << 30, 1 << 34))
    assert not run_before(settings, pack())
    for seconds in (10.0, 20.0):
        settings = with_run(settings, pack(), run_of(GRID, seconds))
    found = known_estimate(settings, inputs_on(GRID))
    assert found is not None
    assert found.seconds == pytest.approx(15.0)
    assert found.memory_bytes == 1 << 30


def test_an_estimate_after_runs_adds_the_memory_and_keeps_the_time() -> None:
    settings = with_run(Settings(), pack(), run_of(GRID, 10.0))
    settings = with_estimate(settings, pack(), GRID, RunEstimate(50.0, 1 << 30, 1 << 34))
    found = known_estimate(settings, inputs_on(TWICE))
    assert found is not None
    assert found.seconds == pytest.approx(20.0)
    assert found.memory_bytes == (1 << 30) + 4 * 100 * 200 * 200


def test_the_graphics_card_and_the_processor_have_paces_of_their_own() -> None:
    settings = with_run(Settings(), pack(), run_of(GRID, 100.0))
    settings = with_run(settings, pack(), run_of(GRID, 3.0, "cuda (NVIDIA H200)"))
    found = known_estimate(settings, inputs_on(GRID))
    assert found is not None
    assert (found.device, round(found.seconds)) == ("cuda", 3)


def test_another_version_is_another_pack() -> None:
    settings = with_run(Settings(), pack(), run_of(GRID, 10.0))
    assert known_estimate(settings, inputs_on(GRID, pack("b" * 64))) is None


def test_paces_outlive_the_program_and_damaged_ones_are_forgotten(tmp_path: Path) -> None:
    settings = with_run(Settings(), pack(), run_of(GRID, 10.0))
    save_settings(settings, tmp_path / "settings.json")
    kept = load_settings(tmp_path / "settings.json")
    found = known_estimate(kept, inputs_on(GRID))
    assert found is not None
    assert found == known_estimate(settings, inputs_on(GRID))
    (key,) = kept.model_paces
    for damage in (
        {},
        {"seconds_per_voxel": "x"},
        {"seconds_per_voxel": -1, "memory_bytes": 0, "memory_voxels": 0, "runs": 1},
    ):
        broken: Any = {key: damage}
        assert known_estimate(replace(kept, model_paces=broken), inputs_on(GRID)) is None


def test_only_so_many_paces_are_kept() -> None:
    settings = Settings()
    for n in range(MOST_KEPT + 9):
        settings = with_run(settings, pack(f"{n:032d}" * 2), run_of(GRID, 10.0))
    assert len(settings.model_paces) == MOST_KEPT
    assert run_before(settings, pack(f"{MOST_KEPT + 8:032d}" * 2))
    assert not run_before(settings, pack(f"{0:032d}" * 2))


def test_what_cannot_run_is_not_kept_as_a_pace() -> None:
    assert with_estimate(Settings(), pack(), GRID, RunEstimate(0.0, problem="Too large.")) == Settings()


@pytest.mark.parametrize(
    ("found", "said", "short"),
    [
        (
            RunEstimate(40.2, 1_230_000_000, 8_000_000_000),
            "About 40 s and 1.2 GB of the 8.0 GB that are free on the processor.",
            "about 40 s, 1.2 GB",
        ),
        (
            RunEstimate(400.0, 12_000_000, device="cuda"),
            "About 7 min and 12 MB on the graphics card.",
            "about 7 min, 12 MB",
        ),
        (
            RunEstimate(40.0, 7_000_000_000, 8_000_000_000),
            "It needs about 7.0 GB and 8.0 GB are free on the processor; close other programs first.",
            "about 40 s, 7.0 GB",
        ),
        (RunEstimate(7000.0), "About 1 h 57 min on the processor.", "about 1 h 57 min"),
        (RunEstimate(0.0, problem="Organs needs more memory."), "Organs needs more memory.", "about 1 s"),
    ],
)
def test_estimates_in_words(found: RunEstimate, said: str, short: str) -> None:
    assert estimate_text(found) == said
    assert estimate_short(found) == short
