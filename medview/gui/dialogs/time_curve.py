"""The time-intensity curve of the chosen measurement, a segment, or the crosshair."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from medview.analysis.time_curve import TimeCurve
from medview.core.job import Inline
from medview.core.language import _
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import text_button
from medview.gui.parts.curve_plot import CurvePlot
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.events import LabelsChanged
from medview.workspace.jobs import Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.time_axis import TimeAxis, axis_of, go_to, seconds_text, stands_at
from medview.workspace.time_curves import AT_ONCE_VOXELS, Subject, curve_table, number_text, request_of, subject_of
from medview.workspace.workspace import Workspace

_PACE_MS = 40
"""Hands move faster than a curve can be read."""
_SIZE = (620, 400)


class TimeCurveDialog(QDialog):
    """Follows what is chosen in the window beside it; a click on the curve goes to that time."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Curve over time"))
        self.setObjectName("time curve")
        self._workspace = workspace
        self._axis: TimeAxis | None = None
        self._subject: Subject | None = None
        self.curve: TimeCurve | None = None
        self.title = ElidedLabel("", "heading")
        self.of = QComboBox()
        self.of.setToolTip(_("What the curve is of; a measurement is chosen with a click on it"))
        self.of.currentIndexChanged.connect(self._later)
        self.plot = CurvePlot()
        self.plot.index_wanted.connect(self.go)
        self.note = ElidedLabel("", "quiet")
        self.copy_table = text_button(
            _("Copy as table"), _("Time, mean, SD and number of voxels in columns, for a spreadsheet")
        )
        self.copy_table.clicked.connect(self.copy)
        self._arrange()
        for keys, step in (("Left", -1), ("Right", 1)):
            QShortcut(QKeySequence(keys), self, partial(self._step, step))
        self._soon = QTimer(self, interval=_PACE_MS, singleShot=True)
        self._soon.timeout.connect(self.refresh)
        self._of_case = Subscriptions(self)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._on_active)
        heard.add(workspace.labels_changed, self._on_labels)
        heard.add(workspace.load_changed, self._later)
        self._on_active()
        self.resize(*_SIZE)

    def _arrange(self) -> None:
        close = text_button(_("Close"), _("Close this window"), role="primary")
        close.clicked.connect(self.accept)
        for button in (self.copy_table, close):
            button.setAutoDefault(False)
        head, foot = QHBoxLayout(), QHBoxLayout()
        for row in (head, foot):
            row.setSpacing(GRID_PX * 2)
        head.addWidget(self.title, 1)
        head.addWidget(self.of)
        foot.addWidget(self.note, 1)
        foot.addWidget(self.copy_table)
        foot.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 2)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)
        layout.addLayout(foot)

    def _on_active(self) -> None:
        self._of_case.clear()
        case = self._workspace.active
        if case is not None:
            for name in ("crosshair_kji", "active_annotation_id"):
                self._of_case.add(field_signal(case.view, name), self._on_place)
            self._of_case.add(field_signal(case.view, "time_index"), self._mark)
        self._list_segments()
        self.refresh()

    def _on_place(self) -> None:
        # In a loop the slice is the time.
        self._mark()
        self._later()

    def _on_labels(self, event: LabelsChanged) -> None:
        if not event.only_voxels:
            self._list_segments()
        self._later()

    def _later(self, *_values: object) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _list_segments(self) -> None:
        case, chosen = self._workspace.active, self.of.currentData()
        blocker = QSignalBlocker(self.of)
        self.of.clear()
        self.of.addItem(_("Measurement or crosshair"), "")
        for segment in case.labels.segmentation.segments if case is not None else ():
            self.of.addItem(segment.name, segment.segment_id)
        self.of.setCurrentIndex(max(self.of.findData(chosen), 0))
        self.of.setVisible(self.of.count() > 1)
        blocker.unblock()

    def refresh(self) -> None:
        """Draw the curve of what is chosen now, if it is another one than before."""
        case = self._workspace.active
        axis = axis_of(case) if case is not None else None
        subject = subject_of(case, self.of.currentData() or "") if case is not None and axis is not None else None
        if case is None or axis is None or subject is None:
            self._subject = None
            self.title.setText(
                _("There is no series with several times") if axis is None else _("The segment holds no voxels")
            )
            self._show(None)
            return
        if self._subject is not None and self._subject.key == subject.key:
            return
        self._axis, self._subject = axis, subject
        self.title.setText(subject.name)
        request = request_of(case, subject)
        if request.size_voxels <= AT_ONCE_VOXELS:
            self._show(request.run(Inline()))
            return

        def made(value: object) -> None:
            # Something else may have been chosen meanwhile, or the window closed.
            if isinstance(value, TimeCurve) and isValid(self) and self._subject is subject:
                self._show(value)

        self._workspace.runner.submit(request, Outcome(made, failed=self._workspace.report))

    def _show(self, curve: TimeCurve | None) -> None:
        self.curve = curve
        self.copy_table.setEnabled(curve is not None)
        self.plot.show_curve(self._axis, curve)
        self._mark()

    def _mark(self, *_values: object) -> None:
        """Mark the time that is shown, and say its numbers."""
        case, axis, curve = self._workspace.active, self._axis, self.curve
        index = stands_at(case) if case is not None else -1
        known = axis is not None and curve is not None and 0 <= index < len(curve.mean)
        self.plot.mark(index if known else -1)
        said = _numbers(case, axis, curve, index) if case is not None and axis is not None and curve is not None else ""
        self.note.setText(said if known else "")

    def go(self, index: int) -> None:
        """Let the window show a time point or frame."""
        case = self._workspace.active
        if case is not None:
            go_to(case, index)

    def _step(self, steps: int) -> None:
        case = self._workspace.active
        if case is not None:
            go_to(case, stands_at(case) + steps)

    def copy(self) -> None:
        """Copy the curve as a table."""
        if self._subject is not None and self._axis is not None and self.curve is not None:
            QGuiApplication.clipboard().setText(curve_table(self._subject, self._axis, self.curve))
            self.note.setText(_("Copied the curve as a table."))


def _numbers(case: OpenCase, axis: TimeAxis, curve: TimeCurve, index: int) -> str:
    """Return time, mean, SD and number of voxels in one line."""
    if index >= len(curve.mean):
        return ""
    at = (
        seconds_text(axis.values[index])
        if axis.unit
        else _("{name} {index} of {count}").format(name=axis.name, index=index + 1, count=len(axis.values))
    )
    count = int(curve.voxels[index])
    if count == 0:
        return _("{at}: no value").format(at=at)
    value = f"{curve.name} {number_text(curve.mean[index])} {curve.unit}".rstrip()
    noun = _("pixels") if case.entry.time_points == 1 else _("voxels")
    return f"{at}: {value}" if count == 1 else f"{at}: {value}, SD {number_text(curve.sd[index])}, {count} {noun}"
