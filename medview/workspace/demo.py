"""The demo study: computed patients as a proper DICOM study, and what the bundled models make of one."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import medview
from medview.core.errors import WriteError
from medview.core.job import JobContext
from medview.core.plane import Plane, SlicePlane
from medview.core.prediction import Prediction
from medview.core.volume import Rescale, Volume
from medview.core.window import Window
from medview.io.atomic import replacing
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.phantom.chest import ChestPhantom, chest
from medview.workspace.jobs import Lane
from medview.workspace.models import data_folder
from medview.workspace.rendering import mask_overlays, render_slice

_LOG = logging.getLogger("medview.demo")

_VERSION = 1
"""Raise it when the phantom changes, so that an older copy on disk is made anew."""

DEMO_MODELS = ("phantom-organs-nodules", "phantom-nodule-boxes", "phantom-nodule-present")

LUNG_WINDOW = Window(-600.0, 1500.0, name="Lung")


@dataclass(frozen=True, slots=True)
class DemoVisit:
    """One series of the demo study."""

    seed: int
    nodules: int
    patient_name: str
    patient_id: str
    study_date: str
    visit: int = 0


VISITS = (
    DemoVisit(20261, 3, "Demo^Anna", "DEMO-1", "20260112"),
    DemoVisit(20261, 3, "Demo^Anna", "DEMO-1", "20260706", visit=1),
    DemoVisit(20262, 0, "Demo^Bruno", "DEMO-2", "20260203"),
    DemoVisit(20263, 5, "Demo^Clara", "DEMO-3", "20260317"),
)
"""Three patients who do not exist; the first comes back after half a year with grown nodules."""


@dataclass(frozen=True, slots=True)
class MakeDemo:
    """Request: the folder of the demo study, made on the first use."""

    folder: Path

    @property
    def title(self) -> str:
        """What the person reads."""
        return "Making the demo study"

    @property
    def lane(self) -> Lane:
        """Writing, so that reading what is already there goes on."""
        return Lane.WRITE

    def run(self, context: JobContext) -> Path:
        """Compute and write what is missing."""
        return make_demo(self.folder, context)


def demo_folder() -> Path:
    """Where the demo study is kept between starts."""
    return data_folder() / f"demo-study-{_VERSION}"


def make_demo(folder: Path, context: JobContext) -> Path:
    """Write the demo study into ``folder`` unless it is there; return the folder.

    Raises
    ------
    WriteError
        When the folder cannot be written.
    """
    done = folder / "truth.json"
    if done.is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".demo-") as part:
            _write_visits(Path(part), context)
            if folder.exists():
                shutil.rmtree(folder)
            shutil.copytree(part, folder)
    except OSError as error:
        raise WriteError(f"The demo study cannot be written to {folder.parent}.", detail=str(error)) from error
    return folder


def phantoms(context: JobContext) -> Iterator[tuple[DemoVisit, ChestPhantom]]:
    """Compute the visits one by one."""
    earlier: ChestPhantom | None = None
    for number, visit in enumerate(VISITS):
        context.raise_if_cancelled()
        context.progress(number / len(VISITS), f"Patient {visit.patient_id}")
        first = earlier if visit.visit else None
        phantom = chest(visit.seed, nodules=visit.nodules, follow_up_of=first)
        earlier = phantom
        yield visit, phantom


def _write_visits(folder: Path, context: JobContext) -> None:
    truth = []
    for number, (visit, phantom) in enumerate(phantoms(context)):
        series = folder / f"series-{number + 1}"
        volume = Volume(phantom.hu, phantom.geometry, modality="CT", unit="HU", rescale=Rescale(), windows=(LUNG_WINDOW,))
        write_series(series, volume, _identity(visit))
        np.savez_compressed(folder / f"truth-{number + 1}.npz", labels=phantom.labels)
        lesions = [
            {"centre_lps_mm": list(lesion.centre_lps_mm), "diameter_mm": round(lesion.diameter_mm, 2)}
            for lesion in phantom.lesions
        ]
        truth.append({"series": series.name, "patient": visit.patient_id, "visit": visit.visit, "lesions": lesions})
    document = {"made_by": f"MedView {medview.__version__}", "note": "Computed, not of a person.", "visits": truth}
    (folder / "truth.json").write_text(json.dumps(document, indent=2), encoding="utf-8")


def _identity(visit: DemoVisit) -> SeriesIdentity:
    return SeriesIdentity(
        patient_name=visit.patient_name,
        patient_id=visit.patient_id,
        study_date=visit.study_date,
        study_description="Chest CT (computed, not of a person)",
        series_description="Chest phantom",
        seed=f"demo-{_VERSION}-{visit.seed}-{visit.visit}",
    )


def write_pictures(folder: Path, volume: Volume, prediction: Prediction, boxes: Prediction | None = None) -> list[Path]:
    """Write a picture of each plane through the middle of the smallest segment, with the mask and boxes over it."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    at_kji = place_to_show(prediction)
    for plane in Plane:
        layout = SlicePlane.of(plane, volume.geometry)
        index = at_kji[layout.normal_axis]
        overlays = mask_overlays(prediction.mask, volume.geometry, layout, index) if prediction.mask else []
        picture = render_slice(
            volume, layout, index, LUNG_WINDOW, overlays, boxes.boxes if boxes else (), longest_px=900, letters=True
        )
        path = folder / f"{plane.value}.png"
        with replacing(path) as file:
            Image.fromarray(picture).save(file, format="PNG")
        written.append(path)
    return written


def place_to_show(prediction: Prediction) -> tuple[int, int, int]:
    """Return a voxel (k, j, i) in the middle of the smallest proposed segment, or of the volume when there is none."""
    mask = prediction.mask
    counts = {v: n for v, n in (mask.counts() if mask else {}).items() if n}
    if mask is None or not counts:
        k, j, i = (n // 2 for n in prediction.geometry.shape_kji)
        return k, j, i
    smallest = min(counts, key=lambda value: counts[value])
    voxels = np.argwhere(mask.voxels == smallest)
    # A voxel of the segment itself: the mean of several nodules would lie between them.
    k, j, i = (int(n) for n in voxels[len(voxels) // 2] + np.asarray(mask.box.min_kji))
    return k, j, i
