"""The demo study: computed patients as a proper DICOM study, and what the bundled models make of one."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

import medview
from medview.core.atomic import replacing
from medview.core.errors import WriteError
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.plane import Plane, SlicePlane
from medview.core.prediction import Prediction
from medview.core.volume import Volume
from medview.core.window import Window
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.phantom.demo import demo_studies
from medview.workspace.jobs import Lane
from medview.workspace.models import data_folder

_VERSION = 1
"""Raise it when the phantom changes, so that an older copy on disk is made anew."""

DEMO_MODELS = ("phantom-organs-nodules", "phantom-nodule-boxes", "phantom-nodule-present")

LUNG_WINDOW = Window(-600.0, 1500.0, name="Lung")


@dataclass(frozen=True, slots=True)
class MakeDemo:
    """Request: the folder of the demo study, made on the first use."""

    folder: Path

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Making the demo study")

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
            growing = Path(part) / folder.name
            growing.mkdir()
            _write_studies(growing, context)
            if folder.exists():
                shutil.rmtree(folder)
            growing.rename(folder)
    except OSError as error:
        raise WriteError(f"The demo study cannot be written to {folder.parent}.", detail=str(error)) from error
    return folder


def _write_studies(folder: Path, context: JobContext) -> None:
    context.progress(0.0, "Computing patients")
    studies = demo_studies()
    visits = []
    for number, study in enumerate(studies, start=1):
        context.raise_if_cancelled()
        context.progress(0.5 + 0.5 * number / len(studies), f"Writing {study.patient_id}")
        phantom = study.phantom
        name = f"series-{number}"
        volume = Volume(phantom.hu, phantom.geometry, modality="CT", unit="HU", windows=(LUNG_WINDOW,))
        identity = SeriesIdentity(
            patient_name=study.patient_name,
            patient_id=study.patient_id,
            study_date=study.study_date,
            study_description=study.study_description,
            series_description="Computed, not of a person",
            seed=f"medview-demo-{_VERSION}-{study.patient_id}-{study.study_date}",
        )
        write_series(folder / name, volume, identity, durable=False)
        np.savez_compressed(folder / f"truth-{number}.npz", labels=phantom.labels)
        lesions = [
            {"centre_lps_mm": list(lesion.centre_lps_mm), "diameter_mm": round(lesion.diameter_mm, 2)}
            for lesion in phantom.lesions
        ]
        visits.append({"series": name, "patient": study.patient_id, "date": study.study_date, "lesions": lesions})
    document = {"made_by": f"MedView {medview.__version__}", "note": "Computed, not of a person.", "visits": visits}
    (folder / "truth.json").write_text(json.dumps(document, indent=2), encoding="utf-8")


def write_pictures(folder: Path, volume: Volume, prediction: Prediction, boxes: Prediction | None = None) -> list[Path]:
    """Write a picture of each plane through what was found, with the mask and boxes over it."""
    from PIL import Image

    from medview.workspace.rendering import mask_overlays, render_slice

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    at_kji = place_to_show(boxes or prediction)
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
    """Return the voxel (k, j, i) a person should see first.

    That is the middle of the surest box, else a voxel in the largest piece of the smallest proposed segment, else the
    middle of the volume.
    """
    shape = prediction.geometry.shape_kji
    if prediction.boxes:
        surest = max(prediction.boxes, key=lambda box: box.score or 0.0)
        low, high = surest.bounds_kji(prediction.geometry)
        return _voxel(np.clip((low + high) / 2 - 0.5, 0, np.asarray(shape) - 1))
    mask = prediction.mask
    counts = {v: n for v, n in (mask.counts() if mask else {}).items() if n}
    if mask is None or not counts:
        return _voxel([n // 2 for n in shape])
    smallest = min(counts, key=lambda value: counts[value])
    pieces, _ = ndimage.label(mask.voxels == smallest)
    largest = int(np.argmax(np.bincount(pieces.ravel())[1:])) + 1
    voxels = np.argwhere(pieces == largest)
    # A voxel of the piece itself: the mean of a bent piece may lie outside it.
    nearest = np.argmin(np.linalg.norm(voxels - voxels.mean(axis=0), axis=1))
    return _voxel(voxels[nearest] + np.asarray(mask.box.min_kji))


def _voxel(index_kji: npt.ArrayLike) -> tuple[int, int, int]:
    k, j, i = (int(n) for n in np.rint(np.asarray(index_kji, dtype=float)))
    return k, j, i
