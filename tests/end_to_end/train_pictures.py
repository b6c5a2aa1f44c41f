"""Pictures of trainings in the window: ``python -m tests.end_to_end.train_pictures DIR``. Real trainings of some steps."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from medview.ml.guards.finding import GuardFinding, GuardReport, Severity
from medview.ml.recipes.recipe import Recipe
from medview.ml.recipes.table import choose
from medview.ml.spec import Task
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.workspace import requests_training
from medview.workspace.operations import trainings as operations
from medview.workspace.training.process import start_training
from medview.workspace.training.run_view import RunPhase
from medview.workspace.trainings import Refusal, Wish

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home
from tests.helpers.chest_project import chest_project

CASES = 10
_PATIENCE_S = 900.0


def small(task: Task) -> Recipe:
    """Return a recipe that is through soon."""
    return replace(choose(task), network_options={"features": 8}, batch=2, steps=160, check_every=16)


def main(folder: Path) -> None:
    """Write all pictures."""
    operations.choose = small
    # Nobody draws meanwhile, and pictures are waited for.
    requests_training.start_training = lambda path, **how: start_training(path, enough=how["enough"])
    app = QApplication(sys.argv[:1])
    folder.mkdir(parents=True, exist_ok=True)
    with private_home() as home:
        states = {CASES - 1: ReadingStatus.TO_DO, CASES - 2: ReadingStatus.IN_WORK}
        path = chest_project(home, CASES, finish=lambda number: states.get(number, ReadingStatus.DONE))
        with Project.open(path) as project:
            project.worklist.exclude([project.cases()[0].case_id], "Motion")
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        trainings = workspace.trainings

        def shoot(name: str, of: QWidget | None = None, size: tuple[int, int] = SMALL) -> None:
            for theme in ("dark", "light"):
                studio.program.use_theme(theme)
                window.resize(*size)
                for _ in range(8):
                    app.processEvents()
                (of or window).grab().save(str(folder / f"{name}-{theme}.png"))

        studio.program.switch.open(path)
        studio.wait(lambda: len(workspace.worklist.rows) == CASES, "the cases")
        workspace.worklist.open(workspace.worklist.rows[2].case_id)
        studio.wait(lambda: workspace.active is not None and workspace.active.ready, "a case")
        window.trainings.show()
        dialog = window.trainings.dialog
        assert dialog is not None
        studio.wait(lambda: trainings.outlook is not None, "what can be learnt")
        shoot("train-setup", dialog)
        wish = Wish(Task.SEGMENTATION, minutes=None, confirmed=True)
        findings = (
            GuardFinding("one-patient", Severity.CONFIRM, "Heart is labelled in one patient only."),
            GuardFinding("small", Severity.CONFIRM, "Lungs of case_0004 have 12 voxels; the others have 40,000 and more."),
        )
        report = GuardReport(findings, (), (), "voxels")
        trainings.refuse(Refusal(wish, findings[0].sentence, report.findings))
        shoot("train-confirm", dialog)
        trainings.refuse(None)
        trainings.conductor.start(wish)
        shoot("train-freezing", dialog)
        studio.wait(lambda: trainings.going is not None and len(trainings.going.looks) >= 3, "looks", _PATIENCE_S)
        going = trainings.going
        assert going is not None
        studio.wait(lambda: going.name in trainings.samples, "samples")
        shoot("train-running", dialog)
        dialog.hide()
        window.side.show_part("training")
        shoot("train-window")
        shoot("train-window-large", size=LARGE)
        dialog.show()
        trainings.conductor.stop(going.name)
        studio.wait(lambda: trainings.runs[0].phase is RunPhase.DONE, "the end", _PATIENCE_S)
        studio.wait(lambda: going.name in trainings.reports, "the report")
        shoot("train-result", dialog)
        trainings.conductor.start(wish)
        studio.wait(lambda: trainings.going is not None and len(trainings.going.looks) >= 2, "looks", _PATIENCE_S)
        second = trainings.going
        assert second is not None
        trainings.conductor.pause(second.name)
        studio.wait(lambda: trainings.runs[0].phase is RunPhase.PAUSED, "a pause", _PATIENCE_S)
        shoot("train-paused", dialog)
        trainings.conductor.stop(second.name)
        studio.wait(lambda: trainings.runs[0].phase is RunPhase.DONE, "the end", _PATIENCE_S)
        dialog.list.selectAll()
        studio.wait(lambda: len(trainings.reports) == 2, "both reports")
        shoot("train-compare", dialog)
        dialog.versions_of.click()
        studio.wait(lambda: dialog.versions.table.rowCount() == 2, "both versions")
        shoot("train-versions", dialog)
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
