"""What a model proposes, taken over in part, compared, accepted and corrected by mouse and keys, and kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.job import Inline
from medview.workspace.demo import make_demo
from tests.end_to_end.conftest import Start
from tests.end_to_end.driver import Driver

pytestmark = pytest.mark.slow

MODEL = "phantom-organs-nodules"


def _drag(run: Driver, *voxels_kji: tuple[int, int, int]) -> None:
    run.drag([run.ask("voxel", plane="axial", voxel_kji=list(v)) for v in voxels_kji])


def _labels(run: Driver, path: Path) -> dict[str, Any]:
    run.ask("labels", path=str(path))
    with np.load(path) as found:
        return dict(found)


def _efforts(home: Path) -> list[dict[str, Any]]:
    (project,) = home.rglob("*.medview")
    told = subprocess.run(
        [sys.executable, "-m", "medview", "project", "info", str(project), "--json"], capture_output=True, check=True
    )
    found: list[dict[str, Any]] = json.loads(told.stdout)["correction_effort"]
    return found


def test_a_proposal_is_taken_over_in_part_compared_accepted_and_corrected(start: Start, tmp_path: Path) -> None:
    place = make_demo(tmp_path / "demo", Inline())
    series = next(p for p in sorted(place.rglob("*")) if p.is_dir() and any(p.glob("*.dcm")))
    run = start(series)
    run.wait(lambda: run.state["case"] and run.case["complete"], "the series", 120)
    run.click(f"run {MODEL}")
    run.wait(lambda: run.case["proposals"], "the proposal", 600)

    # A stroke takes over what is under it, with Ctrl it is given back.
    run.keys("F3", "ctrl+a")
    run.wait(lambda: run.state["tool"] == "accept_brush", "the brush that accepts")
    k, j, i = run.case["crosshair_kji"]
    _drag(run, (k, j, i - 60), (k, j + 10, i - 55), (k, j + 25, i - 50))
    run.wait(lambda: run.case["history"] and run.case["history"][-1].startswith("Accept a part of"), "the stroke")
    ((name, taken),) = run.case["voxels"].items()
    assert taken > 0
    run.hold("ctrl")
    _drag(run, (k, j, i - 60), (k, j + 4, i - 58))
    run.release("ctrl")
    run.wait(lambda: run.case["history"][-1].startswith("Give"), "what is given back")
    assert 0 < run.case["voxels"][name] < taken

    # Compared with what was taken over, and gone through.
    run.keys("shift+q")
    run.wait(lambda: run.ask("widget", name="close difference"), "the comparison", 60)
    run.wait(lambda: any("has more" in line for line in run.state["panes"]["axial"]["text"]), "its figures", 60)
    before = run.case["crosshair_kji"]
    run.keys("ctrl+shift+Right")
    run.wait(lambda: run.case["crosshair_kji"] != before, "the largest difference")
    run.keys("shift+q")
    run.wait(lambda: not run.ask("widget", name="close difference"), "the end of it")

    # All of it is accepted into what was begun, then corrected.
    run.keys("a")
    run.wait(lambda: not run.case["proposals"] and run.case["history"][-1].startswith("Accept"), "all of it", 60)
    names = [segment[0] for segment in run.case["segments"]]
    assert len(names) == len(set(names)) > 1
    assert not any(name.endswith(" 2") for name in names)
    whole = run.case["voxels"][name]
    run.keys("e")
    k, j, i = run.case["crosshair_kji"]
    _drag(run, (k, j, i), (k, j + 5, i + 3))
    run.wait(lambda: run.case["history"][-1].startswith("Erase"), "the correction")
    corrected = run.case["voxels"]
    drawn = _labels(run, tmp_path / "drawn.npz")
    assert corrected[name] <= whole
    run.keys("F7")
    assert run.close() == 0

    # And kept.
    (effort,) = _efforts(tmp_path / "home")
    assert (effort["model_id"], effort["cases"], effort["segments"]) == (MODEL, 1, len(names))
    assert effort["measured_segments"] == len(names)
    assert effort["mean_dice"] > 0.99
    assert effort["removed_ml"] == pytest.approx((whole - corrected[name]) * 0.0064, abs=0.001)
    assert effort["removed_ml"] > 0
    assert effort["minutes_per_case"] > 0
    run = start(series)
    run.wait(lambda: run.state["case"] and run.case["complete"], "the series again", 120)
    again = _labels(run, tmp_path / "again.npz")
    assert drawn.keys() == again.keys()
    for layer, voxels in drawn.items():
        np.testing.assert_array_equal(voxels, again[layer])
