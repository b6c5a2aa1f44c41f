"""One open series: its volume, its labels, its history and how it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from psygnal import Signal

from medview.analysis.histogram import Histogram
from medview.core.case_labels import CaseLabels
from medview.core.changes import SegmentChange
from medview.core.headings import Headings
from medview.core.oblique import PlaneLayout, layout_of
from medview.core.overlay_plane import OverlayPlane
from medview.core.plane import Plane, SlicePlane
from medview.core.prediction import ProposedMasks
from medview.core.segmentation import Segment
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Volume
from medview.workspace.components import FigureBook
from medview.workspace.editing import Editing, Step
from medview.workspace.events import LabelsChanged
from medview.workspace.history import History
from medview.workspace.load_state import LoadState
from medview.workspace.time_points import TimeOfImages, TimePoint
from medview.workspace.view_state import CaseView

Graphics = dict[int, tuple[OverlayPlane, ...]]


def case_key(series: Series, entry: VolumeEntry) -> str:
    """Return what tells the volumes of all series apart; a series may hold several."""
    number = next((n for n, volume in enumerate(series.volumes) if volume.frames == entry.frames), 0)
    return f"{series.series_uid}#{number}" if number else series.series_uid


@dataclass(eq=False)
class OpenCase(Editing):
    """A series that is open, with everything said about it.

    Changes go through ``do``, ``undo``, ``redo`` or a ``Gesture``; nothing else writes ``labels``.

    Attributes
    ----------
    record : callable or None
        Takes each Step to the journal; None when the case is not kept (no project could be opened).
    recall : callable or None
        Returns the masks that runs of models (job ids) proposed, from the journal; for workers.
    reading_id : int or None
        Number of the reading in the project; None while it is not kept.
    reader : str
        Whose labels these are, where they stand beside one's own to be looked at; empty for one's own.
    read_only : str
        Why labels cannot be changed, or empty.
    held : bool
        They cannot for a moment: what is found meanwhile waits.
    graphics : dict of int to tuple of OverlayPlane
        What the files draw over their own images, by slice counted through all time points; read after the slices.
    headings : Headings
        What the headers say in words; read after the slices.
    histogram : tuple of Volume and Histogram, or None
        Of these voxels, which may be those of another time than is shown; counted when it is looked at.
    figures : FigureBook
        What was measured of the segments.
    times : list of TimePoint
        As far as read; ``volume`` and ``load`` are those of ``view.time_index``. Labels lie on the first, ``anchor``.
    reading : bool
        Slices still arrive; until they are known to be the right ones no label is shown on them or changed.
    stop_reading : callable
        Cancels the job that still reads slices.
    """

    series: Series
    entry: VolumeEntry
    volume: Volume
    load: LoadState
    labels: CaseLabels
    view: CaseView
    history: History = field(default_factory=History)
    record: Callable[[Step], None] | None = None
    recall: Callable[[Collection[str]], ProposedMasks] | None = None
    reading_id: int | None = None
    reader: str = ""
    read_only: str = ""
    held: bool = False
    losses: tuple[str, ...] = ()
    graphics: Graphics = field(default_factory=dict)
    headings: Headings = Headings()
    histogram: tuple[Volume, Histogram] | None = None
    figures: FigureBook = field(default_factory=FigureBook)
    reading: bool = False
    stop_reading: Callable[[], None] = field(default=lambda: None)
    counting: Volume | None = field(default=None, init=False)
    """The volume whose values are being counted."""
    times: list[TimePoint] = field(init=False)

    load_changed = Signal()
    histogram_changed = Signal()

    def __post_init__(self) -> None:
        Editing.__init__(self)
        self.times = [TimePoint(self.volume, self.load)]
        # Before any view: whoever hears of another time finds its volume here.
        self.view.events.time_index.connect(self._show_time)
        # Before any view too: none sees a moment in which tools have no segment to work on.
        self.labels_changed.connect(self._keep_one_active)

    def shows_others(self, reading_id: int | None) -> bool:
        """Whether labels of another reading are shown by now; None is what was not kept yet, and may be kept since."""
        return reading_id is not None and self.reading_id != reading_id

    @property
    def key(self) -> str:
        """Identity of the case among the open ones."""
        own = case_key(self.series, self.entry)
        return f"{own}@{self.reader}" if self.reader else own

    @property
    def active_segment(self) -> Segment | None:
        """The segment drawing tools work on."""
        return self.labels.segmentation.find(self.view.active_segment_id)

    def slice_plane(self, plane: Plane) -> PlaneLayout:
        """Layout of an anatomical plane on this grid, as it is turned now."""
        layout = layout_of(plane, self.view.axes, self.volume.geometry)
        turn = self.view.turns.get(plane)
        return turn.of(layout) if turn is not None else layout

    def position_on(self, layout: PlaneLayout) -> float:
        """Return which slice of a plane is looked at; between two steps on a plane at an angle to the grid."""
        if isinstance(layout, SlicePlane):
            return self.view.crosshair_kji[layout.normal_axis]
        # Rounded, so that noise in a move along the plane is no move across it.
        return round(layout.screen(self.volume.geometry, self.view.at_kji)[0], 6)

    @property
    def acquired_plane(self) -> Plane:
        """The anatomical plane nearest to that of the slices as they were acquired."""
        return next(plane for plane, layout in self.layouts().items() if layout.acquired)

    def layouts(self) -> dict[Plane, SlicePlane]:
        """The slices of the grid along all anatomical planes, whatever the panes look along."""
        return {plane: SlicePlane.of(plane, self.volume.geometry) for plane in Plane}

    def image_of(self, k: int) -> tuple[str, int]:
        """Return the SOP instance UID and frame number of slice ``k`` as shown; empty where the files name none."""
        return self.images.image(self.view.time_index, k)

    @property
    def images(self) -> TimeOfImages:
        """Which images are behind the slices at each time."""
        return TimeOfImages(self.entry)

    @property
    def anchor(self) -> TimePoint:
        """The time point labels are drawn on and exported with, whichever is shown."""
        return self.times[0]

    @property
    def ready(self) -> bool:
        """Whether every slice has arrived and the pixels are known to be those the labels were made on."""
        return not self.reading and self.load.complete

    def _keep_one_active(self, event: LabelsChanged) -> None:
        """When the active segment goes, as by undoing its addition, make its neighbour in the list active."""
        gone = [(c.before, c.position) for c in event.changes if isinstance(c, SegmentChange) and c.after is None]
        segments = self.labels.segmentation.segments
        active_id = self.view.active_segment_id
        position = next((at for before, at in gone if before is not None and before.segment_id == active_id), None)
        if position is not None and segments and self.active_segment is None:
            self.view.active_segment_id = segments[min(position, len(segments) - 1)].segment_id

    def _show_time(self, time_index: int) -> None:
        before, shown = self.load, self.times[time_index]
        self.volume, self.load = shown.volume, shown.load
        if (before.complete, before.damaged) != (shown.load.complete, shown.load.damaged):
            self.load_changed.emit()

    def mark_loaded(self, k: int, *, ok: bool, reason: str = "") -> None:
        """Record that a slice of the first time point arrived."""
        self.anchor.load.mark(k, ok=ok, reason=reason)
