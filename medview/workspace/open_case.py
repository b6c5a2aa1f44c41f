"""One open series: its volume, its labels, its history and how it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from psygnal import Signal

from medview.analysis.histogram import Histogram
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, Change, Command
from medview.core.headings import Headings
from medview.core.label_patch import LabelPatch
from medview.core.oblique import PlaneLayout, layout_of
from medview.core.overlay_plane import OverlayPlane
from medview.core.plane import Plane, SlicePlane
from medview.core.segmentation import Segment
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Volume
from medview.workspace.components import FigureBook
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


@dataclass(frozen=True, slots=True)
class Step:
    """What the journal has to record: a command done, or the newest one undone or redone."""

    kind: str
    command: Command


@dataclass(eq=False)
class OpenCase:
    """A series that is open, with everything said about it.

    Changes go through ``do``, ``undo``, ``redo`` or a ``Gesture``; nothing else writes ``labels``.

    Attributes
    ----------
    record : callable or None
        Takes each Step to the journal; None when the case is not kept (no project could be opened).
    read_only : str
        Why labels cannot be changed, or empty.
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
    read_only: str = ""
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
    _gesture: Gesture | None = field(default=None, init=False)
    _waiting: list[Callable[[], object]] = field(default_factory=list, init=False)

    labels_changed = Signal(LabelsChanged)
    history_changed = Signal()
    load_changed = Signal()
    histogram_changed = Signal()

    def __post_init__(self) -> None:
        self.times = [TimePoint(self.volume, self.load)]
        # Before any view: whoever hears of another time finds its volume here.
        self.view.events.time_index.connect(self._show_time)

    @property
    def key(self) -> str:
        """Identity of the case among the open ones."""
        return case_key(self.series, self.entry)

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

    @property
    def editable(self) -> bool:
        """Whether a person's wish can be carried out now: not on a read-only case, not while a hand is drawing."""
        return not self.read_only and not self.reading and self._gesture is None

    def do(self, command: Command) -> bool:
        """Apply a command, put it on the history and into the journal; False when the case cannot be changed now."""
        if not self.editable or not command.changes:
            return False
        self.labels.apply(command.changes)
        self._done(command)
        self._tell(command.changes)
        return True

    def show_only(self, changes: Sequence[Change]) -> None:
        """Apply changes that are neither recorded nor undone: proposals on a case that cannot be changed."""
        self.labels.apply(changes)
        self._show(changes)

    def after_gesture(self, work: Callable[[], object]) -> None:
        """Do what a job brought now, or right after the gesture that is going on."""
        if self._gesture is None:
            work()
        else:
            self._waiting.append(work)

    def undo(self) -> Command | None:
        """Take the newest command back; return it, or None when there is nothing to undo or a gesture is going on."""
        command = self.history.next_undo()
        if command is None or not self.editable:
            return None
        changes = command.inverse().changes
        self.labels.apply(changes)
        self.history.undone()
        self._journal("undo", command)
        self._tell(changes)
        return command

    def redo(self) -> Command | None:
        """Do the newest undone command again; return it, or None when there is none or a gesture is going on."""
        command = self.history.next_redo()
        if command is None or not self.editable:
            return None
        self.labels.apply(command.changes)
        self.history.redone()
        self._journal("redo", command)
        self._tell(command.changes)
        return command

    def gesture(self, tool: str) -> Gesture:
        """Begin a gesture: changes that show at once and become one command at the end. One at a time."""
        if self._gesture is not None:
            self._gesture.abort()
        self._gesture = Gesture(self, tool)
        return self._gesture

    @property
    def in_gesture(self) -> bool:
        """Whether a hand is drawing right now."""
        return self._gesture is not None

    def _show_time(self, time_index: int) -> None:
        before, shown = self.load, self.times[time_index]
        self.volume, self.load = shown.volume, shown.load
        if (before.complete, before.damaged) != (shown.load.complete, shown.load.damaged):
            self.load_changed.emit()

    def mark_loaded(self, k: int, *, ok: bool, reason: str = "") -> None:
        """Record that a slice of the first time point arrived."""
        self.anchor.load.mark(k, ok=ok, reason=reason)

    # History and journal come before the listeners everywhere here: a view that fails must not cost a change.

    def _tell(self, changes: Sequence[Change]) -> None:
        self._show(changes)
        self.history_changed.emit()

    def _show(self, changes: Sequence[Change]) -> None:
        self.labels_changed.emit(LabelsChanged(self.key, tuple(changes)))

    def _done(self, command: Command) -> None:
        self.history.push(command)
        self._journal("do", command)

    def _journal(self, kind: str, command: Command) -> None:
        if self.record is not None:
            self.record(Step(kind, command))

    def _gesture_ended(self) -> None:
        self._gesture = None
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            work()


class Gesture:
    """Changes shown while the hand moves; one history entry when it ends."""

    def __init__(self, case: OpenCase, tool: str) -> None:
        self._case = case
        self._tool = tool
        self._changes: list[Change] = []
        self.over = False
        """Nothing may be applied any more: it was committed or aborted, perhaps by the beginning of another one."""

    def apply(self, *changes: Change) -> None:
        """Apply changes at once."""
        if changes:
            self._case.labels.apply(changes)
            self._changes.extend(changes)
            self._case._show(changes)

    def commit(self, name: str, *, joined: bool = True) -> Command | None:
        """Turn everything applied so far into one named command; None when it came to nothing.

        Parameters
        ----------
        joined : bool
            Changes of one thing become one. Without, they stay as they are, for changes that do not meet.
        """
        changes = self._merged() if joined else tuple(self._changes)
        self.over = True
        self._changes = []
        command = Command(name, changes, self._tool) if changes else None
        if command is not None:
            self._case._done(command)
        self._case._gesture_ended()
        self._case.history_changed.emit()
        return command

    def abort(self) -> None:
        """Take everything back as if the gesture had not begun."""
        self.over = True
        taken_back = [change.inverse() for change in reversed(self._changes)]
        self._changes = []
        self._case.labels.apply(taken_back)
        self._case._gesture_ended()
        self._case._show(taken_back)

    def _merged(self) -> tuple[Change, ...]:
        others = _joined(change for change in self._changes if not isinstance(change, LabelPatch))
        by_layer: dict[int, list[LabelPatch]] = {}
        for change in self._changes:
            if isinstance(change, LabelPatch):
                by_layer.setdefault(change.layer_id, []).append(change)
        layers = self._case.labels.segmentation.layers
        merged = [LabelPatch.merged(layers[layer_id], patches) for layer_id, patches in by_layer.items()]
        return (*others, *(patch for patch in merged if patch is not None))


def _joined(changes: Iterable[Change]) -> list[Change]:
    """Return changes with those of one annotation joined into one, from how it was to how it became."""
    found: dict[str, AnnotationChange] = {}
    rest: list[Change] = []
    for change in changes:
        some = (change.after or change.before) if isinstance(change, AnnotationChange) else None
        if some is None or not isinstance(change, AnnotationChange):
            rest.append(change)
            continue
        earlier = found.get(some.annotation_id)
        found[some.annotation_id] = AnnotationChange(earlier.before if earlier else change.before, change.after)
    return [*rest, *(change for change in found.values() if change.before != change.after)]
