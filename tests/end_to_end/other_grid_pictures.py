"""Pictures of labels of another grid: ``python -m tests.end_to_end.other_grid_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication, QWidget

from medview.core.geometry import Geometry
from medview.core.volume import Volume
from medview.gui.dialogs.other_grid import OtherGridDialog
from medview.io import nifti
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.phantom.chest import chest

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    folder.mkdir(parents=True, exist_ok=True)
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        made = chest(7, nodules=2)
        volume = Volume(made.hu, made.geometry, modality="CT", unit="HU")
        identity = SeriesIdentity("Phantom^Grid", "P-1", series_description="Chest", seed="grid")
        write_series(home / "ct", volume, identity, durable=False)
        studio.wait(lambda: workspace.services.project is not None, "the project")
        window.files.open(home / "ct")
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the series")
        labels = (made.hu > 150).astype(np.uint8)
        labels[:, :, : labels.shape[2] // 2] *= 2
        affine = np.array(made.geometry.affine_lps)
        affine[:3, 3] += (0.0, 45.0, 0.0)
        nifti.write_label_map(home / "bones.nii.gz", labels, Geometry(labels.shape, affine))
        window.files.read_labels(home / "bones.nii.gz")
        studio.wait(lambda: bool(window.findChildren(OtherGridDialog)), "the question")
        dialog = window.findChildren(OtherGridDialog)[0]

        def shoot(name: str, size: tuple[int, int], theme: str, of: QWidget) -> None:
            studio.program.use_theme(theme)
            window.resize(*size)
            for _ in range(8):
                app.processEvents()
            of.grab().save(str(folder / f"{name}.png"))

        shoot("other-grid-dark", SMALL, "dark", dialog)
        shoot("other-grid-light", LARGE, "light", dialog)
        dialog.buttons[next(iter(dialog.buttons))].click()  # type: ignore[attr-defined]
        studio.wait(lambda: bool(workspace.active and workspace.active.labels.segmentation.segments), "the labels")
        shoot("other-grid-taken-dark", SMALL, "dark", window)
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
