"""Pictures of what is said about values and millimetres, on made series: ``python -m tests.end_to_end.check_pictures DIR``.

A PET with uptake, a radiograph with a display table and graphics, an ultrasound picture with regions, a CT with a missing
slice; in both sizes and both themes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.sequence import Sequence
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from medview.core.slab import Slab, SlabMode

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.helpers.dicom_series import put_pixels, write_ct
from tests.helpers.pet import make_pet
from tests.io.dicom.test_overlays import put_overlay
from tests.io.dicom.test_spacing import region
from tests.io.dicom.test_voi import lut

SIDE = 256


def _disc(row: float, column: float, radius: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    j, i = np.indices((SIDE, SIDE))
    return (j - row) ** 2 + (i - column) ** 2 < radius**2


def _body(k: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    rng = np.random.default_rng(k)
    picture = np.zeros((SIDE, SIDE))
    picture[_disc(128, 128, 100)] = 1000
    picture[_disc(110, 90, 34)] = 300
    picture[_disc(112, 168, 30)] = 340
    picture[_disc(120, 100 + k, 6)] = 2600
    return (picture + rng.normal(0, 25, picture.shape)).clip(0).astype(np.int16)


def _pet(k: int, ds: FileDataset) -> None:
    make_pet(ds)
    ds.SeriesDescription = "PET whole body, attenuation corrected"


def _radiograph(k: int, ds: FileDataset) -> None:
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(ds, keyword)
    put_pixels(ds, (_body(0) // 3 + 900).astype(np.uint16))
    ds.BitsStored, ds.HighBit = 12, 11
    del ds.RescaleSlope, ds.RescaleIntercept
    ds.Modality, ds.SeriesDescription = "DX", "Chest, display table and graphics"
    ds.ImagerPixelSpacing = [1.2, 1.2]
    ds.VOILUTSequence = Sequence([lut([min(4095, n * 5) for n in range(1000)], 880, name="NORMAL")])
    ring = _disc(120, 100, 18) & ~_disc(120, 100, 16)
    ring[20:22, 20:90] = True
    put_overlay(ds, ring, label="Region of interest")


def _ultrasound(k: int, ds: FileDataset) -> None:
    _radiograph(k, ds)
    del ds.VOILUTSequence, ds.ImagerPixelSpacing
    ds.Modality, ds.SeriesDescription = "US", "Liver, two regions"
    ds.WindowCenter, ds.WindowWidth = "1200", "900"
    left, right = (30, 220), (20, 120)
    ds.SequenceOfUltrasoundRegions = Sequence(
        [
            region(left, (10, 120), (0.02, 0.02)),
            region(left, (136, 246), (0.04, 0.04)),
            region(right, (0, 9), (0.1, 0.1), 4),
        ]
    )


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        series = {
            "pet": (np.stack([_body(k) for k in range(12)]), _pet, ()),
            "radiograph": (_body(0)[None], _radiograph, ()),
            "ultrasound": (_body(0)[None], _ultrasound, ()),
            "gap": (np.stack([_body(k) for k in range(12)]), None, (5,)),
        }
        for number, (name, (voxels, change, leave_out)) in enumerate(series.items()):
            place = home / "made" / name
            write_ct(place, voxels, axes=np.eye(3), series=f"2.25.{100 + number}", change=change, leave_out=leave_out)
            before = workspace.active
            window.files.open(place)
            studio.wait(
                lambda before=before: workspace.active is not None and workspace.active is not before, f"the series {name}"
            )
            case = workspace.active
            assert case is not None
            studio.wait(lambda case=case: case.ready, "its slices")
            # What arrives after the slices is shown at the pace of the panes.
            pause = time.monotonic() + 0.5
            studio.wait(lambda pause=pause: time.monotonic() > pause, "the panes")
            workspace.bench.maximised = "axial" if len(voxels) == 1 else ""
            pane = window.panes.findChild(type(window.panes), "axial_pane") or window.panes
            QTest.mouseMove(pane, QPoint(pane.width() // 3, pane.height() // 3))
            window.side.show_part("check")
            for theme, size in (("dark", SMALL), ("light", LARGE)):
                studio.shoot(f"check-{name}-{theme}", size, theme)
            if name == "pet":
                case.view.colour_map = "pet"
                workspace.bench.slab = Slab(SlabMode.MAXIMUM, 20.0)
                window.side.sections["models"].set_open(open_=False)
                window.side.show_part("planes")
                studio.shoot("planes-pet-dark", SMALL)
                studio.shoot("planes-pet-light-large", LARGE, "light")
                workspace.bench.slab = Slab()
                window.side.sections["models"].set_open(open_=True)
        QTest.keyClick(window, Qt.Key.Key_H)
        studio.shoot("check-hidden-dark", SMALL)
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
