"""What is told of the active segment, and what can be set for it without a menu."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from medview.core.language import _
from medview.core.segmentation import Segment, SegmentRole
from medview.gui.parts.controls import icon_button
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.steady import SteadySlider
from medview.gui.parts.theme_tokens import GRID_PX
from medview.gui.segments.figure_watch import FigureWatch
from medview.workspace.figure_texts import extent_text, size_text, statistics_text, values_hint
from medview.workspace.gesture import Gesture
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import segments as ops

_TOGGLES = ("segment.outline", "segment.unsure", "segment.absent")


class SegmentDetails(QWidget):
    """Opacity, outline, unsure, absent; volume, axes and values, measured a moment after the hand rests."""

    def __init__(self, watch: FigureWatch, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._watch = watch
        self._gesture: Gesture | None = None
        self.opacity = SteadySlider()
        self.opacity.setRange(0, 100)
        self.opacity.setPageStep(10)
        self.opacity.setToolTip(_("How strongly this segment is filled; of all segments in Tools"))
        self.opacity.sliderPressed.connect(self._begin)
        self.opacity.valueChanged.connect(self._set_opacity)
        self.opacity.sliderReleased.connect(self._end)
        self.toggles: dict[str, QToolButton] = {}
        self.size_label = ElidedLabel()
        self.size_label.setObjectName("segment size")
        self.values_label = ElidedLabel(role="quiet")
        self.values_label.setObjectName("segment values")
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        row.addWidget(self.opacity, 1)
        for action_id in _TOGGLES:
            button = self.toggles[action_id] = icon_button("", actions[action_id].toolTip())
            button.setIcon(actions[action_id].icon())
            button.setCheckable(True)
            button.setObjectName(f"button {action_id}")
            button.clicked.connect(lambda _checked=False, a=action_id: self._run(actions, a))
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.size_label)
        layout.addWidget(self.values_label)
        watch.changed.connect(self.refresh)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Measure while it can be seen."""
        super().showEvent(event)
        self._watch.watch("details", awake=True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Measure no longer."""
        super().hideEvent(event)
        self._watch.watch("details", awake=False)

    @Slot()
    def refresh(self) -> None:
        """Show the active segment as it is."""
        case, segment = self._watch.case, self._watch.segment
        self.setVisible(segment is not None)
        for button in self.toggles.values():
            button.setEnabled(case is not None and case.editable and segment is not None)
        if case is None or segment is None:
            return
        blocker = QSignalBlocker(self.opacity)
        self.opacity.setValue(round(segment.opacity * 100))
        blocker.unblock()
        self.opacity.setEnabled((case.editable or self._gesture is not None) and not segment.outline_only)
        states = {
            "segment.outline": segment.outline_only,
            "segment.unsure": segment.role is SegmentRole.IGNORE,
            "segment.absent": segment.absent,
        }
        for action_id, button in self.toggles.items():
            button.setChecked(states[action_id])
        self.show_size()

    def show_size(self) -> None:
        """Show the size, which is known at any moment, and the rest as far as it was measured."""
        case, segment = self._watch.case, self._watch.segment
        if case is None or segment is None:
            return
        figures, last = self._watch.figures, self._watch.last
        size = size_text(case, segment) or _("No voxels yet")
        held = case.labels.segmentation.count(segment) > 0
        extent = extent_text(figures.extent) if figures is not None else "\u2026" if held else ""
        self.size_label.setText(f"{size}   {extent}".rstrip())
        self.size_label.set_hint(_("Volume; long and short axis on one slice, in volumes an axial one"))
        shown = figures or (last if held else None)
        told = statistics_text(shown.statistics, case.anchor.volume) if shown is not None else ""
        self.values_label.setText(told)
        self.values_label.set_hint(values_hint(case, segment))

    def _run(self, actions: QtActions, action_id: str) -> None:
        actions.run(action_id)
        self.refresh()

    def _begin(self) -> None:
        case = self._watch.case
        if case is not None and case.editable:
            self._gesture = case.gesture("segments")

    def _set_opacity(self, value: int) -> None:
        case, segment = self._watch.case, self._watch.segment
        if case is None or segment is None:
            return
        if self._gesture is None:
            ops.set_opacity(case, _those(case, segment), value / 100)
        else:
            # Each step replaces the one before: what remains is one change.
            self._gesture.abort()
            self._gesture = case.gesture("segments")
            self._gesture.apply(*ops.opacity_changes(case, _those(case, segment), value / 100))

    def _end(self) -> None:
        gesture, self._gesture = self._gesture, None
        segment = self._watch.segment
        if gesture is not None and segment is not None:
            gesture.commit(f"Opacity of {segment.name}")
        self.refresh()


def _those(case: OpenCase, segment: Segment) -> list[str]:
    return [s.segment_id for s in ops.chosen(case)] or [segment.segment_id]
