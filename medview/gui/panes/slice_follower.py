"""Keeps the layers of a pane up to date with the workspace."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QWidget

from medview.core.language import _
from medview.core.oblique import PlaneLayout
from medview.core.plane import SlicePlane
from medview.gui.panes.fused_view import FusedView
from medview.gui.panes.fusion_watch import FusionWatch
from medview.gui.panes.haste import Haste
from medview.gui.panes.slice_content import label_part
from medview.gui.panes.slice_picture import SlicePicture
from medview.gui.panes.stale import OF_BENCH, OF_VIEW, LoadPace, Ranges, Stale, hear, of_labels, written_ranges
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.workspace.events import LabelsChanged
from medview.workspace.hands import Hands
from medview.workspace.load_state import SliceState
from medview.workspace.open_case import OpenCase
from medview.workspace.owners import owner_strip
from medview.workspace.reference_lines import lines_on
from medview.workspace.workspace import Workspace


class SliceFollower(QWidget):
    """One anatomical plane of the case its pane shows, as layers.

    Changes only mark what is stale and where; the work is done once per frame, when Qt asks for the pixels.
    """

    def __init__(self, workspace: Workspace, hands: Hands, pane_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pane_id = pane_id
        self.plane = workspace.plane_in(pane_id)
        self._case: OpenCase | None = None
        self._workspace = workspace
        self._hands = hands
        self._picture = SlicePicture(workspace.bench, pane_id, FusedView(workspace.bench, workspace.cases))
        self._watch = FusionWatch(workspace, self)
        self._watch.changed.connect(self._on_fused)
        self._stale = Stale.ALL
        self._written: list[tuple[int, Ranges]] = []
        self._shown_index = -1.0
        self._layout: PlaneLayout | None = None
        self._load_pace = LoadPace(self)
        self._load_pace.due.connect(self._show_load)
        self._haste = Haste(self)
        self._haste.rested.connect(partial(self._mark, Stale.PICTURE))
        self._of_case = Subscriptions(self)
        self._of_bench = Subscriptions(self)
        self.setObjectName(f"{pane_id}_pane")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._listen()
        self._take_case()

    def _listen(self) -> None:
        add, bench = self._of_bench.add, self._workspace.bench
        add(self._workspace.active_changed, self._on_layout)
        add(field_signal(bench, "layout"), self._on_layout)
        add(self._workspace.labels_changed, self._on_labels)
        add(self._workspace.load_changed, self._on_load)
        add(self._workspace.looked_elsewhere, self._on_elsewhere)
        add(self._hands.preview_changed, self._on_preview)
        hear(self._of_bench, bench, OF_BENCH, self._mark)
        # Patients found meanwhile may be told by other numbers.
        add(self._workspace.studies_changed, self._on_patients)

    def _on_layout(self, *_values: object) -> None:
        shown = (self._workspace.case_in(self.pane_id), self._workspace.plane_in(self.pane_id))
        if shown == (self._case, self.plane):
            # Another pane changed; this one may have become, or ceased to be, the one that says whose pictures these are.
            self._mark(Stale.TEXT | Stale.LINES)
            return
        self._take_case()

    def _take_case(self) -> None:
        self._of_case.clear()
        case = self._case = self._workspace.case_in(self.pane_id)
        self.plane = self._workspace.plane_in(self.pane_id)
        self.setAccessibleName(_("{plane} picture").format(plane=self.plane.title))
        self._written.clear()
        self._shown_index = -1.0
        self._layout = None if case is None else case.slice_plane(self.plane)
        self._picture.take_case(case, self._layout)
        self._watch.follow(case)
        if case is not None:
            self._of_case.add(field_signal(case.view, "crosshair_kji"), self._on_crosshair)
            self._of_case.add(field_signal(case.view, "focus_kji"), self._on_focus)
            self._of_case.add(field_signal(case.view, "turns"), self._on_turn)
            self._of_case.add(field_signal(case.view, "axes"), self._on_axes)
            hear(self._of_case, case.view, OF_VIEW, self._mark)
            self._of_case.add(field_signal(case.view, "active_segment_id"), self._follow_strip)
            self._of_case.add(field_signal(case.view, "cameras"), self._on_camera)
            self._of_case.add(field_signal(case.view, "time_index"), self._show_load)
        self._mark(Stale.ALL)
        self._say_pointed_at()

    def _on_crosshair(self) -> None:
        case, layout = self._case, self._layout
        if case is None or layout is None:
            return
        if case.position_on(layout) != self._shown_index:
            self._mark(Stale.SLICE)
            self._say_pointed_at()
            return
        for strip in self._picture.crosshair.strips():
            self.update(strip)
        self._stale |= Stale.LINES
        self._refresh()
        for strip in self._picture.crosshair.strips():
            self.update(strip)

    def _on_focus(self) -> None:
        # Along the grid the place moves with the voxel, whose news is on its way.
        if isinstance(self._layout, SlicePlane):
            self._mark(Stale.LINES)
        else:
            self._on_crosshair()

    def _on_turn(self) -> None:
        case = self._case
        layout = None if case is None else case.slice_plane(self.plane)
        if layout != self._layout:
            self._layout = layout
            self._picture.take_case(case, layout)
            self._mark(Stale.ALL)
            self._say_pointed_at()

    def _on_axes(self) -> None:
        before = self._layout
        self._on_turn()
        if self._case is not None and self._layout is not None and self._layout is before:
            self._picture.take_lines(self._case, self._layout)
            self._mark(Stale.LINES | Stale.TEXT)

    def _on_camera(self) -> None:
        case = self._case
        if case is None or self._picture.camera != case.view.cameras[self.plane]:
            self._mark(Stale.ALL & ~(Stale.PICTURE | Stale.FUSED | Stale.TINT | Stale.HEAT))

    def _on_load(self) -> None:
        case, layout = self._case, self._layout
        if case is None or layout is None:
            return
        waiting = self._picture.image.empty and layout.acquired
        if waiting and case.load.state(case.view.crosshair_kji[0]) is not SliceState.ABSENT:
            self._show_load()
        else:
            self._load_pace.arrived()

    def _show_load(self) -> None:
        self._mark(Stale.PICTURE | Stale.TEXT | Stale.MEASURES | Stale.TINT | Stale.HEAT)
        self._say_pointed_at()

    def _on_fused(self) -> None:
        self._picture.fused.release(self._case)
        self._mark(Stale.FUSED | Stale.TEXT)

    def _on_elsewhere(self) -> None:
        if not self._workspace.bench.layout.follows:
            self._mark(Stale.LINES)

    def _on_patients(self) -> None:
        self._mark(Stale.TEXT)

    def _on_preview(self) -> None:
        preview, shown = self._hands.preview, self._picture.previews
        self.update(shown.cover_px)
        shown.show(preview, self.pane_id, self._case, self._layout, self._picture.viewport)
        self.update(shown.cover_px)

    def _on_labels(self, event: LabelsChanged) -> None:
        case = self._case
        layout = self._layout
        if case is None or layout is None or event.series_uid != case.key:
            return
        self._say_pointed_at()
        if (parts := of_labels(event)) is not Stale.NONE:
            self._mark(parts)
            return
        drawn = self._picture.labels.knows if self._picture.viewport is not None else _nothing
        written = written_ranges(event, case, layout, drawn)
        if written is None:
            self._mark(Stale.LABELS | Stale.STRIP)
            return
        self._written += written
        for _unused, ranges in written:
            self.update(self._picture.around(ranges))
        self._follow_strip()

    def _follow_strip(self, *_values: object) -> None:
        """Draw the strip of slices again where it has something new to say, and nothing else."""
        case, layout, picture = self._case, self._layout, self._picture
        if case is not None and layout is not None and picture.viewport is not None and picture.strip.changed(case, layout):
            self._stale |= Stale.STRIP
            self.update(picture.strip.cover_px)

    def _mark(self, parts: Stale) -> None:
        self._stale |= parts
        self.update()

    def _refresh(self) -> None:
        """Bring the layers up to date with the workspace."""
        case, layout, parts, picture = self._case, self._layout, self._stale, self._picture
        written, self._written = self._written, []
        self._stale = Stale.NONE
        if case is None or layout is None:
            return
        index = case.position_on(layout)
        self._shown_index = index
        if parts & Stale.CAMERA:
            picture.look(case, layout, (self.width(), self.height()), self.devicePixelRatioF())
        if parts & Stale.PICTURE or (parts & Stale.CAMERA and not picture.image.fine_enough):
            with self._haste.picture() as coarse:
                picture.show_image(case, layout, index, coarse=coarse)
        if parts & Stale.FUSED:
            picture.show_fused(case, layout, index)
        if parts & Stale.HEAT:
            picture.show_heat(case, layout, index)
        if parts & Stale.TINT:
            picture.show_tint(case, layout, index)
        if parts & Stale.LABELS:
            picture.show_labels(case, layout, index)
        else:
            for layer_id, ranges in written:
                picture.labels.refresh(layer_id, ranges, label_part(case, layout, index, layer_id, ranges))
        if parts & (Stale.STRIP | Stale.CAMERA) and picture.viewport is not None:
            picture.strip.show(case, layout, picture.viewport)
        picture.strip.go(case, layout)
        if parts & Stale.MEASURES:
            picture.show_measurements(case, layout, index)
        if parts & Stale.TEXT:
            picture.show_text(case, layout, index, owner_strip(self._workspace, case))
        if parts & Stale.PROPOSALS:
            picture.show_proposals(case, layout, index)
        if parts & Stale.LINES:
            picture.show_crosshair(case, layout)
            picture.show_reference_lines(lines_on(self._workspace, self.pane_id))

    def _say_pointed_at(self) -> None:
        """Take notice that something else may lie under the pointer."""


def _nothing(_layer_id: int) -> bool:
    return False
