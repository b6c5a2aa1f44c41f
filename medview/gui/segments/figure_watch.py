"""Keeps the figures of the active segment up to date, a moment after the hand rests."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from medview.analysis.segment_figures import SegmentFigures
from medview.core.segmentation import Segment
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.workspace.events import LabelsChanged
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.figures import want_figures
from medview.workspace.workspace import Workspace

PACE_MS = 350
"""After the last stroke: strokes that follow each other closely are measured once."""


class FigureWatch(QObject):
    """Asks for figures while somebody looks at them; never while a hand draws."""

    changed = Signal()
    """The figures of the active segment, or which segment that is, changed."""

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._watchers: set[str] = set()
        self._pace = QTimer(self, interval=PACE_MS, singleShot=True)
        self._pace.timeout.connect(self._ask)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._on_case)
        heard.add(workspace.labels_changed, self._on_labels)
        heard.add(workspace.load_changed, self._on_load)
        self._of_case = Subscriptions(self)
        self._on_case()

    def watch(self, who: str, *, awake: bool) -> None:
        """Measure from now on, or no longer, for somebody who shows what is measured."""
        if awake:
            self._watchers.add(who)
            self._pace.start()
        else:
            self._watchers.discard(who)
            if not self._watchers:
                self._pace.stop()

    @property
    def _awake(self) -> bool:
        return bool(self._watchers)

    @property
    def case(self) -> OpenCase | None:
        """The active case."""
        return self._workspace.active

    @property
    def segment(self) -> Segment | None:
        """The active segment."""
        return self.case.active_segment if self.case is not None else None

    @property
    def figures(self) -> SegmentFigures | None:
        """What is known of the active segment as it is now; None while it is being measured."""
        case, segment = self.case, self.segment
        return case.figures.current(case.labels.segmentation, segment) if case is not None and segment is not None else None

    @property
    def last(self) -> SegmentFigures | None:
        """What was measured of the active segment last; it may have changed since."""
        case, segment = self.case, self.segment
        return case.figures.last(segment) if case is not None and segment is not None else None

    def _on_case(self) -> None:
        self._of_case.clear()
        if self.case is not None:
            self._of_case.add(field_signal(self.case.view, "active_segment_id"), self._on_active)
            self._of_case.add(self.case.figures.changed, self._on_measured)
        self._on_active()

    def _on_active(self, *_values: object) -> None:
        if self._awake:
            self._pace.start()
        self.changed.emit()

    def _on_labels(self, event: LabelsChanged) -> None:
        case = self.case
        if case is None or event.series_uid != case.key or event.only_figures:
            return
        if self._awake and self.figures is None:
            self._pace.start()
        if not event.only_voxels:
            self.changed.emit()

    def _on_load(self, *_values: object) -> None:
        if self._awake and self.figures is None and not self._pace.isActive():
            self._pace.start()

    def _on_measured(self, segment_id: str) -> None:
        if self.segment is not None and self.segment.segment_id == segment_id:
            self.changed.emit()

    @Slot()
    def _ask(self) -> None:
        case, segment = self.case, self.segment
        if not self._awake or case is None or segment is None or self.figures is not None:
            return
        if case.in_gesture or case.pouring is not None:
            self._pace.start()
            return
        want_figures(self._workspace, case, segment)
        # After the first voxels nobody should go on reading that there are none.
        self.changed.emit()
