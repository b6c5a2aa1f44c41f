"""Pictures of the 3-D view on real studies: ``python -m tests.end_to_end.scene_pictures DIR`` (MEDVIEW_TEST_DATA set)."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication
from scipy import ndimage

from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Segment
from medview.gui.panes.volume_view import VolumeView
from medview.scene.camera import Orbit
from medview.scene.presets import presets
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.open import open_series

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import Studio, private_home

SIZE = (760, 620)
STUDIES = ("ct-chest", "mr-brain-t1-t1c-t2-flair")
ORBIT = Orbit(25.0, 12.0, 1.25)


def shoot(studio: Studio, view: VolumeView, folder: Path, name: str) -> None:
    """Write a picture once the newest fine one is shown."""
    start = time.perf_counter()
    serial = view.follower.serial
    shown = view.canvas
    studio.wait(
        lambda: shown.shown is not None and shown.shown.look.serial >= serial and not shown.shown.look.quick, "the picture"
    )
    print(f"{name}: {time.perf_counter() - start:.2f} s")
    view.grab().save(str(folder / f"{name}.png"))


def open_largest(studio: Studio, place: Path) -> OpenCase:
    """Open the series of a folder with the most voxels."""
    workspace, opened = studio.program.workspace, list[OpenCase]()
    known = len(workspace.series)
    studio.window.files.open(place)
    studio.wait(lambda: len(workspace.series) > known, "the study")
    found = [series for series in workspace.series[known:] if series.best is not None]
    largest = max(found, key=lambda series: series.best.size_bytes if series.best is not None else 0)
    open_series(workspace, largest, then=opened.append)
    studio.wait(
        lambda: workspace.active is not None and workspace.active.series == largest and workspace.active.ready, place.name
    )
    assert workspace.active is not None
    return workspace.active


def segment_lungs(case: OpenCase) -> None:
    """Label both lungs by threshold, through the front door."""
    values = case.volume.values()
    air = ndimage.binary_opening(values < -500, iterations=2)
    parts, _ = ndimage.label(air)
    sizes = np.bincount(parts.ravel())
    rim = np.unique(
        np.concatenate([parts[:, 0].ravel(), parts[:, -1].ravel(), parts[:, :, 0].ravel(), parts[:, :, -1].ravel()])
    )
    sizes[rim] = 0
    sizes[0] = 0
    chosen = np.argsort(sizes)[::-1][:1]
    mask = ndimage.binary_closing(np.isin(parts, chosen), iterations=2)
    segment = Segment("lungs", "Lungs", (86, 180, 233), 0, 1)
    layer = case.labels.segmentation.layer(0)
    patch = LabelPatch.between(layer, Box((0, 0, 0), mask.shape), mask.astype(np.uint8))
    assert patch is not None
    case.do(Command("Threshold", (SegmentChange(None, segment, 0), patch)))


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    folder.mkdir(parents=True, exist_ok=True)
    data = Path(os.environ["MEDVIEW_TEST_DATA"])
    with private_home():
        studio = Studio(app, folder)
        workspace = studio.program.workspace
        view = VolumeView(workspace)
        view.resize(*SIZE)
        for name in STUDIES:
            case = open_largest(studio, data / name)
            workspace.scene.orbit = ORBIT
            view.show()
            for preset in presets(case.volume.modality, case.volume.unit):
                workspace.scene.choose(preset.key)
                shoot(studio, view, folder, f"scene-{name}-{preset.key}")
            if name == "ct-chest":
                segment_lungs(case)
                studio.wait(lambda: not view.follower.labels_wait, "the surfaces")
                workspace.scene.choose("nothing")
                shoot(studio, view, folder, "scene-ct-chest-segment")
                workspace.scene.choose("bone")
                shoot(studio, view, folder, "scene-ct-chest-segment-bone")
                studio.program.use_theme("light")
                shoot(studio, view, folder, "scene-ct-chest-light")
                studio.program.use_theme("dark")
        view.shut()
        view.close()
        studio.window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
