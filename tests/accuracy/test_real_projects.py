"""The datasets that others published become projects with one command each: every case, patient and label of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.data, pytest.mark.timeout(1800)]


def medview(*arguments: object) -> dict[str, Any]:
    begun = time.monotonic()
    command = [sys.executable, "-m", "medview", "project", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    sys.stdout.write(f"{arguments[0]} {arguments[2] if len(arguments) > 2 else ''}: {time.monotonic() - begun:.0f} s\n")
    return found


@pytest.mark.parametrize(
    ("folder", "options", "wanted"),
    [
        (
            "train-seg-hippocampus",
            ("--format", "nifti-pairs", "--label-values", "1=Anterior,2=Posterior", "--patient-from", r"hippocampus_\d+"),
            {"cases": 180, "patients": 180, "split_by": "patient", "labels": {"Anterior": 180, "Posterior": 180}},
        ),
        (
            "train-seg-sunnybrook",
            ("--format", "image-mask", "--label-values", "255=LV", "--patient-from", r"(SC-[A-Z]+(?:-N?I)?-\d+)"),
            {"cases": 526, "patients": 30, "split_by": "patient"},
        ),
        (
            "train-det-bccd",
            ("--format", "voc"),
            {"cases": 205, "boxes": 2805, "split_by": "image", "labels": {"Platelets": 117, "RBC": 197, "WBC": 204}},
        ),
        (
            "train-cls-pneumoniamnist",
            ("--format", "medmnist-npz", "--split-from", "npz"),
            {
                "cases": 2698,
                "splits": {"train": 2428, "val": 270},
                "split_by": "image",
                "labels": {"normal": 1349, "pneumonia": 1349},
            },
        ),
    ],
)
def test_a_folder_becomes_a_project(
    test_data: Path, tmp_path: Path, folder: str, options: tuple[str, ...], wanted: dict[str, Any]
) -> None:
    project = tmp_path / "p.medview"
    medview("create", project)
    found = medview("import", project, test_data / folder, *options)
    found["labels"] = {one["name"]: one["cases"] for one in found["labels"]}
    assert {name: found[name] for name in wanted} == wanted
    assert found["labelled"] == found["cases"]
    assert any("splits are by image" in text for text in found["warnings"]) == (wanted["split_by"] == "image")
    cases = medview("list", project)["cases"]
    assert len(cases) == wanted["cases"]
    assert {case["status"] for case in cases} == {"done"}
    again = medview("import", project, test_data / folder, *options)
    assert (again["added"], again["labelled"], again["known"]) == (0, 0, wanted["cases"])
