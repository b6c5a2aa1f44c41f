from __future__ import annotations

import subprocess
import sys

import pytest

from medview.scene.presets import (
    HU_RANGE,
    MAX_SHIFT,
    PARTS,
    Blend,
    Preset,
    chosen,
    presets,
    shift_in_values,
    shift_text,
)

KINDS = [("CT", "HU"), ("MR", ""), ("PT", "SUV"), ("CT", "au")]
EVERY = [(kind, preset) for kind in KINDS for preset in presets(*kind)]


def test_ct_offers_bone_skin_vessels_and_lung() -> None:
    assert {"bone", "skin", "vessels", "lung"} <= {preset.key for preset in presets("CT", "HU")}


@pytest.mark.parametrize(("kind", "preset"), EVERY, ids=[f"{k[0]}-{k[1]}-{p.key}" for k, p in EVERY])
def test_a_preset_has_rising_values_within_its_range(kind: tuple[str, str], preset: Preset) -> None:
    low, high = HU_RANGE if kind == ("CT", "HU") else (0, PARTS)
    for points in (preset.opacity, preset.colour):
        values = [point[0] for point in points]
        assert values == sorted(set(values))
        assert all(low <= value <= high for value in values)
    assert all(0 <= part <= 1 for _, part in preset.opacity)
    assert all(0 <= c <= 255 for _, *rgb in preset.colour for c in rgb)
    assert bool(preset.opacity) == bool(preset.colour) == (preset.blend is not Blend.NOTHING)


def test_a_key_that_another_modality_has_falls_back_to_the_first() -> None:
    assert chosen("MR", "", "lung").key == presets("MR", "")[0].key
    assert chosen("CT", "HU", "lung").key == "lung"
    assert chosen("CT", "HU", "").key == "bone"


def test_a_ct_without_hounsfield_units_is_not_seen_through_their_presets() -> None:
    assert presets("CT", "au") == presets("MR", "")


def test_a_shift_is_said_in_the_unit_of_the_values() -> None:
    assert shift_in_values("CT", "HU", MAX_SHIFT) == 500.0
    assert shift_text("CT", "HU", -0.12) == "\u2212120 HU"
    assert shift_text("MR", "", 0.06) == "+6 % of the range"


def test_a_shifted_preset_sees_higher_values_as_it_saw_lower_ones() -> None:
    bone = chosen("CT", "HU", "bone")
    moved = bone.shifted(50.0)
    assert [(v - 50.0, o) for v, o in moved.opacity] == list(bone.opacity)
    assert [(v - 50.0, *c) for v, *c in moved.colour] == list(bone.colour)


def test_the_window_side_of_the_room_imports_neither_vtk_nor_scipy() -> None:
    code = (
        "import sys, medview.scene.client, medview.scene.prepare;"
        "print([m for m in ('vtkmodules', 'pyvista', 'scipy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
