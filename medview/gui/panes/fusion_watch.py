"""Notices when what other series add to a pane changes."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from medview.gui.parts.bind import Subscriptions, field_signal
from medview.workspace.events import LabelsChanged
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace

_LOAD_PACE_MS = 200


class FusionWatch(QObject):
    """Follows the fusion over one case, the series that lies over it, and the labels of all others."""

    changed = Signal()
    """What lies over the case has to be drawn anew."""

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._case: OpenCase | None = None
        self._seen: tuple[object, ...] = ()
        # Slices of the upper series arrive faster than anyone can look.
        self._load_pace = QTimer(self, interval=_LOAD_PACE_MS, singleShot=True)
        self._load_pace.timeout.connect(self.changed)
        self._of_overlay = Subscriptions(self)
        add, bench = Subscriptions(self).add, workspace.bench
        add(field_signal(bench, "fusions"), self._look)
        add(workspace.cases_changed, self._look)
        for name in ("foreign_labels_visible", "overlay_visible"):
            add(field_signal(bench, name), self._tell)
        add(workspace.labels_changed, self._on_labels)

    def follow(self, case: OpenCase | None) -> None:
        """Watch over another case."""
        self._case, self._seen = case, ()
        self._look()

    def _look(self, *_values: object) -> None:
        workspace, case = self._workspace, self._case
        fusion = None if case is None else workspace.bench.fusions.get(case.key)
        # A registration also places labels of the series below on the one above.
        of_others = [f for f in workspace.bench.fusions.values() if case is not None and f.overlay_key == case.key]
        seen = (case, fusion, *of_others, *workspace.cases.values())
        if seen == self._seen:
            return
        self._seen = seen
        self._of_overlay.clear()
        overlay = None if fusion is None else workspace.cases.get(fusion.overlay_key)
        if overlay is not None:
            for name in ("window", "time_index"):
                self._of_overlay.add(field_signal(overlay.view, name), self._tell)
            self._of_overlay.add(overlay.load_changed, self._on_load)
        self.changed.emit()

    def _on_labels(self, event: LabelsChanged) -> None:
        mine = self._case is None or event.series_uid == self._case.key
        if not mine and not event.only_figures:
            self.changed.emit()

    def _on_load(self) -> None:
        if not self._load_pace.isActive():
            self._load_pace.start()

    def _tell(self, *_values: object) -> None:
        self.changed.emit()
