"""The main job: open a real study, run a real model, correct the mask, save it, get it back."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from tests.end_to_end.conftest import Start
from tests.end_to_end.driver import Driver

pytestmark = pytest.mark.data

WHITE_ML, GREY_ML = 518.0, 735.0
"""What brainchop's own model gives on this brain (see the SOURCE.txt of the data)."""


def labels(run: Driver, path: Path) -> dict[str, npt.NDArray[np.uint8]]:
    """Return all label layers that hold anything."""
    run.ask("labels", path=str(path))
    with np.load(path) as found:
        return dict(found)


def assert_same(one: dict[str, npt.NDArray[np.uint8]], other: dict[str, npt.NDArray[np.uint8]]) -> None:
    assert one.keys() == other.keys()
    for name, voxels in one.items():
        np.testing.assert_array_equal(voxels, other[name])


def paint(run: Driver, plane: str, *voxels_kji: tuple[int, int, int]) -> None:
    """Drag the brush through voxels of the slice that is shown."""
    run.drag([run.ask("voxel", plane=plane, voxel_kji=list(v)) for v in voxels_kji])


@pytest.mark.slow
def test_a_brain_segmented_painted_killed_and_brought_back(start: Start, test_data: Path, tmp_path: Path) -> None:
    source = test_data / "weights-brainchop"
    folder = tmp_path / "brain"
    folder.mkdir()
    shutil.copy(source / "t1_crop.nii.gz", folder)
    run = start()

    # Open a folder by mouse.
    run.click("start open folder")
    run.choose_file(folder)
    run.wait(lambda: run.state["case"] and run.case["complete"], "the brain")

    # Add the model and run it.
    run.click("add model")
    run.menu("From a folder")
    run.choose_file(source / "meshnet" / "model5_gw_ae")
    run.wait(lambda: "installed" in run.state["message"], "the model to be installed", 120)
    run.click("run brainchop-model5-gw-ae")
    # Before its first run on this computer it says time and memory.
    run.wait_front("ModelRunDialog")
    run.keys("Return")
    run.wait(lambda: run.case["proposals"], "the proposal", 400)
    assert run.case["segments"] == []

    # Accept all of it.
    run.click("accept all")
    run.wait(lambda: run.case["history"] and run.case["history"][-1].startswith("Accept"), "the segments")
    case = run.case
    millilitres = {name: voxels * case["voxel_ml"] for name, voxels in case["voxels"].items()}
    white = next(ml for name, ml in millilitres.items() if "white" in name.lower())
    grey = next(ml for name, ml in millilitres.items() if "grey" in name.lower() or "gray" in name.lower())
    assert white == pytest.approx(WHITE_ML, rel=0.02)
    assert grey == pytest.approx(GREY_ML, rel=0.02)
    accepted = labels(run, tmp_path / "accepted.npz")

    # Paint on the axial picture, take it back, do it again.
    run.keys("F3", "n")
    run.wait(lambda: len(run.case["segments"]) == 3, "a new segment")
    k, j, i = run.case["crosshair_kji"]
    paint(run, "axial", (k, j - 60, i - 40), (k, j - 60, i - 20), (k, j - 40, i))
    run.wait(lambda: run.case["history"][-1].startswith("Brush"), "the stroke")
    painted = labels(run, tmp_path / "painted.npz")
    assert any((painted[n] != accepted.get(n, np.zeros_like(painted[n]))).any() for n in painted)
    run.keys("ctrl+z")
    run.wait(lambda: run.case["undone"], "undo")
    assert_same(labels(run, tmp_path / "undone.npz"), accepted)
    run.keys("ctrl+shift+z")
    run.wait(lambda: not run.case["undone"], "redo")
    assert_same(labels(run, tmp_path / "redone.npz"), painted)
    history = run.case["history"]
    segments = run.case["segments"]

    # Pull the plug and come back.
    run.wait_saved()
    run.kill()
    run = start(folder)
    run.wait(lambda: run.state["case"] and run.case["complete"], "the brain again")
    assert_same(labels(run, tmp_path / "again.npz"), painted)
    assert run.case["history"] == history
    assert run.case["segments"] == segments
    run.keys("ctrl+z")
    run.wait(lambda: run.case["undone"], "undo after the restart")
    assert_same(labels(run, tmp_path / "undone-again.npz"), accepted)
    run.keys("ctrl+y")
    run.wait(lambda: not run.case["undone"], "redo after the restart")

    # Export, look at it with a foreign reader, import it again.
    target = tmp_path / "labels.nii.gz"
    run.menu("File", "Export NIfTI")
    run.choose_file(target)
    run.wait(lambda: "Wrote" in run.state["message"], "the file", 60)
    merged = np.max(np.stack(list(painted.values())), axis=0)
    outside = sitk.ReadImage(str(target))
    assert outside.GetSize()[::-1] == tuple(run.case["shape_kji"])
    assert np.count_nonzero(sitk.GetArrayFromImage(outside)) == np.count_nonzero(merged)
    before = run.case
    run.menu("File", "Import labels")
    run.choose_file(target)
    run.wait(lambda: run.case["history"][-1].startswith("Import"), "the imported segments", 60)
    assert len(run.case["segments"]) == 6
    after = run.case
    for (name, *_), (copy, *_) in zip(before["segments"], after["segments"][3:], strict=True):
        assert copy.startswith(name)
        assert after["voxels"][copy] == after["voxels"][name]
    assert run.close() == 0


def test_labels_on_a_dicom_series_go_out_as_seg_and_come_back_voxel_for_voxel(
    start: Start, test_data: Path, tmp_path: Path
) -> None:
    run = start(test_data / "ct-head-tiny-93")
    run.wait(lambda: run.state["case"] and run.case["complete"], "the head", 60)
    run.keys("F3")
    k, j, i = run.case["crosshair_kji"]
    paint(run, "axial", (k, j, i - 12), (k, j + 6, i), (k, j, i + 12))
    run.wait(lambda: run.case["segments"], "the first segment")
    run.keys("n", "s")
    run.wait(lambda: len(run.case["segments"]) == 2, "the second segment")
    paint(run, "coronal", (k - 15, j, i), (k, j, i + 4), (k + 15, j, i))
    run.wait(lambda: len(run.case["history"]) == 3, "the second stroke")
    drawn = labels(run, tmp_path / "drawn.npz")
    voxels = run.case["voxels"]
    assert min(voxels.values()) > 50
    target = tmp_path / "labels.dcm"
    run.menu("File", "Export DICOM SEG")
    run.choose_file(target)
    run.wait(lambda: "Wrote" in run.state["message"], "the SEG", 60)
    judged = subprocess.run(
        [str(Path(sys.executable).with_name("dciodvfy")), "-new", str(target)], capture_output=True, text=True, check=False
    )
    assert not re.findall(r"^Error.*$", judged.stderr, re.MULTILINE)
    run.menu("File", "Import labels")
    run.choose_file(target)
    run.wait(lambda: run.case["history"][-1].startswith("Import"), "the imported segments", 60)
    assert len(run.case["segments"]) == 4
    both = labels(run, tmp_path / "both.npz")
    segments = run.case["segments"]
    for (_, layer, value, _), (_, copy_layer, copy_value, _) in zip(segments[:2], segments[2:], strict=True):
        one = drawn[f"layer{layer}"] == value
        np.testing.assert_array_equal(both[f"layer{copy_layer}"] == copy_value, one)
    # One undo takes the whole import back.
    run.keys("ctrl+z")
    run.wait(lambda: len(run.case["segments"]) == 2, "undo")
    assert_same(labels(run, tmp_path / "after.npz"), drawn)
    assert run.close() == 0
