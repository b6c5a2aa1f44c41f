"""Pictures of what several readers need: ``python -m tests.end_to_end.readers_pictures DIR``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from medview.core.geometry import Geometry
from medview.core.volume import Volume
from medview.gui.dialogs.agreement import AgreementDialog
from medview.gui.dialogs.import_dataset import ImportDatasetDialog
from medview.gui.dialogs.merge_copies import MergeDialog
from medview.gui.dialogs.reading_rule import ReadingRuleDialog
from medview.io import nifti
from medview.phantom.chest import chest
from medview.store.project import Project

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.workspace.compared import compared_project, further


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    folder.mkdir(parents=True, exist_ok=True)
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        studio.wait(lambda: workspace.services.project is not None, "the project")
        path = compared_project(home, 14, ("Ada Meyer", "Grace Oduya", "Lin Chen"))
        shutil.copytree(path, home / "grace.medview")
        with Project.open(home / "grace.medview", reader="Grace Oduya") as copy:
            further(copy, 2)
        with Project.open(path, reader="Grace Oduya") as project:
            further(project, 2)
        studio.program.switch.open(path)
        studio.wait(lambda: len(workspace.worklist.rows) == 14, "the cases")

        def both(name: str, dialog: QWidget) -> None:
            for theme, size in (("dark", SMALL), ("light", LARGE)):
                studio.program.use_theme(theme)
                window.resize(*size)
                for _ in range(12):
                    app.processEvents()
                dialog.grab().save(str(folder / f"{name}-{theme}.png"))

        window.actions_table.run("project.agree")
        (agreement,) = window.findChildren(AgreementDialog)
        both("agreement-begin", agreement)
        for number, name in ((0, "all"), (1, "consensus")):
            agreement.readers.setCurrentIndex(number)
            workspace.worklist.agreeing.choose(agreement.readers.itemData(number))
            agreement.compare.click()
            studio.wait(lambda: workspace.worklist.agreeing.job is None, f"the agreement of {name}")
            assert workspace.worklist.agreeing.found is not None, workspace.worklist.agreeing.problem
            studio.wait(lambda: agreement.detail.by_case.plot is not None, "the plots")
            both(f"agreement-{name}", agreement)
            agreement.table.setCurrentCell(agreement.table.rowCount() - 1, 0)
            agreement.detail.figure.setCurrentIndex(2)
            both(f"agreement-{name}-hd95", agreement)
            agreement.detail.figure.setCurrentIndex(0)
            agreement.kinds.setCurrentIndex(2)
            both(f"agreement-{name}-answers", agreement)
            agreement.table.setCurrentCell(agreement.table.rowCount() - 1, 0)
            both(f"agreement-{name}-numbers", agreement)
            agreement.kinds.setCurrentIndex(0)
        agreement.resize(1500, 950)
        both("agreement-wide", agreement)
        agreement.close()
        window.actions_table.run("project.merge")
        (merge,) = window.findChildren(MergeDialog)
        workspace.worklist.merging.add(home / "grace.medview")
        workspace.worklist.merging.add(path)
        both("merge-chosen", merge)
        merge.merge.click()
        studio.wait(lambda: not workspace.worklist.merging.working, "the merge")
        both("merge-done", merge)
        merge.close()
        window.actions_table.run("project.rule")
        (rule,) = window.findChildren(ReadingRuleDialog)
        both("rule", rule)
        rule.close()
        _import(studio, home, both)
        workspace.worklist.open(3)
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "a case")
        window.actions_table.run("case.list")
        case = workspace.active
        assert case is not None
        case.undo()
        studio.wait(lambda: case.editable, "the case")
        window.actions_table.run("case.done")
        both("done-warning", window)
        window.actions_table.run("case.done")
        studio.wait(lambda: workspace.worklist.done_and_lacking == 6, "the list")
        both("done-lacking", window)
        for dialog in window.findChildren(QDialog):
            dialog.close()
        window.close()


def _import(studio: Studio, home: Path, both: Callable[[str, QWidget], None]) -> None:
    """A dataset of chest volumes, one of whose label maps states another place."""
    window, importing = studio.window, studio.program.workspace.worklist.importing
    place = home / "lung-set"
    for folder in ("images", "labels"):
        (place / folder).mkdir(parents=True)
    for number in range(5):
        made = chest(500 + number, shape_kji=(36, 90, 90), spacing_kji_mm=(7.8, 4.0, 4.0))
        volume = Volume(made.hu, made.geometry, modality="CT", unit="HU")
        nifti.write_volume(place / "images" / f"chest-{number}.nii.gz", volume)
        affine = np.array(made.geometry.affine_lps)
        affine[:3, 3] += (0.0, 24.0, 15.6) if number == 2 else 0.0
        grid = Geometry(made.geometry.shape_kji, affine)
        labels = np.isin(made.labels, (1, 2)).astype(np.uint8)
        nifti.write_label_map(place / "labels" / f"chest-{number}.nii.gz", labels, grid)
    window.actions_table.run("project.import")
    (dialog,) = window.findChildren(ImportDatasetDialog)
    both("import-begin", dialog)
    dialog.choose(place)
    dialog.fields.values.setText("1=Lungs")
    dialog.look.click()
    studio.wait(lambda: importing.found is not None, "the look")
    studio.wait(lambda: bool(importing.choices), "the pictures")
    both("import-looked", dialog)
    dialog.misplaced.choices["voxels"].click()
    dialog.start.click()
    studio.wait(lambda: importing.report is not None, "the import")
    both("import-done", dialog)
    dialog.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
