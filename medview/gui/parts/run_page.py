"""One training: how far it is, its curves and samples, what came out, and what can be asked of it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QTabWidget, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import set_role, text_button, words
from medview.gui.parts.gate_card import GateCard
from medview.gui.parts.plots_loader import PlotsLoader
from medview.gui.parts.report_view import ReportView
from medview.gui.parts.sample_pictures import SamplePictures
from medview.gui.parts.theme_tokens import GRID_PX
from medview.ml.spec import Task
from medview.workspace.training.run_view import RunPhase, RunView
from medview.workspace.training.run_words import run_detail, run_origin, run_title, run_told
from medview.workspace.workspace import Workspace

_CURVES = "medview.gui.parts.run_curves"
_COURSE, _RESULT = 0, 1
_TOLD = 3
"""Sentences that are shown; the tooltip has all."""


class RunPage(QWidget):
    """Follows the training it shows while that goes on."""

    case_wanted = Signal(int, object)
    """Number of a case and a slice of it, or None."""
    delete_wanted = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trainings = workspace.trainings
        self.name = ""
        self._was = RunPhase.DONE
        self.title, self.origin, self.detail = words("", "heading"), words("", "quiet"), words("")
        self.detail.setObjectName("run detail")
        self.told = words("", "quiet")
        self.told.setObjectName("run told")
        self.meter = QProgressBar()
        self.meter.setRange(0, 1000)
        self.meter.setTextVisible(False)
        self.meter.setFixedHeight(4)
        ask = self._trainings
        self.pause = _button(
            _("Pause"), _("Ends with the next step and frees the processor; nothing is lost"), "mdi6.pause"
        )
        self.pause.clicked.connect(lambda: ask.conductor.pause(self.name))
        self.go_on = _button(_("Go on"), _("Trains on from where it was, once no other training runs"), "mdi6.play")
        self.go_on.clicked.connect(lambda: ask.conductor.go_on(self.name))
        self.stop = _button(
            _("Stop and keep the best"), _("Makes no more steps: the best weights so far are judged now"), "mdi6.stop"
        )
        self.stop.clicked.connect(lambda: ask.conductor.stop(self.name))
        self.delete = _button(_("Delete..."), _("Removes this training with its files"), "mdi6.delete-outline")
        self.delete.clicked.connect(lambda: self.delete_wanted.emit(self.name))
        for name in ("pause", "go_on", "stop", "delete"):
            getattr(self, name).setObjectName(f"run {name}")
        self.curves: Any = None
        self.samples = SamplePictures()
        self.gate, self.report = GateCard(workspace), ReportView()
        for part in (self.gate, self.report):
            part.case_wanted.connect(self.case_wanted)
        self._course = QHBoxLayout()
        self.tabs = QTabWidget()
        self.tabs.setObjectName("run tabs")
        self._arrange()
        self._asked_for_plots = False
        Subscriptions(self).add(self._trainings.changed, self.refresh)

    def show_run(self, name: str) -> None:
        """Show a training by its name."""
        if not self._asked_for_plots:
            self._asked_for_plots = True
            PlotsLoader(_CURVES, self._on_loaded, self)
        if name != self.name:
            self.name = name
            self.gate.show_run(name)
            run = self._trainings.run(name)
            self._was = RunPhase.DONE if run is None else run.phase
            self.tabs.setCurrentIndex(_RESULT if run is not None and run.phase is RunPhase.DONE else _COURSE)
        self.refresh()

    def refresh(self) -> None:
        """Show how it is now."""
        run = self._trainings.run(self.name)
        if run is None:
            return
        self.title.setText(run_title(run))
        self.origin.setText(run_origin(run))
        self.detail.setText(run_detail(run))
        set_role(self.detail, "warning" if run.phase is RunPhase.FAILED else "")
        self._show_told(run_told(run))
        self.meter.setVisible(not run.phase.lasting)
        self.meter.setValue(round(run.fraction * 1000))
        self._show_buttons(run)
        if self.curves is not None:
            self.curves.show_run(run)
            self.curves.setVisible(run.step > 0)
        if self.isVisible():
            self._trainings.conductor.read_samples(self.name)
            self._trainings.conductor.read_report(self.name)
        self.samples.show_samples(self._trainings.samples.get(self.name), _no_samples(run))
        self.report.show_report(self._trainings.reports.get(self.name))
        if run.phase is RunPhase.DONE and self._was is not RunPhase.DONE:
            self.tabs.setCurrentIndex(_RESULT)
        self._was = run.phase

    def _show_told(self, told: list[str]) -> None:
        n = len(told) - _TOLD
        more = [_("and {n} more").format(n=n)] if n > 0 else []
        self.told.setText("\n".join([*told[:_TOLD], *more]))
        self.told.setToolTip("\n".join([_("Told of the labels before the training began:"), *told]))
        self.told.setVisible(bool(told))

    def _show_buttons(self, run: RunView) -> None:
        problem = bool(self._trainings.problem)
        self.pause.setVisible(run.can_pause and not problem)
        self.go_on.setVisible(run.can_go_on and not problem)
        self.stop.setVisible(run.phase in (RunPhase.TRAINING, RunPhase.PAUSED) and not problem)
        self.stop.setEnabled(run.can_stop)
        self.delete.setVisible(run.can_delete and not problem)

    def _on_loaded(self, module: ModuleType) -> None:
        self.curves = module.RunCurves(self)
        self._course.insertWidget(0, self.curves, 3)
        self.refresh()

    def _arrange(self) -> None:
        head, buttons = QVBoxLayout(), QHBoxLayout()
        head.setSpacing(GRID_PX)
        for label in (self.title, self.origin, self.told, self.detail):
            head.addWidget(label)
        buttons.setSpacing(GRID_PX * 2)
        for button in (self.pause, self.go_on, self.stop):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.delete)
        course, result = QWidget(), QWidget()
        self._course = QHBoxLayout(course)
        self._course.setContentsMargins(0, GRID_PX * 2, 0, 0)
        self._course.setSpacing(GRID_PX * 3)
        self._course.addWidget(self.samples, 2)
        outcome = QVBoxLayout(result)
        outcome.setContentsMargins(0, GRID_PX * 2, 0, 0)
        outcome.setSpacing(GRID_PX * 3)
        outcome.addWidget(self.gate, 1)
        outcome.addWidget(self.report, 1)
        self.tabs.addTab(course, _("Course"))
        self.tabs.addTab(result, _("Result"))
        self.tabs.setTabToolTip(_COURSE, _("Loss, figures on the validation cases, and what it finds on some of them"))
        self.tabs.setTabToolTip(_RESULT, _("How good the model is, and which cases are worst"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX * 2)
        layout.addLayout(head)
        layout.addWidget(self.meter)
        layout.addLayout(buttons)
        layout.addWidget(self.tabs, 1)


def _no_samples(run: RunView) -> str:
    if run.settings is not None and run.settings.task is not Task.SEGMENTATION:
        return _("Pictures of validation cases are shown for segments.")
    return _("Pictures of validation cases are shown from the first look on.")


def _button(text: str, tip: str, icon: str) -> Any:
    button = text_button(text, tip, icon_name=icon)
    button.setAutoDefault(False)
    return button
