"""Pictures of forms, answered with keys: ``MEDVIEW_TEST_DATA=... python -m tests.end_to_end.forms_pictures DIR``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from medview.core.form import AnswerKind, Form, Level, Option, Question
from medview.core.job import Inline
from medview.core.resources import resource_path
from medview.gui.dialogs.form_design import FormDesignDialog
from medview.gui.panes.slice_view import SliceView
from medview.io.label_sets import read_label_set
from medview.workspace.actions import action
from medview.workspace.demo import make_demo
from medview.workspace.drawn import all_drawn, relabel
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.view_state import Mode

# Sets the platform before Qt looks at it.
from tests.end_to_end.boxes_pictures import drag, settle
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home

YES, NO = Option("y", "Yes"), Option("n", "No")
MOTION = (Option("a", "None"), Option("b", "Slight"), Option("d", "Severe"))
CT_FORM = Form(
    "f.ct",
    "Chest CT",
    (
        Question("c", "Contrast", AnswerKind.ONE, Level.SERIES, (YES, NO), required=True),
        Question(
            "m", "Motion", AnswerKind.ONE, Level.SLICE, (Option("a", "None"), Option("b", "Slight"), Option("d", "Severe"))
        ),
        Question("s", "Artefacts", AnswerKind.SEVERAL, Level.SLICE, (Option("x", "Metal"), Option("z", "Cut off"))),
        Question(
            "g",
            "Margin",
            AnswerKind.ONE,
            Level.LESION,
            (Option("1", "Smooth"), Option("2", "Lobulated"), Option("3", "Spiculated")),
            required=True,
            lesions=("Nodule", "Pulmonary nodule"),
        ),
        Question("d", "Growth since before", AnswerKind.NUMBER, Level.LESION, (), "mm", -50.0, 200.0),
    ),
)


def keys(*pressed: Qt.Key) -> None:
    """Press keys where the focus is."""
    for key in pressed:
        widget = QApplication.focusWidget()
        assert widget is not None
        QTest.keyClick(widget, key)
        settle()


def in_front(studio: Studio) -> None:
    """Let keys come to the window after a dialog."""
    studio.window.activateWindow()
    studio.wait(lambda: studio.window.isActiveWindow(), "the window in front")


def shoot(studio: Studio, name: str, theme: str = "dark", size: tuple[int, int] = SMALL) -> None:
    """Take a picture without taking the focus away first: where the hands are belongs to it."""
    studio.program.use_theme(theme)
    studio.window.resize(*size)
    for _turn in range(6):
        settle()
    studio.wait(lambda: not studio.program.threads.jobs, "the jobs to end")
    in_front(studio)
    action("form.answer").run(studio.program.workspace)
    settle()
    path = studio.folder / f"{name}.png"
    studio.window.grab().save(str(path))
    print(path)


def shoot_dialog(studio: Studio, dialog: FormDesignDialog, name: str, theme: str = "dark") -> None:
    """Take a picture of the dialog."""
    studio.program.use_theme(theme)
    for _turn in range(6):
        settle()
    studio.wait(lambda: not studio.program.threads.jobs, "the jobs to end")
    QTest.qWait(150)
    path = studio.folder / f"{name}.png"
    dialog.grab().save(str(path))
    print(path)


def radiograph(studio: Studio) -> OpenCase:
    """Open a radiograph and ask the form that comes with MedView."""
    window, workspace = studio.window, studio.program.workspace
    window.files.open(Path(os.environ["MEDVIEW_TEST_DATA"]) / "cr-nih")
    studio.wait(lambda: workspace.series, "the radiographs")
    window.files.open_series(workspace.series[0], None)
    studio.wait(lambda: workspace.active is not None and workspace.active.ready, "a radiograph")
    workspace.forms.adopt(read_label_set(resource_path("schemas") / "label_sets" / "chest-radiograph.json"))
    assert workspace.active is not None
    return workspace.active


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        folder.mkdir(parents=True, exist_ok=True)
        if "ct" not in sys.argv[2:]:
            on_radiograph(studio)
        on_ct(studio, home)
        studio.window.close()


def on_radiograph(studio: Studio) -> None:
    """The form that comes with MedView: empty, answered, changed, only read."""
    workspace = studio.program.workspace
    radiograph(studio)
    workspace.bench.mode = Mode.ANNOTATE
    settle()
    shoot(studio, "form-empty-dark")
    answer_radiograph(studio)
    shoot(studio, "form-answered-dark")
    shoot(studio, "form-answered-light", "light")
    shoot(studio, "form-answered-dark-large", size=LARGE)
    shoot(studio, "form-answered-light-large", "light", LARGE)
    design(studio)
    changed(studio)


def answer_radiograph(studio: Studio) -> None:
    """Answer with keys, and draw a nodule."""
    workspace, case = studio.program.workspace, studio.program.workspace.active
    assert case is not None
    action("form.answer").run(workspace)
    settle()
    enter = Qt.Key.Key_Return
    keys(Qt.Key.Key_3, enter, Qt.Key.Key_2, enter, Qt.Key.Key_1, Qt.Key.Key_3, enter, Qt.Key.Key_2, Qt.Key.Key_3, enter)
    keys(Qt.Key.Key_2, enter)
    QTest.keyClicks(QApplication.focusWidget(), "80")
    keys(enter)
    action("tool.box").run(workspace)
    drag(_first_pane(studio), (0.3, 0.4), (0.36, 0.47))
    settle()
    studio.wait(lambda: all_drawn(case), "a box")
    relabel(case, all_drawn(case), "Nodule")
    settle()


def _first_pane(studio: Studio) -> SliceView:
    return next(view for view in studio.window.panes.findChildren(SliceView) if view.isVisible())


def design(studio: Studio) -> None:
    """The dialog, with warnings of what a change does to answers."""
    workspace = studio.program.workspace
    studio.wait(lambda: workspace.services.project is not None, "the project")
    dialog = studio.window.forms.design()
    studio.wait(lambda: dialog.draft.answers, "what was answered")
    dialog.draft.choose_question(1)
    shoot_dialog(studio, dialog, "design-dark")
    quality = dialog.draft.question
    assert quality is not None
    dialog.draft.alter(options=(quality.options[0], replace(quality.options[2], text="Cannot be read")))
    confidence = next(n for n, q in enumerate(dialog.draft.form.questions) if q.kind is AnswerKind.NUMBER)  # type: ignore[union-attr]
    dialog.draft.choose_question(confidence)
    dialog.draft.alter(most=50.0)
    shoot_dialog(studio, dialog, "design-warnings-dark")
    shoot_dialog(studio, dialog, "design-warnings-light", "light")
    dialog.use.click()
    in_front(studio)


def changed(studio: Studio) -> None:
    """The form after it was changed: answers kept, asked again."""
    shoot(studio, "form-changed-dark")
    shoot(studio, "form-changed-light", "light")
    case = studio.program.workspace.active
    assert case is not None
    case.read_only = "chest.medview is open for reading only, so its labels cannot be changed."
    studio.window.side.form.refresh()
    shoot(studio, "form-read-only-dark")
    case.read_only = ""


def on_ct(studio: Studio, home: Path) -> None:
    """Slices and lesions of the demo study."""
    window, workspace = studio.window, studio.program.workspace
    make_demo(home / "demo", Inline())
    window.files.open_demo()
    before = workspace.active
    studio.wait(
        lambda: (
            workspace.active is not before and workspace.active is not None and len(workspace.active.labels.proposals) > 1
        ),
        "the proposals",
    )
    case = workspace.active
    assert case is not None
    for proposal_id, proposal in list(case.labels.proposals.items()):
        if proposal.prediction.mask is not None:
            labels.accept(case, proposal_id)
    settle()
    print([segment.name for segment in case.labels.segmentation.segments])
    workspace.forms.use((*workspace.forms.forms, CT_FORM))
    nodule = next(s for s in case.labels.segmentation.segments if "odule" in s.name)
    case.view.active_segment_id = nodule.segment_id
    workspace.bench.mode = Mode.ANNOTATE
    QTest.qWait(600)
    studio.wait(lambda: case.figures.current(case.labels.segmentation, nodule), "the pieces")
    in_front(studio)
    action("form.next_missing").run(workspace)
    settle()
    keys(Qt.Key.Key_1)
    action("form.next_missing").run(workspace)
    settle()
    keys(Qt.Key.Key_3)
    shoot(studio, "form-ct-dark")
    shoot(studio, "form-ct-light-large", "light", LARGE)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
