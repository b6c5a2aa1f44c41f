"""Pictures of effects on a real chest: ``python -m tests.end_to_end.effects_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication

from medview.core.box import Box
from medview.core.changes import Command
from medview.core.geometry import Geometry
from medview.core.segmentation import Segment
from medview.core.volume import Volume
from medview.core.window import Window
from medview.edit.paint import capsule_mask
from medview.edit.rules import LabelWriter
from medview.io.nifti import write_volume
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations import segments as segment_ops
from medview.workspace.view_state import Mode

# Sets the platform before Qt looks at it.
from tests.end_to_end.fusion_pictures import DATA, open_named
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home


def draw(case: OpenCase, segment: Segment, mask: np.ndarray, box: Box) -> None:
    """Let a segment hold a mask too."""
    writer = LabelWriter(case.labels.segmentation, box)
    writer.add(segment, mask)
    case.do(Command("Brush", tuple(writer.changes())))


def balls(case: OpenCase, segment: Segment, *balls_mm: tuple[float, float, float, float]) -> None:
    """Draw balls: offset from the middle of the grid in mm (x, y, z), and radius."""
    geometry = case.volume.geometry
    middle = geometry.point_lps_mm((np.array(geometry.shape_kji) - 1) / 2)
    for x, y, z, radius_mm in balls_mm:
        at = geometry.index_kji(middle + np.array((x, y, z)))
        found = capsule_mask(geometry, at, at, radius_mm)
        assert found is not None
        draw(case, segment, found[1], found[0])


def shown(studio: Studio, effect_id: str, **values: object) -> None:
    """Open an effect with settings and wait until its candidate is there."""
    workspace = studio.program.workspace
    workspace.effects.open(effect_id)
    for key, value in values.items():
        workspace.effects.change(key, value)
    studio.wait(lambda: not workspace.bench.effect.working, effect_id)


def diffusion(studio: Studio, place: Path) -> None:
    """Show a map of diffusivities in square millimetres a second, whose values are thousandths."""
    window, workspace = studio.window, studio.program.workspace
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in (24, 96, 96)), indexing="ij")
    values = np.where(k**2 + j**2 + i**2 < 0.8, 0.0007 + 0.0004 * j, 0.0).astype(np.float32)
    geometry = Geometry.from_spacing(values.shape, (4.0, 2.0, 2.0))
    write_volume(place / "diffusion.nii.gz", Volume(values, geometry))
    window.files.open(place / "diffusion.nii.gz")
    studio.wait(lambda: any(not s.modality for s in workspace.series), "the map")
    case = open_named(studio, next(s.description for s in workspace.series if not s.modality))
    case.view.window = case.view.window.adjusted(0.0007, 0.001)
    workspace.bench.mode = Mode.ANNOTATE
    shown(studio, "threshold", range=(0.0003, 0.0012))
    for name in ("effects", "window"):
        window.side.show_part(name)
    studio.shoot("effects-small-values-dark", SMALL)
    studio.shoot("effects-small-values-light", LARGE, "light")
    workspace.effects.close()


def main(folder: Path) -> None:
    """Write all pictures; those of small values first."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        diffusion(studio, home)
        if "small" in sys.argv[2:]:
            studio.window.close()
            return
        window, workspace = studio.window, studio.program.workspace
        window.files.open(DATA / "ct-chest")
        studio.wait(lambda: any(s.modality == "CT" for s in workspace.series), "the chest")
        case = open_named(studio, "lung")
        case.view.window = Window(-500, 1500)
        workspace.bench.mode = Mode.ANNOTATE
        shown(studio, "threshold", range=(-1000.0, -400.0))
        for name in ("tools", "models", "history"):
            window.side.sections[name].set_open(open_=False)
        window.side.show_part("effects")
        studio.shoot("effects-threshold-dark", SMALL)
        studio.shoot("effects-threshold-light", LARGE, "light")
        workspace.effects.close()
        segment = labels.add_segment(case, "Lesion")
        assert segment is not None
        balls(case, segment, (0, 0, 0, 30), (28, 10, 6, 18), (-60, 0, 0, 9), (-75, 20, 0, 5), (55, -30, 0, 7))
        noise = np.random.default_rng(1).random(case.labels.segmentation.geometry.shape_kji) < 0.02
        box = case.labels.segmentation.box(segment)
        assert box is not None
        draw(case, segment, noise[box.slices], box)
        k, j, i = (n // 2 for n in case.volume.geometry.shape_kji)
        case.view.crosshair_kji = (k, j, i)
        shown(studio, "smooth", way="median", kernel_mm=6.0)
        studio.shoot("effects-smooth-dark", SMALL)
        studio.shoot("effects-smooth-light", SMALL, "light")
        workspace.effects.apply()
        studio.wait(lambda: not workspace.bench.effect.effect_id, "smoothing")
        shown(studio, "islands", way="largest")
        studio.shoot("effects-islands-dark", LARGE)
        shown(studio, "islands", way="split")
        studio.shoot("effects-islands-split-light", LARGE, "light")
        shown(studio, "margin", way="grow", margin_mm=8.0)
        studio.shoot("effects-margin-dark", SMALL)
        shown(studio, "hollow", side="centred", thickness_mm=8.0)
        workspace.bench.maximised = "axial"
        studio.shoot("effects-hollow-dark-large", LARGE)
        workspace.bench.maximised = ""
        workspace.effects.close()
        other = labels.add_segment(case, "Vessel")
        assert other is not None
        balls(case, other, (15, -20, 0, 25))
        shown(studio, "logic", way="subtract", other=segment.segment_id)
        studio.shoot("effects-logic-dark", SMALL)
        shown(studio, "holes", way="axial")
        studio.shoot("effects-holes-light", SMALL, "light")
        segment_ops.set_locked(case, [other.segment_id], locked=True)
        studio.shoot("effects-locked-dark", SMALL)
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
