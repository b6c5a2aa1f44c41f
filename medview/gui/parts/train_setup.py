"""What is trained, from which cases, beginning with what, for how long; defaults that are good as they are, and Start."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _, in_language
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.gui.parts.train_asked import TrainAsked
from medview.ml.packs import ModelPack
from medview.ml.spec import Task
from medview.workspace.case_words import case_title
from medview.workspace.training.outlook import Lesson
from medview.workspace.training.parents import likeliest, parents_for
from medview.workspace.training.run_words import left_out_lines, lesson_cases, lesson_title, minutes_text
from medview.workspace.trainings import MINUTES, Wish, steps_in
from medview.workspace.workspace import Workspace

_EFFORTS = (_("Short"), _("Thorough"), _("Overnight"))
_EFFORT_TIPS = (
    _("Enough to see whether it learns anything, and often enough to go on from a good model"),
    _("A first model, or one that learns much that is new"),
    _("As good as it gets on this computer; the window may be closed meanwhile"),
)
_CLASSES = 8


class TrainSetup(QWidget):
    """Follows the workspace's trainings; holds nothing but the choices of its fields."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._trainings = workspace, workspace.trainings
        self.lesson = QComboBox()
        self.lesson.setObjectName("train lesson")
        self.lesson.setToolTip(_("What the model is to learn: what is labelled most often comes first"))
        self.lesson.currentIndexChanged.connect(self._on_lesson)
        self.classes, self.cases, self.left_out = words("", "quiet"), words(""), words("", "quiet")
        self.cases.setObjectName("train cases")
        self.left_out.setObjectName("train left out")
        self.parent_model = QComboBox()
        self.parent_model.setObjectName("train parent")
        tip = _("The model whose weights it begins with; one that knows the classes saves most of the time")
        self.parent_model.setToolTip(tip)
        self.parent_model.activated.connect(self._on_parent)
        self._parent_for: tuple[Task, str | None] | None = None
        self.efforts = QButtonGroup(self)
        self.estimate = words("", "quiet")
        self.estimate.setObjectName("train estimate")
        self.start = text_button(_("Start training"), _("Copies the labels as they are now and begins"), role="primary")
        self.start.setObjectName("train start")
        self.start.clicked.connect(self._on_start)
        self.cancel = text_button(_("Cancel"), _("Stop copying; nothing is trained"))
        self.cancel.setObjectName("train cancel")
        self.cancel.clicked.connect(self._on_cancel)
        self.meter = QProgressBar()
        self.meter.setRange(0, 1000)
        self.meter.setTextVisible(False)
        self.meter.setFixedHeight(4)
        self.state = words("", "quiet")
        self.state.setObjectName("train state")
        self.asked = TrainAsked()
        self.asked.ticked.connect(self._enable)
        self._arrange()
        heard = Subscriptions(self)
        heard.add(self._trainings.changed, self.refresh)
        heard.add(workspace.models_changed, self._list_parents)
        heard.add(field_signal(workspace.bench, "identity_hidden"), self._show_left_out)
        self.refresh()

    @property
    def chosen(self) -> Lesson | None:
        """What is to be learnt."""
        found = self.lesson.currentData()
        return found if isinstance(found, Lesson) else None

    @property
    def begins_with(self) -> ModelPack | None:
        """What it begins with; None for nothing."""
        found = self.parent_model.currentData()
        return found if isinstance(found, ModelPack) else None

    @property
    def minutes(self) -> float:
        """How long."""
        return MINUTES[max(self.efforts.checkedId(), 0)]

    def refresh(self) -> None:
        """Show what can be learnt, and how far labels are copied."""
        trainings = self._trainings
        self._list_lessons()
        self._show_left_out()
        self.asked.show_refusal(trainings.refused)
        self.start.setText(_("Train all the same") if self.asked.boxes else _("Start training"))
        job = trainings.preparing or trainings.looking
        self.meter.setVisible(job is not None)
        self.cancel.setVisible(trainings.preparing is not None)
        self.state.setText(self._state())
        self._show_job()
        self._enable()
        self._show_estimate()

    def _show_job(self) -> None:
        job = self._trainings.preparing or self._trainings.looking
        if job is not None:
            self.meter.setValue(round(job.fraction * 1000))
            self.state.setText(in_language(job.text) if job.text else job.title)

    def tick(self) -> None:
        """Show how far it is; called while something is done."""
        self._show_job()

    def _state(self) -> str:
        trainings = self._trainings
        if trainings.problem:
            return in_language(trainings.problem)
        if trainings.outlook_problem:
            return in_language(trainings.outlook_problem)
        if trainings.outlook is not None and not trainings.outlook.lessons:
            return _("Nothing is reviewed yet: label some cases, mark them as done, and train then.")
        if trainings.going is not None:
            return _("Another training runs; this one begins after it.")
        return ""

    def _enable(self) -> None:
        trainings = self._trainings
        ready = self.chosen is not None and trainings.preparing is None and not trainings.problem
        self.start.setEnabled(ready and self.asked.settled)

    def _list_lessons(self) -> None:
        outlook = self._trainings.outlook
        lessons = () if outlook is None else outlook.lessons
        if [self.lesson.itemData(n) for n in range(self.lesson.count())] == list(lessons):
            return
        before = self.chosen
        blocker = QSignalBlocker(self.lesson)
        self.lesson.clear()
        for one in lessons:
            self.lesson.addItem(lesson_title(one), one)
        wanted = _subject(before)
        same = [n for n, one in enumerate(lessons) if _subject(one) == wanted]
        self.lesson.setCurrentIndex(same[0] if same else 0)
        blocker.unblock()
        self._show_lesson()

    def _show_left_out(self) -> None:
        outlook, hidden = self._trainings.outlook, self._workspace.bench.identity_hidden
        names = {row.case_id: case_title(row, hidden=hidden) for row in self._workspace.worklist.rows}
        lines = [] if outlook is None else left_out_lines(outlook.left_out, names)
        self.left_out.setText("\n".join(lines) or ("" if outlook is None else _("No case is left out.")))

    def _on_lesson(self, _index: int) -> None:
        self._parent_for = None
        self._trainings.refuse(None)
        self._show_lesson()

    def _show_lesson(self) -> None:
        lesson = self.chosen
        names = () if lesson is None else lesson.classes
        more = _(" and {n} more").format(n=len(names) - _CLASSES) if len(names) > _CLASSES else ""
        self.classes.setText(", ".join(names[:_CLASSES]) + more)
        self.cases.setText("" if lesson is None else lesson_cases(lesson))
        self._list_parents()
        self._enable()
        self._show_estimate()

    def _on_parent(self, _index: int) -> None:
        self._parent_for = _subject(self.chosen)
        self._trainings.refuse(None)

    def _list_parents(self) -> None:
        """List them anew; what somebody chose for this lesson stays chosen as long as it is there."""
        lesson, before = self.chosen, _digest(self.begins_with)
        self.parent_model.clear()
        if lesson is not None:
            services = self._workspace.services
            found = parents_for(lesson, self._trainings.current_packs, services.registry.list())
            for one in found:
                title = self._trainings.title_of(one.pack)
                known = _("knows {n} of {count} classes").format(n=one.known, count=len(lesson.classes))
                self.parent_model.addItem(_("{model} ({known})").format(model=title, known=known), one.pack)
            self.parent_model.addItem(_("Nothing: it learns from the beginning"), None)
            digests = [*(one.pack.digest for one in found), ""]
            likely = 0 if likeliest(found) is not None else len(found)
            kept = self._parent_for == _subject(lesson) and before in digests
            self.parent_model.setCurrentIndex(digests.index(before) if kept else likely)
        if _digest(self.begins_with) != before:
            self._trainings.refuse(None)

    def _show_estimate(self) -> None:
        lesson = self.chosen
        like = [run for run in self._trainings.runs if run.settings is not None and lesson is not None]
        same = (run for run in like if run.settings is not None and lesson is not None and run.settings.task is lesson.task)
        counts = next((found for run in same if (found := steps_in(run, self.minutes)) is not None), None)
        if counts is None:
            self.estimate.setText(_("How many steps that is on this computer is measured when the training begins."))
            return
        steps, samples = counts
        text = _("About {steps} steps at the pace of the last training like it, {samples} samples looked at.")
        self.estimate.setText(text.format(steps=f"{steps:,}", samples=f"{samples:,}"))

    def _on_start(self) -> None:
        lesson, asked = self.chosen, self.asked
        if lesson is None:
            return
        self._trainings.conductor.start(
            Wish(
                lesson.task,
                lesson.target,
                self.begins_with,
                self.minutes,
                asked.confirmed,
                without_leaks=asked.without_leaks,
            )
        )

    def _on_cancel(self) -> None:
        if self._trainings.preparing is not None:
            self._trainings.preparing.cancel()

    def _arrange(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(GRID_PX * 4)
        form.setVerticalSpacing(GRID_PX * 3)
        times = QVBoxLayout()
        times.setSpacing(GRID_PX)
        for number, (minutes, name, tip) in enumerate(zip(MINUTES, _EFFORTS, _EFFORT_TIPS, strict=True)):
            button = QRadioButton(_("{name}, {time}").format(name=name, time=minutes_text(minutes)))
            button.setObjectName(f"train minutes {minutes:g}")
            button.setToolTip(tip)
            self.efforts.addButton(button, number)
            times.addWidget(button)
        self.efforts.button(0).setChecked(True)
        self.efforts.idToggled.connect(lambda _id, _on: self._show_estimate())
        times.addWidget(self.estimate)
        learnt = QVBoxLayout()
        learnt.setSpacing(GRID_PX)
        learnt.addWidget(self.lesson)
        learnt.addWidget(self.classes)
        from_cases = QVBoxLayout()
        from_cases.setSpacing(GRID_PX)
        from_cases.addWidget(self.cases)
        from_cases.addWidget(self.left_out)
        for title, inside in ((_("Learn"), learnt), (_("From"), from_cases)):
            form.addRow(words(title, "quiet"), inside)
        form.addRow(words(_("Begin with"), "quiet"), self.parent_model)
        form.addRow(words(_("Time"), "quiet"), times)
        foot = QHBoxLayout()
        foot.setSpacing(GRID_PX * 2)
        foot.addWidget(self.state, 1)
        foot.addWidget(self.cancel)
        foot.addWidget(self.start)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX * 3)
        layout.addWidget(words(_("Train a model on what is reviewed"), "heading"))
        layout.addLayout(form)
        layout.addWidget(self.asked)
        layout.addStretch(1)
        layout.addWidget(self.meter)
        layout.addLayout(foot)


def _subject(lesson: Lesson | None) -> tuple[Task, str | None] | None:
    """Return what is learnt, however many cases teach it."""
    return None if lesson is None else (lesson.task, lesson.target)


def _digest(pack: ModelPack | None) -> str:
    return "" if pack is None else pack.digest
