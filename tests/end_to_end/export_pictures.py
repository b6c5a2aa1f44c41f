"""Pictures of exporting a project: ``python -m tests.end_to_end.export_pictures DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from medview.core.reading_rule import ReadingRule
from medview.core.reading_status import ReadingStatus
from medview.gui.dialogs.project_export import ProjectExportDialog
from medview.workspace.new_project import NewProject

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.workspace.exported import labelled


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    folder.mkdir(parents=True, exist_ok=True)
    with private_home() as home:
        states = (ReadingStatus.IN_WORK, ReadingStatus.DONE, ReadingStatus.APPROVED)
        (home / "made").mkdir()
        made = labelled(home / "made", unsure=True, finish=states.__getitem__)
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        studio.wait(lambda: workspace.services.project is not None, "the project")
        wanted = NewProject(home / "p" / "Lung.medview", "Lung", None, ReadingRule(), ())
        studio.program.switch.make(wanted)
        studio.program.switch.open(made.project)
        studio.wait(lambda: len(workspace.worklist.rows) == 3, "the cases")
        window.actions_table.run("project.export")
        (dialog,) = window.findChildren(ProjectExportDialog)
        dialog.choose_place(Path("/data/exports"))
        for form in ("seg", "nnunet", "dataset"):
            forms = [dialog.form.itemData(n).form for n in range(dialog.form.count())]
            dialog.form.setCurrentIndex(forms.index(form))
            studio.wait(dialog.export.isEnabled, f"what {form} loses")
            for theme, size in (("dark", SMALL), ("light", LARGE)):
                studio.program.use_theme(theme)
                window.resize(*size)
                for _ in range(8):
                    app.processEvents()
                dialog.grab().save(str(folder / f"export-{form}-{theme}.png"))
                window.screen().grabWindow(0).save(str(folder / f"export-{form}-{theme}-screen.png"))
        dialog.choose_place(home)
        dialog.export.click()
        studio.wait(lambda: (home / "p-dataset" / "checksums.sha256").exists(), "the dataset")
        for _ in range(40):
            app.processEvents()
        window.grab().save(str(folder / "export-done-light.png"))
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
