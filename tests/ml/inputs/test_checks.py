"""What is outside of what a model was trained on is said with numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.core.volume import Rescale, Volume
from medview.ml.inputs.checks import middle_values, remarks_on_headers, remarks_on_values
from medview.ml.packs import load_pack
from tests.ml.inputs.made import candidate, spec_with

PACKS = Path(__file__).resolve().parents[3] / "resources" / "packs"

RANGES = {
    "spacing_kji_mm": {"k": [0.8, 6.0], "j": [0.5, 1.2], "i": [0.5, 1.2]},
    "extent_kji_mm": {"k": [150.0, 500.0], "j": [200.0, 500.0], "i": [200.0, 500.0]},
}


def ct(shape: tuple[int, int, int], spacing: tuple[float, float, float], **changes: Any) -> Any:
    return candidate("CT", "CT", geometry=Geometry.from_spacing(shape, spacing), **changes)


def remarks(wanted: dict[str, Any], given: Any) -> list[str]:
    return list(remarks_on_headers(spec_with(**wanted), 0, given))


def test_a_series_like_those_of_the_training_says_nothing() -> None:
    assert remarks({"checks": RANGES}, ct((100, 400, 400), (2.5, 0.8, 0.8))) == []


def test_spacing_and_field_of_view_outside_are_said_with_both_numbers() -> None:
    said = remarks({"checks": RANGES}, ct((15, 400, 400), (7.5, 0.3, 0.3)))
    assert said == [
        "Slice spacing 7.5 mm; trained on 0.8 to 6 mm.",
        "Pixel spacing 0.3 mm; trained on 0.5 to 1.2 mm.",
        "Field of view head to feet 112 mm; trained on 150 to 500 mm.",
        "Field of view front to back 120 mm; trained on 200 to 500 mm.",
        "Field of view left to right 120 mm; trained on 200 to 500 mm.",
    ]


def test_axes_are_those_of_the_model_not_of_the_file() -> None:
    """A sagittal series for a model that looks at axial slices: its slices lie along i."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[4.0, 0, 0], [0, 0, 0.9], [0, -0.9, 0]])
    sagittal = candidate("CT", "CT", geometry=Geometry((60, 300, 300), affine))
    ranges = {"k": [0.5, 1.0], "j": [0.5, 1.0], "i": [3.0, 5.0]}
    said = remarks({"checks": {"spacing_kji_mm": ranges}, "orientation": "SPL"}, sagittal)
    assert said == ["The slices were acquired left to right, 4 mm apart; the model looks at another plane."]
    assert remarks({"checks": {}, "orientation": None}, sagittal) == []


def test_slices_far_off_the_patients_axes_are_said() -> None:
    a = math.radians(38.0)
    turn = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0, 0, 1.0], [0, 1.0, 0], [1.0, 0, 0]])
    said = remarks({"checks": {}}, candidate("CT", "CT", geometry=Geometry((50, 50, 50), affine)))
    assert said == ["The slices lie 38 degrees off the patient's axes; the model expects them straight."]


def test_numbers_that_only_rounding_puts_outside_are_inside() -> None:
    ranges = {"spacing_kji_mm": {"k": [1.0, 5.0], "j": [0.5, 1.2], "i": [0.5, 1.2]}}
    assert remarks({"checks": ranges}, ct((50, 400, 400), (5.0000002, 0.8, 0.8))) == []


@pytest.mark.parametrize(
    ("contrast", "agent", "said"),
    [
        (True, "", "The headers name no contrast agent; trained on images with one."),
        (True, "Imeron", ""),
        (False, "Imeron", "Contrast agent was given (Imeron); trained on images without."),
        (False, "", ""),
        (None, "Imeron", ""),
    ],
)
def test_contrast_agent_is_compared_with_the_training(contrast: bool | None, agent: str, said: str) -> None:
    assert remarks({"checks": {"contrast": contrast}}, ct((50, 40, 40), (2, 1, 1), agent=agent)) == [said] * bool(said)


def test_a_kernel_and_a_body_part_the_model_does_not_know_are_named() -> None:
    wanted = {"checks": {"kernels": ["B30f", "B31f"]}, "body_part": ["CHEST"]}
    said = remarks(wanted, ct((50, 40, 40), (2, 1, 1), kernel="B70f", body_part="HEAD"))
    assert said == ["Body part HEAD; made for CHEST.", "Reconstruction kernel B70f; trained on B30f, B31f."]
    assert remarks(wanted, ct((50, 40, 40), (2, 1, 1), kernel="b30F", body_part="Chest")) == []
    assert remarks(wanted, ct((50, 40, 40), (2, 1, 1))) == []


def test_a_series_over_time_says_that_one_time_is_used() -> None:
    assert "10 time points" in remarks({"checks": {}}, replace(ct((50, 40, 40), (2, 1, 1)), time_points=10))[0]


def volume(values: np.ndarray, **changes: Any) -> Volume:
    geometry = Geometry.from_spacing(values.shape, (2.0, 1.0, 1.0))
    return Volume((values + 1024).astype(np.uint16), geometry, "CT", "HU", Rescale(1.0, -1024.0), **changes)


def test_values_outside_are_said_with_the_unit() -> None:
    rng = np.random.default_rng(2)
    spec = spec_with(checks={"values": [-1000.0, 1500.0]})
    good = volume(rng.uniform(-900, 1200, (20, 40, 50)))
    assert remarks_on_values(spec, 0, good) == ()
    shifted = replace(good, rescale=Rescale(1.0, 0.0))
    (said,) = remarks_on_values(spec, 0, shifted)
    assert said.startswith("The middle 98 % of the values reach from 1")
    assert said.endswith(" HU; trained on -1000 to 1500 HU.")
    assert remarks_on_values(spec, 1, shifted) == ()


def test_values_of_another_unit_are_each_said_with_their_own() -> None:
    bare = replace(volume(np.full((4, 8, 8), 3000.0)), unit="")
    (said,) = remarks_on_values(spec_with(checks={"values": [-1000.0, 1500.0]}), 0, bare)
    assert said == "The middle 98 % of the values reach from 3000 to 3000; trained on -1000 to 1500 HU."


@pytest.mark.parametrize(("times", "said"), [(1, 0), (16, 1), (64, 1)], ids=["8 bits", "12 bits", "14 bits"])
def test_a_picture_of_more_bits_than_those_of_the_training_is_remarked_on(times: int, said: int) -> None:
    grey = np.random.default_rng(5).integers(0, 256, (1, 64, 64)).astype(np.uint16)
    picture = Volume(grey * times, Geometry.from_spacing(grey.shape, (1.0, 0.5, 0.5)), "DX")
    found = remarks_on_values(load_pack(PACKS / "pneumonia-xray", bundled=True).spec, 0, picture)
    assert len(found) == said
    assert all(text.endswith("; trained on 0 to 255.") for text in found)


def test_a_few_metal_voxels_and_padding_do_not_count() -> None:
    values = np.full((20, 40, 50), 100.0)
    values[0, 0, :30] = 9000.0
    values[5:9] = -1000.0
    spec = spec_with(checks={"values": [0.0, 200.0]})
    assert remarks_on_values(spec, 0, volume(values)) != ()
    assert remarks_on_values(spec, 0, volume(values, padding=(24.0, 24.0))) == ()


def test_the_middle_of_a_large_volume_is_that_of_all_its_values_nearly() -> None:
    k, j, i = np.indices((80, 120, 130))
    large = volume((k * 5 + j * 3 + i).astype(float))
    exact = np.percentile(large.values(), (1, 99))
    assert middle_values(large) == pytest.approx(tuple(exact), abs=12)
