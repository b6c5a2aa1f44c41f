"""Pictures of contours going out and coming in: ``python -m tests.end_to_end.contour_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication, QMenu
from scipy import ndimage

from medview.core.job import Inline
from medview.workspace.demo import make_demo
from medview.workspace.operations import files

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.helpers.structure_sets import Drawn, ring, structure_set


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        folder.mkdir(parents=True, exist_ok=True)
        said: list[str] = []
        workspace.message.connect(lambda message: said.append(message.text))
        place = make_demo(home / "demo", Inline())
        window.files.open(next(p for p in sorted(place.rglob("*")) if p.is_dir() and any(p.glob("*.dcm"))))
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the series")
        case = workspace.active
        assert case is not None
        window.side.sections["models"].set_open(open_=False)
        volume = case.volume
        slices, rows, columns = volume.geometry.shape_kji
        centre, size = (rows / 2, columns / 2), min(rows, columns)
        regions = [
            Drawn(
                "Ring", [ring(centre, r * size, volume, k) for k in range(slices) for r in (0.3, 0.2)], interpreted="PTV"
            ),
            Drawn(
                "Left",
                [ring((rows / 2, columns * 0.62), 0.1 * size, volume, k) for k in range(slices // 4, slices)],
                colour=(60, 200, 90),
                interpreted="ORGAN",
            ),
            Drawn("Isocentre", [[0, 0, 0]], kind="POINT"),
            Drawn("Planned, not drawn", None),
        ]
        structure_set(volume, regions).save_as(home / "planned.dcm")
        window.files.read_labels(home / "planned.dcm")
        studio.wait(lambda: len(case.labels.segmentation.segments) == 2, "the regions")
        for theme, size_px in (("dark", SMALL), ("light", LARGE)):
            studio.program.use_theme(theme)
            window.resize(*size_px)
            for _ in range(5):
                app.processEvents()
            window.grab().save(str(folder / f"contours-in-{theme}.png"))
        menu = next(m for m in window.findChildren(QMenu) if m.title() == "File")
        menu.ensurePolished()
        menu.adjustSize()
        menu.grab().save(str(folder / "contours-menu.png"))
        studio.shoot("contours-in-done", SMALL)
        before = [case.labels.segmentation.mask(s) for s in case.labels.segmentation.segments]
        assert ndimage.label(~before[0][slices // 2])[1] == 2
        files.export_rtstruct(workspace, home / "again.dcm")
        studio.wait(lambda: any(text.startswith("Wrote") for text in said), "the structure set")
        while case.undo() is not None:
            pass
        window.files.read_labels(home / "again.dcm")
        studio.wait(lambda: len(case.labels.segmentation.segments) == 2, "the regions to come back")
        studio.shoot("contours-back-dark", SMALL)
        studio.shoot("contours-back-light-large", LARGE, "light")
        for mask, segment in zip(before, case.labels.segmentation.segments, strict=True):
            np.testing.assert_array_equal(case.labels.segmentation.mask(segment), mask)
        print("\n".join(said))
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
