"""Installed packs: versions side by side, adding twice, and which fit what."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import PackError, WriteError
from medview.core.geometry import Calibration, Geometry
from medview.ml import registry as registry_module
from medview.ml.packs import ModelPack
from medview.ml.registry import Registry, fits, version_key
from tests.ml.small_packs import document, oblique_geometry, small_pack


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    small_pack(tmp_path / "bundled" / "organs", id="organs", name="Organs")
    return Registry(tmp_path / "bundled", tmp_path / "user")


def test_an_added_pack_is_listed_beside_the_bundled_one(registry: Registry, tmp_path: Path) -> None:
    added = registry.add(small_pack(tmp_path / "source", id="nodules", name="Nodules").folder)
    assert [(p.spec.id, p.bundled) for p in registry.list()] == [("nodules", False), ("organs", True)]
    assert added.folder.parent == tmp_path / "user"
    shutil.rmtree(tmp_path / "source")
    assert registry.get("nodules").weights.is_file()


def test_adding_the_same_pack_again_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    source = small_pack(tmp_path / "source", id="nodules").folder
    first = registry.add(source)
    written = first.weights.stat().st_mtime_ns
    again = registry.add(source)
    assert again == first
    assert again.weights.stat().st_mtime_ns == written
    assert len(registry.list()) == 2
    assert registry.add(registry.get("organs").folder).bundled


def test_versions_live_side_by_side_and_the_newest_is_meant(registry: Registry, tmp_path: Path) -> None:
    for version in ("1.9.0", "1.10.0", "1.10.0-beta"):
        registry.add(small_pack(tmp_path / version, id="nodules", version=version).folder)
    assert [p.spec.version for p in registry.list() if p.spec.id == "nodules"] == ["1.10.0", "1.10.0-beta", "1.9.0"]
    assert registry.get("nodules").spec.version == "1.10.0"
    assert registry.get("nodules@1.9.0").spec.version == "1.9.0"
    registry.remove("nodules@1.10.0")
    assert registry.get("nodules").spec.version == "1.10.0-beta"


def test_versions_sort_as_people_count() -> None:
    versions = ["1.0", "1.0-rc1", "1.0.1", "0.9", "2", "1.10", "1.2"]
    assert sorted(versions, key=version_key) == ["0.9", "1.0-rc1", "1.0", "1.0.1", "1.2", "1.10", "2"]


def test_another_pack_under_a_taken_name_and_version_is_refused(registry: Registry, tmp_path: Path) -> None:
    registry.add(small_pack(tmp_path / "one", id="nodules", seed=1).folder)
    with pytest.raises(PackError, match=r"already installed as nodules@1\.0\.0"):
        registry.add(small_pack(tmp_path / "two", id="nodules", seed=2).folder)


def test_a_zip_is_added_and_leaves_nothing_else_behind(registry: Registry, tmp_path: Path) -> None:
    source = small_pack(tmp_path / "source", id="nodules").folder
    (source / "extra.py").write_text("raise SystemExit")
    with zipfile.ZipFile(tmp_path / "nodules.zip", "w") as archive:
        for path in source.iterdir():
            archive.write(path, path.name)
    added = registry.add(tmp_path / "nodules.zip")
    assert sorted(p.name for p in added.folder.iterdir()) == [
        "LICENSE",
        "MODEL_CARD.md",
        "model.json",
        "weights.safetensors",
    ]
    assert [p.name for p in (tmp_path / "user").iterdir()] == [added.folder.name]
    assert "nodules" not in added.folder.name


def test_a_wrong_checksum_is_not_installed(registry: Registry, tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "source", id="nodules")
    pack.weights.write_bytes(pack.weights.read_bytes() + b"\0")
    with pytest.raises(PackError, match="wrong checksum"):
        registry.add(pack.folder)
    assert not list((tmp_path / "user").iterdir())


def test_a_damaged_pack_does_not_hide_the_others(registry: Registry, tmp_path: Path) -> None:
    broken = registry.add(small_pack(tmp_path / "source", id="nodules").folder)
    (broken.folder / "model.json").write_text("{}")
    assert [p.spec.id for p in registry.list()] == ["organs"]
    assert [d.path for d in registry.damaged] == [broken.folder]
    with pytest.raises(PackError, match=r"no model nodules here \(installed: organs\)"):
        registry.get("nodules")


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_no_float_holds_damages_one_pack_only(registry: Registry, tmp_path: Path, digits: int) -> None:
    broken = registry.add(small_pack(tmp_path / "source", id="nodules").folder)
    text = (broken.folder / "model.json").read_text()
    assert '"classes": 3' in text
    (broken.folder / "model.json").write_text(text.replace('"classes": 3', f'"classes": {"9" * digits}'))
    assert [p.spec.id for p in registry.list()] == ["organs"]
    assert [d.path for d in registry.damaged] == [broken.folder]


def test_whatever_keeps_a_pack_from_being_read_the_others_are_listed(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = registry.add(small_pack(tmp_path / "source", id="nodules").folder)
    reader = registry_module.load_pack

    def failing(folder: Path, **how: bool) -> ModelPack:
        if folder == broken.folder:
            raise OverflowError("no such number")
        return reader(folder, **how)

    monkeypatch.setattr(registry_module, "load_pack", failing)
    again = Registry(tmp_path / "bundled", tmp_path / "user")
    assert [p.spec.id for p in again.list()] == ["organs"]
    assert [d.path for d in again.damaged] == [broken.folder]
    assert again.damaged[0].reason.endswith("cannot be read as a model pack; remove it.")


def test_a_pack_damaged_on_disk_is_repaired_by_adding_it_again(registry: Registry, tmp_path: Path) -> None:
    source = small_pack(tmp_path / "source", id="nodules").folder
    installed = registry.add(source)
    (installed.folder / "weights.safetensors").unlink()
    (installed.folder / "model.json").write_text("{}")
    assert registry.add(source).weights.is_file()


def test_a_bundled_pack_stays(registry: Registry) -> None:
    with pytest.raises(PackError, match="comes with MedView"):
        registry.remove("organs")
    assert registry.get("organs").available


def test_removing_takes_the_files_away(registry: Registry, tmp_path: Path) -> None:
    registry.add(small_pack(tmp_path / "source", id="nodules").folder)
    registry.remove("nodules")
    assert not list((tmp_path / "user").iterdir())


def test_a_path_that_is_not_there_gives_a_sentence(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no file or folder"):
        registry.add(tmp_path / "nowhere")


def test_a_models_folder_that_cannot_be_made_gives_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "user").write_text("in the way")
    with pytest.raises(WriteError):
        Registry(tmp_path / "bundled", tmp_path / "user").add(small_pack(tmp_path / "source").folder)


@pytest.mark.parametrize(
    ("modality", "unit", "colour", "shape_kji", "calibration", "ok", "reason"),
    [
        ("CT", "HU", False, (20, 30, 40), Calibration.VOLUME, True, ""),
        ("MR", "", False, (20, 30, 40), Calibration.VOLUME, False, "is for CT; this series is MR"),
        ("CT", "", False, (20, 30, 40), Calibration.VOLUME, False, "values in HU; this series has numbers without a unit"),
        ("", "", False, (20, 30, 40), Calibration.VOLUME, True, "does not say what it is"),
        ("", "SUV", False, (20, 30, 40), Calibration.VOLUME, False, "values in HU; this series has SUV"),
        ("CT", "HU", True, (20, 30, 40), Calibration.VOLUME, False, "in colour"),
        ("CT", "HU", False, (1, 30, 40), Calibration.VOLUME, False, "single image"),
        ("CT", "HU", False, (20, 30, 40), Calibration.IN_PLANE, False, "only a stack"),
        ("CT", "HU", False, (20, 30, 40), Calibration.PIXELS, False, "no millimetres"),
    ],
)
def test_a_pack_says_what_it_fits_and_why_not(
    tmp_path: Path,
    modality: str,
    unit: str,
    colour: bool,
    shape_kji: tuple[int, int, int],
    calibration: Calibration,
    ok: bool,
    reason: str,
) -> None:
    spec = small_pack(tmp_path / "pack").spec
    geometry = Geometry(shape_kji, np.diag([2.0, 1.0, 1.0, 1.0]), calibration=calibration)
    found = fits(spec, modality, geometry, unit, colour)
    assert found.ok is ok
    assert reason in found.reason
    assert bool(found.reason) or ok


def test_a_pack_for_any_modality_takes_what_comes(tmp_path: Path) -> None:
    anything = {**document()["input"], "modality": [], "unit": ""}
    spec = small_pack(tmp_path / "pack", input=anything).spec
    assert fits(spec, "PT", oblique_geometry((9, 9, 9)), "SUV", False).ok
    colours = fits(spec, "", oblique_geometry((9, 9, 9)), "", True)
    assert colours.ok
    assert "brightness" in colours.reason


def test_packs_registry_and_request_do_not_import_torch() -> None:
    code = (
        "import sys, medview.ml.packs, medview.ml.registry, medview.ml.predict, medview.ml.spec_reader;"
        "sys.exit(bool({'torch', 'monai', 'safetensors'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_model_of_single_slices_without_millimetres_takes_stacks_and_single_images(tmp_path: Path) -> None:
    flat = {**document()["input"], "dimensions": 2, "orientation": None, "spacing_kji_mm": None}
    tiles = {"blend": "gaussian", "tile_kji": [1, 32, 32], "overlap": 0.5}
    network = {"name": "unet3d", "kwargs": {"in_channels": 1, "classes": 3, "channels": [4, 6]}}
    spec = small_pack(tmp_path / "pack", input=flat, tiling=tiles, network=network, postprocess=[]).spec
    for calibration in Calibration:
        geometry = Geometry((1, 30, 40), np.diag([2.0, 1.0, 1.0, 1.0]), calibration=calibration)
        assert fits(spec, "CT", geometry, "HU", False).ok


def test_a_model_of_slices_along_another_axis_needs_a_volume(tmp_path: Path) -> None:
    turned = {**document()["input"], "dimensions": 2, "orientation": None, "spacing_kji_mm": None, "axes": [1, 0, 2]}
    tiles = {"blend": "gaussian", "tile_kji": [1, 32, 32], "overlap": 0.5}
    network = {"name": "unet3d", "kwargs": {"in_channels": 1, "classes": 3, "channels": [4, 6]}}
    spec = small_pack(tmp_path / "pack", input=turned, tiling=tiles, network=network, postprocess=[]).spec
    for shape in ((1, 30, 40), (20, 30, 40)):
        for calibration in Calibration:
            geometry = Geometry(shape, np.diag([2.0, 1.0, 1.0, 1.0]), calibration=calibration)
            found = fits(spec, "CT", geometry, "HU", False)
            assert found.ok is (calibration is Calibration.VOLUME and shape[0] > 1)
            assert "needs a volume" in found.reason or found.ok


def test_each_channel_says_for_itself_what_it_takes(tmp_path: Path) -> None:
    channels = [{"name": "CT", "modality": ["CT"], "unit": "HU"}, {"name": "PET", "modality": ["PT"], "unit": ""}]
    network = {"name": "unet3d", "kwargs": {"in_channels": 2, "classes": 3, "channels": [4, 6]}}
    both = {**document()["input"], "channels": channels}
    spec = small_pack(tmp_path / "pack", input=both, network=network).spec
    geometry = oblique_geometry((9, 9, 9))
    assert fits(spec, "CT", geometry, "HU", False).ok
    assert fits(spec, "PT", geometry, "g/mL", False, 1).ok
    assert "(PET) is for PT; this series is CT" in fits(spec, "CT", geometry, "HU", False, 1).reason


def test_packs_kept_elsewhere_are_listed_while_they_are_held_and_are_nobodys_to_remove(
    registry: Registry, tmp_path: Path
) -> None:
    held = small_pack(tmp_path / "project" / "pack", id="lungs", name="Lungs")
    registry.hold([replace(held, spec=replace(held.spec, name="Lungs v3"))])
    assert [pack.spec.name for pack in registry.list()] == ["Lungs v3", "Organs"]
    assert registry.get("lungs").folder == held.folder
    with pytest.raises(PackError, match="Lungs v3 is a version of the open project and stays"):
        registry.remove("lungs")
    assert held.folder.is_dir()
    # Installed as well, it is there when the project is closed.
    registry.add(held.folder)
    registry.hold(())
    assert [pack.spec.name for pack in registry.list()] == ["Lungs", "Organs"]
