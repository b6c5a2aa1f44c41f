"""Pictures of what several readers need: ``python -m tests.end_to_end.readers_pictures DIR``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication, QDialog, QWidget

from medview.gui.dialogs.agreement import AgreementDialog
from medview.gui.dialogs.merge_copies import MergeDialog
from medview.gui.dialogs.reading_rule import ReadingRuleDialog
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
        studio.wait(lambda: workspace.worklist.done_and_lacking == 1, "the list")
        both("done-lacking", window)
        for dialog in window.findChildren(QDialog):
            dialog.close()
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
