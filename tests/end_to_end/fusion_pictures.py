"""Pictures of fused series, from real studies and a made PET: ``python -m tests.end_to_end.fusion_pictures DIR``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QApplication

from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import Command
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Rescale, Volume
from medview.core.window import Window
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import fusion as fusing
from medview.workspace.operations.labels import add_segment
from medview.workspace.operations.open import open_series
from medview.workspace.view_state import CaseView

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.helpers.moved import moved

DATA = Path(os.environ.get("MEDVIEW_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
PET_SHAPE_KJI = (84, 192, 192)


def open_named(studio: Studio, description: str) -> OpenCase:
    """Open a series that was found, by what it is called."""
    workspace = studio.program.workspace
    series = next(s for s in workspace.series if s.description == description)
    open_series(workspace, series)
    studio.wait(lambda: workspace.active and workspace.active.series is series and workspace.active.ready, description)
    assert workspace.active is not None
    return workspace.active


def pet_of(ct: OpenCase) -> Volume:
    """Return a made PET of a CT on a grid of its own: little uptake in soft tissue, none in air, and three hot spots."""
    geometry = ct.volume.geometry
    middle = geometry.point_lps_mm((np.array(geometry.shape_kji) - 1) / 2)
    spacing = (3.0, 2.6, 2.6)
    origin = middle - np.array(spacing[::-1]) * (np.array(PET_SHAPE_KJI[::-1]) - 1) / 2
    grid = Geometry.from_spacing(PET_SHAPE_KJI, spacing, tuple(origin), geometry.frame_of_reference_uid)
    place = grid.point_lps_mm(np.stack(np.indices(grid.shape_kji), axis=-1))
    index = np.rint(geometry.index_kji(place)).astype(int)
    inside = np.all((index >= 0) & (index < np.array(geometry.shape_kji)), axis=-1)
    hu = np.full(grid.shape_kji, -1000.0)
    hu[inside] = ct.volume.values()[tuple(index[inside].T)]
    uptake = np.clip((hu + 500.0) / 500.0, 0.0, 1.6)
    for offset, radius, peak in (
        ((-70.0, 10.0, 20.0), 14.0, 9.0),
        ((60.0, -30.0, -30.0), 9.0, 6.5),
        ((10.0, 40.0, 0.0), 11.0, 12.0),
    ):
        away = np.linalg.norm(place - (middle + np.array(offset)), axis=-1)
        uptake += peak * np.exp(-0.5 * (away / radius) ** 2)
    return _pet(uptake, grid, "Made PET")


def _pet(uptake: npt.NDArray[np.floating], grid: Geometry, description: str) -> Volume:
    stored = np.rint(uptake * 1000).astype(np.int16)
    return Volume(stored, grid, modality="PT", unit="g/mL", rescale=Rescale(0.001), description=description)


def add_made(studio: Studio, volume: Volume, like: OpenCase, uid: str) -> OpenCase:
    """Open a volume that has no file, as a series of the same patient, and show the other one again."""
    grid = volume.geometry
    load = LoadState(grid.shape_kji[0])
    load.mark_all_ready()
    k, j, i = (n // 2 for n in grid.shape_kji)
    case = OpenCase(
        replace(Series(uid, like.series.study_uid), modality="PT", description=volume.description)
        if not like.series.patient_id
        else replace(like.series, series_uid=uid, modality="PT", description=volume.description, volumes=[]),
        VolumeEntry(Verdict.VOLUME, (), grid, grid.shape_kji, ()),
        replace(volume, series_uid=uid),
        load,
        CaseLabels.empty(grid),
        CaseView((k, j, i), Window.from_range(0.0, 8.0)),
    )
    workspace = studio.program.workspace
    workspace.add_case(case)
    workspace.show(like.key)
    return case


def brain(studio: Studio) -> None:
    """FLAIR over T1, and a label of T1 on FLAIR."""
    window, workspace = studio.window, studio.program.workspace
    window.files.open(DATA / "mr-brain-t1-t1c-t2-flair")
    studio.wait(lambda: workspace.series, "the brain")
    t1 = open_named(studio, "T1pre_reg")
    flair = next(s for s in workspace.series if s.description == "FLAIR_reg")
    fusing.fuse_series(workspace, t1, flair)
    studio.wait(lambda: workspace.bench.fusions, "the fusion")
    for name in ("models", "measurements", "check"):
        window.side.sections[name].set_open(open_=False)
    window.side.show_part("fusion")
    studio.shoot("fusion-mr-dark", SMALL)
    studio.shoot("fusion-mr-light", SMALL, "light")
    segment = add_segment(t1, "Lesion")
    assert segment is not None
    k, j, i = t1.view.crosshair_kji
    box = Box((k - 1, j - 30, i - 40), (k + 2, j + 12, i - 5))
    layer = t1.labels.segmentation.layer(segment.layer_id)
    patch = LabelPatch.between(layer, box, np.full(box.shape_kji, segment.value, np.uint8))
    assert patch is not None
    t1.do(Command("Brush", (patch,)))
    fusing.end(workspace, t1)
    studio.shoot("labels-own-dark", SMALL)
    overlay = next(case for case in workspace.cases.values() if case.series.description == "FLAIR_reg")
    workspace.show(overlay.key)
    studio.shoot("labels-foreign-dark", SMALL)


def chest(studio: Studio) -> None:
    """A made PET over CT: in the same frame, in another one before and after registration."""
    window, workspace = studio.window, studio.program.workspace
    window.files.open(DATA / "ct-chest")
    studio.wait(lambda: any(s.modality == "CT" for s in workspace.series), "the chest")
    ct = open_named(studio, "lung")
    ct.view.window = Window(40, 400)
    made = pet_of(ct)
    pet = add_made(studio, made, ct, "1.2.826.0.1.3680043.8.498.1")
    fusing.fuse(workspace, ct, pet)
    ct.view.crosshair_kji = tuple(
        int(n) for n in np.rint(ct.volume.geometry.index_kji(made.geometry.point_lps_mm((42, 110, 98))))
    )
    window.side.show_part("fusion")
    studio.shoot("fusion-pet-dark", SMALL)
    workspace.bench.maximised = "axial"
    studio.shoot("fusion-pet-dark-large", LARGE)
    studio.shoot("fusion-pet-light", SMALL, "light")
    workspace.bench.maximised = ""
    away, _ = moved(made, (3.0, -2.0, 5.0), (12.0, -15.0, 8.0), spacing_kji_mm=(3.0, 2.6, 2.6))
    elsewhere = _pet(away.values(), away.geometry, "PET elsewhere")
    other = add_made(studio, elsewhere, ct, "1.2.826.0.1.3680043.8.498.2")
    fusing.fuse(workspace, ct, other)
    studio.shoot("fusion-unregistered-dark", SMALL)
    fusing.register(workspace, ct)
    studio.wait(lambda: workspace.bench.fusions[ct.key].registration is not None, "the registration")
    found = workspace.bench.fusions[ct.key].registration
    assert found is not None
    print(f"registered in {found.seconds:.1f} s: {found.note}")
    studio.shoot("fusion-registered-dark", SMALL)


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home():
        studio = Studio(app, folder)
        brain(studio)
        chest(studio)
        studio.window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
