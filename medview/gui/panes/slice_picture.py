"""The layers of one pane, from the picture at the back to the brush in front."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from medview.core.geometry import Calibration
from medview.core.language import _
from medview.core.oblique import PlaneLayout
from medview.core.orientation import edge_letters
from medview.core.plane import Plane
from medview.gui.drawing.viewport import Viewport
from medview.gui.layers.candidate import CandidateLayer
from medview.gui.layers.colour_bar import ColourBarLayer
from medview.gui.layers.corners import CornersLayer, CornerTexts
from medview.gui.layers.crosshair import CrosshairLayer
from medview.gui.layers.difference import DifferenceLayer
from medview.gui.layers.graphics import GraphicsLayer
from medview.gui.layers.heat import HeatLayer
from medview.gui.layers.image import ImageLayer
from medview.gui.layers.labels import LabelsLayer
from medview.gui.layers.letters import LettersLayer
from medview.gui.layers.measurements import MeasurementsLayer
from medview.gui.layers.owner import OwnerLayer
from medview.gui.layers.proposal import Chip, ProposalLayer
from medview.gui.layers.range_tint import RangeTintLayer
from medview.gui.layers.reference_lines import ReferenceLinesLayer
from medview.gui.layers.scale_bar import ScaleBarLayer
from medview.gui.panes.corner_lines import window_ends
from medview.gui.panes.corner_text import corner_texts
from medview.gui.panes.difference_content import difference_chips, difference_cut
from medview.gui.panes.fused_view import FusedView
from medview.gui.panes.heat_content import heat_content, heat_notes
from medview.gui.panes.pane_strip import PaneStrip
from medview.gui.panes.previews import Previews
from medview.gui.panes.rule_content import range_mask, rule_chips
from medview.gui.panes.slice_content import (
    candidate_chips,
    candidate_cut,
    columns_have_mm,
    graphics_mask,
    key_chips,
    label_cuts,
    mark_chips,
    measurements_on_slice,
    proposal_chips,
    proposed_masks,
    slice_levels,
)
from medview.gui.parts.theme import ui_font
from medview.gui.parts.theme_tokens import DARK, PICTURE_QUIET, PLANE_COLOURS, TEXT_LARGE_PX, TEXT_PX
from medview.workspace.colour_maps import GREY, palette
from medview.workspace.crosshair_lines import CrosshairLine, crosshair_lines
from medview.workspace.grey_table import GreyTable
from medview.workspace.open_case import OpenCase
from medview.workspace.owners import Owner
from medview.workspace.reference_lines import ReferenceLine
from medview.workspace.view_state import Bench, Camera, Tool

_NO_TEXT = CornerTexts()
_MARGIN_PX = 24

EMPTY_PANE = _("Drag a series here from the list on the left, or double click one there.")


class SlicePicture:
    """Feeds the layers of a pane from a case and draws them in order."""

    def __init__(self, bench: Bench, pane_id: str, fused: FusedView) -> None:
        self.fused = fused
        self._bench, self._pane_id = bench, pane_id
        self.viewport: Viewport | None = None
        self.camera: Camera | None = None
        self.image = ImageLayer()
        self.graphics = GraphicsLayer()
        self.heat = HeatLayer()
        self.tint = RangeTintLayer()
        self.labels = LabelsLayer()
        self.proposals = ProposalLayer()
        self.candidate = CandidateLayer()
        self.difference = DifferenceLayer()
        self.measurements = MeasurementsLayer()
        self.crosshair = CrosshairLayer()
        self.strip = PaneStrip(bench)
        self.reference_lines = ReferenceLinesLayer()
        self.previews = Previews()
        self._owner = OwnerLayer()
        self._letters = LettersLayer()
        self._corners = CornersLayer()
        self._scale_bar = ScaleBarLayer()
        self._colour_bar, self._heat_bar = ColourBarLayer(), ColourBarLayer()
        self._table: GreyTable | None = None
        self._lines: tuple[CrosshairLine, ...] = ()
        self._texts = _NO_TEXT
        self._chips: tuple[Chip, ...] = ()
        self._edge_letters: tuple[str, str, str, str] = ("", "", "", "")
        self._font = ui_font(TEXT_PX)
        self._large_font = ui_font(TEXT_LARGE_PX, bold=True)

    def take_case(self, case: OpenCase | None, layout: PlaneLayout | None) -> None:
        """Begin with another case or plane, or with none."""
        self.viewport = self.camera = None
        if case is None or self._table is None or self._table.volume is not case.volume:
            self._table = None
        self.fused.clear()
        self._texts, self._chips = _NO_TEXT, ()
        self._lines = ()
        self._edge_letters = ("", "", "", "")
        if case is not None and layout is not None:
            self.take_lines(case, layout)

    def take_lines(self, case: OpenCase, layout: PlaneLayout) -> None:
        """Take which way the other planes cut this one."""
        self._lines = crosshair_lines(case, layout)

    def viewport_for(self, case: OpenCase, layout: PlaneLayout, size_px: tuple[int, int], device_ratio: float) -> Viewport:
        """Return how the case's camera sees a plane through a pane of this size."""
        geometry = case.volume.geometry
        shape, spacing = layout.screen_shape(geometry), layout.screen_spacing_mm(geometry)
        fit, finest = layout.fit_mm(geometry), layout.finest_mm(geometry)
        return Viewport.looking(size_px, shape, spacing, case.view.cameras[layout.plane], device_ratio, fit, finest)

    def look(self, case: OpenCase, layout: PlaneLayout, size_px: tuple[int, int], device_ratio: float) -> None:
        """Take the camera."""
        self.viewport = self.viewport_for(case, layout, size_px, device_ratio)
        self.camera = case.view.cameras[layout.plane]
        self.image.move(self.viewport)
        self.graphics.move(self.viewport)
        self.tint.move(self.viewport)
        self.previews.move(self.viewport)
        self.fused.move(self.viewport)
        self.heat.move(self.viewport)
        self._heat_bar.move(self.viewport)
        self._edge_letters = edge_letters(case.volume, layout)
        self._letters.update(self._edge_letters, self.viewport, self._large_font, self._owner.height_px)
        # Where there is no picture there is nothing to measure either.
        shown = layout.acquired or case.volume.geometry.calibration is Calibration.VOLUME
        calibrated = shown and columns_have_mm(layout, case.volume.geometry)
        note = case.volume.pixel_scale.note if layout.acquired else ""
        self._scale_bar.update(self.viewport, self._font, calibrated=calibrated, note=note)

    def show_image(self, case: OpenCase, layout: PlaneLayout, index: float, *, coarse: bool = False) -> None:
        """Take the grey levels; ``coarse`` ones at an angle to the grid while a hand moves them."""
        table, view = self._table, case.view
        same = table is not None and table.inverted == view.inverted and table.take(case.volume)
        if table is None or not same or table.window != view.window:
            table = self._table = GreyTable(case.volume, view.window, inverted=view.inverted)
        coloured = view.colour_map != GREY and not case.volume.colour
        colours = palette(view.colour_map) if coloured else None
        pixel_px = 0.0 if coarse else self._here.row_px * self._here.device_ratio
        levels = slice_levels(table, case.load, layout, index, self._bench.slab, pixel_px)
        self.image.update(levels, self._here, colours)
        self._colour_bar.update(colours, window_ends(case), self._here)
        self.graphics.update(graphics_mask(case, self._bench, layout, index), self._here)

    def show_fused(self, case: OpenCase, layout: PlaneLayout, index: float) -> None:
        """Take what other series add."""
        self.fused.show(case, layout, index, self._here)

    def show_heat(self, case: OpenCase, layout: PlaneLayout, index: float) -> None:
        """Take the heat map that lies over the picture."""
        pixels, colours, ends = heat_content(case, layout, index, self._bench.slab)
        self.heat.update(pixels, self._here)
        self._heat_bar.update(colours, ends, self._here)

    def show_tint(self, case: OpenCase, layout: PlaneLayout, index: float) -> None:
        """Take what the threshold brush would paint."""
        self.tint.update(range_mask(case, self._bench, layout, index), self._here)

    def show_labels(self, case: OpenCase, layout: PlaneLayout, index: float) -> None:
        """Take labels."""
        self.labels.update(label_cuts(case, self._bench, layout, index), self._here)

    def show_measurements(self, case: OpenCase, layout: PlaneLayout, index: float) -> None:
        """Take the measurements, boxes, points and lines, and proposed boxes."""
        self.measurements.update(measurements_on_slice(case, self._bench, layout, index), self._here)

    def show_proposals(self, case: OpenCase, layout: PlaneLayout, index: float) -> None:
        """Take what models propose, and what the open effect would write."""
        self.candidate.update(*candidate_cut(case, self._bench, layout, index), self._here)
        self.difference.update(difference_cut(case, self._bench, layout, index), self._here)
        self.proposals.update(proposed_masks(case, self._bench, layout, index), self._here)

    def show_text(self, case: OpenCase, layout: PlaneLayout, index: float, owner: Owner | None = None) -> None:
        """Take the words, and whose picture it is when not all are of one patient."""
        self._owner.update(owner, self._here)
        self._letters.update(self._edge_letters, self._here, self._large_font, self._owner.height_px)
        texts = corner_texts(case, self._bench, layout, index)
        self._texts = replace(texts, notes=(*texts.notes, *self.fused.notes, *heat_notes(case)))
        self._corners.update(self._texts, self._here, self._font, self._large_font, self._owner.height_px)
        self.measurements.keep_free([*self._corners.boxes_px, *self._letters.boxes_px, *self._scale_bar.boxes_px])
        # Scores speak of the whole series, so one pane says them.
        first = layout.plane is Plane.AXIAL or self._bench.maximised == self._pane_id
        of_effect = [*rule_chips(case, self._bench), *candidate_chips(case, self._bench)]
        self._chips = (
            *key_chips(case, layout, index),
            *mark_chips(case, self._bench, layout),
            *of_effect,
            *proposal_chips(case, scores=first),
            *difference_chips(case, self._bench),
        )
        self.proposals.update_chips(self._chips, self._corners.below_top_px)

    def show_crosshair(self, case: OpenCase, layout: PlaneLayout) -> None:
        """Take the lines where the other planes cut this one."""
        here, wanted = self._here, self._bench.tool is Tool.CROSSHAIR
        _, row, column = layout.screen(case.volume.geometry, case.view.at_kji)
        lines = [(n.column_step * here.column_px, n.row_step * here.row_px, PLANE_COLOURS[n.plane]) for n in self._lines]
        shown = lines if wanted or self._bench.crosshair_tells(self._pane_id) else []
        turnable = wanted and case.volume.geometry.calibration is Calibration.VOLUME
        self.crosshair.update(row, column, shown, here, handles=turnable)

    def show_reference_lines(self, lines: tuple[ReferenceLine, ...]) -> None:
        """Take where pictures in other panes cut this one."""
        self.reference_lines.update(lines, self._here)

    def around(self, ranges: tuple[int, int, int, int]) -> QRect:
        """Return the logical pixels that labels in (row0, row1, column0, column1) and their outlines can cover."""
        return self._here.voxels_px(*ranges).adjusted(-4, -4, 4, 4)

    def shown_text(self) -> tuple[str, ...]:
        """Every line of text in the pane but the names of boxes."""
        lines = [line.text for name in CornerTexts.__dataclass_fields__ for line in getattr(self._texts, name)]
        return (*lines, *filter(None, [self._owner.text]), *self._edge_letters, *(chip.text for chip in self._chips))

    def paint(self, painter: QPainter, rect: QRect, *, active: bool) -> None:
        """Draw all layers from the back to the front."""
        painter.fillRect(rect, Qt.GlobalColor.black)
        if self.viewport is not None:
            if not self.image.empty:
                self._paint_anatomy(painter)
            self.reference_lines.paint(painter)
            self.crosshair.paint(painter)
            self._scale_bar.paint(painter)
            self._colour_bar.paint(painter, self._font)
            place = 0 if self._colour_bar.empty else 1
            self.fused.paint_bar(painter, self._font, place=place)
            # Below the chips, which say that something is proposed.
            self._heat_bar.paint(painter, self._font, place + (not self.fused.bar_empty), middle=0.57, part=0.32)
            self._owner.paint(painter, self._font)
            self._letters.paint(painter)
            self._corners.paint(painter)
            self.proposals.paint_chips(painter, self._font)
            self.strip.paint(painter)
            self.previews.paint(painter, self._paint_larger)
            if active:
                _frame(painter, rect)

    def paint_empty(self, painter: QPainter, rect: QRect, *, waiting: bool, active: bool) -> None:
        """Draw a pane without a case; one that is ``waiting`` says for what."""
        painter.fillRect(rect, Qt.GlobalColor.black)
        if not waiting:
            return
        painter.setFont(self._font)
        painter.setPen(QColor(PICTURE_QUIET))
        wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(rect.adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0), wrapped, EMPTY_PANE)
        if active:
            _frame(painter, rect)

    def _paint_anatomy(self, painter: QPainter) -> None:
        """Draw the picture and what lies on it; outlines without a picture would be taken for one."""
        self.image.paint(painter)
        self.fused.paint_picture(painter)
        self.heat.paint(painter)
        self.graphics.paint(painter)
        self.fused.paint_outlines(painter)
        self.tint.paint(painter)
        self.labels.paint(painter)
        self.proposals.paint(painter)
        self.difference.paint(painter)
        self.candidate.paint(painter)
        self.measurements.paint(painter, self._font)

    def _paint_larger(self, painter: QPainter, factor: float) -> None:
        """Draw what the loupe shows."""
        self.image.paint_larger(painter, QRectF(self.previews.loupe_px), factor)
        self.graphics.paint(painter)
        self.labels.paint(painter)
        self.proposals.paint(painter)
        self.difference.paint(painter)
        self.candidate.paint(painter)

    @property
    def _here(self) -> Viewport:
        assert self.viewport is not None
        return self.viewport


def _frame(painter: QPainter, rect: QRect) -> None:
    painter.setPen(QPen(QColor(DARK.accent), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5))
