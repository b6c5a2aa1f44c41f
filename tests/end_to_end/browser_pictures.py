"""Pictures of the study browser, key images and their files: ``python -m tests.end_to_end.browser_pictures DIR``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from pydicom.dataset import FileDataset
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from medview.core.job import Inline
from medview.core.plane import Plane
from medview.gui.commands import film_export, key_image_commands
from medview.workspace.demo import make_demo
from medview.workspace.key_images import key_images, note
from medview.workspace.operations.key_images import export_ko

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.helpers.dicom_series import ROOT, write_ct

LONG = "Thorax, abdomen and pelvis with contrast, venous phase, soft tissue kernel, recalculated for planning"


def write_others(folder: Path) -> None:
    """Write a patient with three studies: long names, a stack, a series that is refused."""

    def told(number: int, date: str, modality: str, description: str, k: int, ds: FileDataset) -> None:
        ds.PatientName, ds.PatientID = "Brunnhuber-Oberwiesenthal^Maximiliane Theodora", "MRN-000-4711-0815"
        ds.StudyInstanceUID, ds.StudyDate = f"{ROOT}.{date}", date
        ds.StudyDescription = "Staging before therapy" if date.startswith("2026") else "Follow-up"
        ds.Modality, ds.SeriesNumber, ds.SeriesDescription = modality, number, description[:64]
        if description == "Loop without positions":
            del ds.ImagePositionPatient, ds.ImageOrientationPatient
        if description == "Unusual pixels":
            ds.SamplesPerPixel = 4

    for n, (number, date, modality, description) in enumerate(
        [
            (12, "20260213", "CT", LONG),
            (2, "20260213", "CT", "Topogram"),
            (3, "20260213", "US", "Loop without positions"),
            (4, "20251101", "OT", "Unusual pixels"),
            (1, "20261101", "MR", "T1 TSE"),
        ]
    ):
        change = partial(told, number, date, modality, description)
        write_ct(folder / f"{n}", series=f"{ROOT}.7{n}", change=change)


def shoot_menu(menu: QMenu, path: Path) -> None:
    """Write a picture of a menu."""
    menu.ensurePolished()
    menu.adjustSize()
    menu.grab().save(str(path))
    print(path)


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
        write_others(home / "others")
        window.files.open(home / "others")
        window.files.open(place)
        studio.wait(lambda: len(workspace.series) >= 6, "the series")
        studio.wait(lambda: len(workspace.settings.recent) == 2, "the recent places")
        series = next(s for s in workspace.series if "CT" in s.modality and s.best is not None and s.best.shape_kji[0] > 20)
        window.files.open_series(series, None)
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "the series")
        case = workspace.active
        assert case is not None
        window.side.sections["models"].set_open(open_=False)
        studio.shoot("browser-dark", SMALL)
        studio.shoot("browser-light", SMALL, "light")
        shoot_menu(window.studies.bar.order_menu, folder / "browser-order.png")
        shoot_menu(window.studies.bar.recent_menu, folder / "browser-recent.png")
        next(c for c in window.studies.bar.order_menu.actions() if c.text() == "Patients by newest study").trigger()
        next(c for c in window.studies.bar.order_menu.actions() if c.text() == "Series by modality").trigger()
        studio.shoot("browser-newest-dark", SMALL)
        pane = window.panes.findChild(QWidget, "axial_pane")
        assert pane is not None
        for index in (22, 40, 41):
            case.view.set_slice(case.layouts()[Plane.AXIAL].normal_axis, index)
            QTest.mouseMove(pane, pane.rect().center())
            workspace.bench.pointed = "axial"
            QTest.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
        workspace.bench.pointed = "coronal"
        window.actions_table.run("keyimage.toggle")
        studio.wait(lambda: len(key_images(case)) == 4, "the key images")
        note(case, key_images(case)[2], "Nodule in the right lower lobe, compare with the study of last year")
        studio.shoot("keys-dark", SMALL)
        studio.shoot("keys-light", SMALL, "light")
        workspace.bench.pointed = "axial"
        workspace.bench.maximised = "axial"
        studio.shoot("keys-dark-large", LARGE)
        key_image_commands.ask_folder = lambda *_: folder  # type: ignore[assignment]  # stands for the person at the dialog
        window.actions_table.run("keyimage.save")
        studio.wait(lambda: any("key images into" in text for text in said), "the pictures")
        film_export.ask_new_file = lambda _w, _t, name, _k: folder / name  # type: ignore[assignment]  # as above
        workspace.bench.maximised = ""
        window.resize(*SMALL)
        for action_id in ("film.png", "film.gif"):
            said.clear()
            window.actions_table.run(action_id)
            studio.wait(lambda: any("pictures at" in text for text in said), "the film")
        export_ko(workspace, home / "keys.dcm")
        studio.wait(lambda: any("keys.dcm" in text for text in said), "the document")
        shoot_menu(next(m for m in window.findChildren(QMenu) if m.title() == "File"), folder / "browser-file.png")
        workspace.bench.identity_hidden = True
        studio.shoot("browser-hidden-light", SMALL, "light")
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
