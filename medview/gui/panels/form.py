"""The form of the active case: what is asked where one looks, and how much is missing."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from medview.core.answer import Value
from medview.core.language import _, in_language, plural
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import action_button, set_role, words
from medview.gui.parts.form_view import FormView
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.answering import give, go_to_missing
from medview.workspace.asked import Asked, asked_now, kept_answers, lesion_segments, missing_now
from medview.workspace.events import LabelsChanged
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.figures import want_figures
from medview.workspace.workspace import Workspace

_PACE_MS = 40
"""Slices turn faster than anyone reads questions."""
_REST_MS = 350
"""After the last stroke pieces are measured anew."""
_MOST_KEPT = 12


class FormPanel(QWidget):
    """Follows the active case, its slice and the lesion in hand."""

    wanted_changed = Signal()
    """Something is asked of the case now, or no longer."""
    row_wanted = Signal(QWidget)
    """Hands went to a question that may be out of sight."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.wanted = False
        self.count = words("")
        self.view = FormView()
        self.view.answered.connect(self._on_answered)
        self.view.entered.connect(self._on_entered)
        self.view.finished.connect(self._on_finished)
        self.why = words("", "warning")
        self.kept = words("", "small")
        head = QHBoxLayout()
        head.setSpacing(GRID_PX)
        head.addWidget(self.count, 1)
        self.agree = action_button(actions["form.agree"])
        head.addWidget(self.agree)
        for action_id in ("form.next_missing", "file.export_answers", "form.design"):
            head.addWidget(action_button(actions[action_id]))
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        column.setSpacing(GRID_PX)
        column.addLayout(head)
        column.addWidget(self.why)
        column.addWidget(self.view)
        column.addWidget(self.kept)
        self._soon = QTimer(self, interval=_PACE_MS, singleShot=True)
        self._soon.timeout.connect(self.refresh)
        self._rest = QTimer(self, interval=_REST_MS, singleShot=True)
        self._rest.timeout.connect(self._measure)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._on_active)
        heard.add(workspace.case_closing, self._on_closing)
        for signal in (workspace.cases_changed, workspace.load_changed, workspace.forms.changed):
            heard.add(signal, self._refresh_soon)
        heard.add(workspace.labels_changed, self._on_labels)
        heard.add(workspace.reviewing.changed, self._on_readings)
        heard.add(workspace.forms.wanted, self._on_wanted)
        self._of_case = Subscriptions(self)
        self._on_active()

    def refresh(self) -> None:
        """Show what is asked of the case where one looks now."""
        case = self._workspace.active
        groups = () if case is None else asked_now(self._workspace, case)
        self.view.show_groups(groups, editable=case is not None and case.editable)
        before, self.wanted = self.wanted, bool(groups)
        if case is not None:
            self._show_count(case)
            self.agree.setVisible(bool(self._workspace.forms.readers.of(case)))
            self._show_kept(case)
            self.why.setText(in_language(case.read_only))
            self.why.setVisible(bool(case.read_only))
        if before != self.wanted:
            self.wanted_changed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        """Measure what questions on lesions need, now that it is seen."""
        super().showEvent(event)
        self._rest.start()

    def _on_active(self) -> None:
        self.view.commit()
        self._of_case.clear()
        case = self._workspace.active
        if case is not None:
            for name in ("crosshair_kji", "active_segment_id", "active_annotation_id"):
                self._of_case.add(field_signal(case.view, name), self._refresh_soon)
            self._of_case.add(field_signal(case.view, "active_segment_id"), self._measure_soon)
            self._of_case.add(case.figures.changed, self._refresh_soon)
            self._workspace.forms.look_up(case)
        self.refresh()
        self._rest.start()

    def _on_readings(self) -> None:
        case = self._workspace.active
        if case is not None:
            self._workspace.forms.readers.look_up(case)
        self._refresh_soon()

    def _on_closing(self, _case: OpenCase) -> None:
        self.view.commit()

    def _on_labels(self, event: LabelsChanged) -> None:
        if event.boxes():
            self._rest.start()
        if not event.only_voxels:
            self._refresh_soon()

    def _refresh_soon(self, *_values: object) -> None:
        # Not begun anew: while slices turn without a rest it follows all the same.
        if not self._soon.isActive():
            self._soon.start()

    def _measure_soon(self, *_values: object) -> None:
        self._rest.start()

    def _measure(self) -> None:
        case = self._workspace.active
        if case is not None and self.isVisible():
            for segment in lesion_segments(self._workspace, case):
                want_figures(self._workspace, case, segment)

    def _show_count(self, case: OpenCase) -> None:
        missing = len(missing_now(self._workspace, case))
        said = plural("{n} answer is missing", "{n} answers are missing", missing).format(n=missing)
        self.count.setText(said if missing else _("Nothing required is missing"))
        set_role(self.count, "warning" if missing else "good")

    def _show_kept(self, case: OpenCase) -> None:
        kept = kept_answers(self._workspace, case)
        lines = [f"{where}: {one.question}: {one.words}" for where, one in kept[:_MOST_KEPT]]
        if len(kept) > _MOST_KEPT:
            lines.append(_("and {n} more").format(n=len(kept) - _MOST_KEPT))
        self.kept.setText("\n".join((_("Kept, asked no longer:"), *lines)))
        self.kept.setVisible(bool(kept))

    def _on_answered(self, asked: Asked, value: Value | None) -> None:
        if give(self._workspace, asked, value):
            self.refresh()

    def _on_entered(self, target_key: str, question_uid: str) -> None:
        self._workspace.forms.at = (target_key, question_uid)

    def _on_finished(self) -> None:
        go_to_missing(self._workspace)

    def _on_wanted(self, target_key: str, question_uid: str) -> None:
        # What is asked of a slice or a lesion that one has just been taken to is not shown yet.
        self.refresh()
        row = self.view.row_at(target_key, question_uid)
        if row is not None:
            self.row_wanted.emit(row)
            row.take_focus()
