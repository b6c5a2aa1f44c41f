"""Pictures of filling between slices and growing from seeds: ``python -m tests.end_to_end.seeds_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication
from scipy import ndimage

from medview.core.box import Box
from medview.core.segmentation import Segment
from medview.core.window import Window
from medview.workspace.actions import action
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.view_state import Mode

# Sets the platform before Qt looks at it.
from tests.end_to_end.effects_pictures import balls, draw, shown
from tests.end_to_end.fusion_pictures import DATA, open_named
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home


def largest_lung(case: OpenCase) -> np.ndarray:
    """Return one lung, as somebody may draw it slice by slice."""
    values = case.volume.values()
    air = ndimage.binary_opening((values < -500) & (values > -1000), iterations=2)
    pieces, _count = ndimage.label(air)
    k, j, i = (n // 2 for n in values.shape)
    found = np.bincount(pieces[k - 10 : k + 10, j - 60 : j + 60, i - 140 : i - 40].ravel())
    found[0] = 0
    return np.asarray(ndimage.binary_closing(pieces == int(np.argmax(found)), iterations=3))


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home():
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        window.files.open(DATA / "ct-chest")
        studio.wait(lambda: any(s.modality == "CT" for s in workspace.series), "the chest")
        case = open_named(studio, "lung")
        case.view.window = Window(-500, 1500)
        workspace.bench.mode = Mode.ANNOTATE
        for name in ("tools", "segments", "lesions", "models", "history"):
            window.side.sections[name].set_open(open_=False)
        window.side.show_part("effects")
        lung = labels.add_segment(case, "Lung")
        assert lung is not None
        drawn = largest_lung(case)
        filled = np.flatnonzero(drawn.any(axis=(1, 2)))
        for n in filled[:: len(filled) // 9]:
            draw(case, lung, drawn[n : n + 1], Box((int(n), 0, 0), (int(n) + 1, *drawn.shape[1:])))
        k, j, i = (int(n) for n in ndimage.center_of_mass(drawn))
        case.view.crosshair_kji = (int(filled[0]), j, i)
        shown(studio, "between_slices")
        action("effect.next_slice").run(workspace)
        studio.shoot("seeds-between-dark", SMALL)
        studio.shoot("seeds-between-light", LARGE, "light")
        action("effect.apply_slice").run(workspace)
        studio.wait(lambda: not workspace.bench.effect.working, "the rest")
        studio.shoot("seeds-between-one-accepted-dark", SMALL)
        workspace.effects.apply()
        studio.wait(lambda: not workspace.bench.effect.effect_id, "filling")
        studio.shoot("seeds-between-applied-dark", SMALL)
        while case.history.next_undo() is not None:
            case.undo()
            # Large steps are taken back part by part.
            studio.wait(lambda: case.editable, "undo")
        grow(studio, case, (k, j, i))
        window.close()


def grow(studio: Studio, case: OpenCase, at_kji: tuple[int, int, int]) -> None:
    """Draw strokes in lungs, heart and what is none of them, grow them, and draw on where it is wrong."""
    workspace = studio.program.workspace
    case.view.window = Window(0, 1200)
    geometry = case.volume.geometry
    middle = geometry.point_lps_mm((np.array(geometry.shape_kji) - 1) / 2)
    segments: dict[str, Segment] = {}
    values = case.volume.values()
    for name in ("Lungs", "Heart", "Background"):
        made = labels.add_segment(case, name)
        assert made is not None
        segments[name] = made
    x, y, z = geometry.point_lps_mm(at_kji) - middle
    balls(case, segments["Lungs"], (x, y, z, 12), (-x, y, z, 12), (x, y, z - 40, 9), (-x, y, z - 40, 9))
    balls(case, segments["Heart"], (20, -25, z - 50, 14), (15, -20, z - 65, 14))
    back = np.zeros(geometry.shape_kji, dtype=bool)
    for n in range(10, geometry.shape_kji[0] - 5, 30):
        body = ndimage.binary_fill_holes(values[n] > -400)
        back[n] = ~ndimage.binary_dilation(body, iterations=8) | (body & ~ndimage.binary_erosion(body, iterations=8))
    back &= ~case.labels.segmentation.mask(segments["Lungs"]) & ~case.labels.segmentation.mask(segments["Heart"])
    draw(case, segments["Background"], back, Box.whole(geometry.shape_kji))
    balls(case, segments["Background"], (0, 60, z, 8), (0, 60, z - 50, 8))
    case.view.crosshair_kji = at_kji
    case.view.active_segment_id = segments["Lungs"].segment_id
    studio.shoot("seeds-strokes-dark", SMALL)
    workspace.effects.open("grow_from_seeds")
    workspace.effects.change("background", segments["Background"].segment_id)
    workspace.effects.preview()
    studio.wait(lambda: not workspace.bench.effect.working, "growing")
    studio.shoot("seeds-grown-dark", SMALL)
    studio.shoot("seeds-grown-light", LARGE, "light")
    balls(case, segments["Heart"], (-5, -35, z - 50, 10))
    studio.wait(lambda: not workspace.bench.effect.working, "growing on")
    studio.shoot("seeds-grown-on-dark", SMALL)
    workspace.effects.apply()
    studio.wait(lambda: not workspace.bench.effect.effect_id, "applying")
    studio.shoot("seeds-applied-light", SMALL, "light")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
