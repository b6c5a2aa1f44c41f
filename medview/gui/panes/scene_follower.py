"""Keeps the process that draws in three dimensions in step with the active case."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from medview.core.errors import MedViewError
from medview.core.language import _, in_language
from medview.core.volume import Volume
from medview.gui.panes.scene_link import SceneLink
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.scene.camera import Shot, Stage
from medview.scene.grid import Grid
from medview.scene.messages import Look, Pick, Picked, Picture, SetSurfaces, SetVolume, UsePreset
from medview.scene.prepare import small_labels
from medview.scene.presets import chosen, shift_in_values
from medview.workspace.events import LabelsChanged
from medview.workspace.jobs import Job, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.requests_scene import PrepareScene, no_scene
from medview.workspace.shown_segments import shown_in_3d
from medview.workspace.workspace import Workspace

_LABELS_PACE_MS = 400
"""Surfaces are made anew this long after the last change: a stroke of the brush is many."""

_TIME_PACE_MS = 300
"""Another time point is taken up this long after the last step: nobody prepares a volume for each picture of a film."""

PREPARING = _("Preparing the 3-D view")


class SceneFollower(QObject):
    """Sends the active case, its segments and the way it is looked at to the process; hands on its pictures.

    Asleep it holds neither a process nor a copy of anything.

    Attributes
    ----------
    words : str
        What to show instead of a picture.
    trouble : bool
        The words report a problem.
    """

    changed = Signal()
    """A picture made now would be another one, or the words changed."""
    drawn = Signal(object)
    """A Picture of the active case."""

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.link = SceneLink(self)
        self.words, self.trouble = "", False
        self._workspace = workspace
        self._awake = False
        self._of_case = Subscriptions(self)
        self._case: OpenCase | None = None
        self._grid: Grid | None = None
        self._stage: Stage | None = None
        self._job: Job | None = None
        self._shown: Volume | None = None
        self._serial = self._first_of_case = 0
        self._labels_pace = QTimer(self, interval=_LABELS_PACE_MS, singleShot=True)
        self._labels_pace.timeout.connect(self._send_labels)
        self._time_pace = QTimer(self, interval=_TIME_PACE_MS, singleShot=True)
        self._time_pace.timeout.connect(self._take_time)
        self.link.drawn.connect(self._on_drawn)
        self.link.picked.connect(self._on_picked)
        self.link.failed.connect(self._on_failed)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._take_case)
        heard.add(workspace.load_changed, self._on_load)
        heard.add(workspace.labels_changed, self._on_labels)
        for name in ("preset", "opacity_shift"):
            heard.add(field_signal(workspace.scene, name), self._send_preset)
        heard.add(field_signal(workspace.scene, "surfaces"), self._send_labels)
        heard.add(field_signal(workspace.scene, "orbit"), self._on_orbit)

    def wake(self) -> None:
        """Show the active case from now on."""
        if not self._awake:
            self._awake = True
            self._take_case()

    def sleep(self) -> None:
        """End the process and let everything go."""
        self._awake = False
        self._let_go()
        self.link.stop()

    def ask(self, size_px: tuple[int, int], *, quick: bool) -> None:
        """Ask for a picture of the case as it is looked at now."""
        if self._stage is not None:
            self._serial += 1
            self.link.send(Look(self._serial, self._workspace.scene.orbit, size_px, quick))

    def pick(self, shot: Shot, x_px: float, y_px: float) -> None:
        """Move the crosshair of the case to what is seen at a pixel of a picture."""
        self._serial += 1
        self.link.send(Pick(Look(self._serial, shot.orbit, shot.size_px), x_px, y_px))

    @property
    def stage(self) -> Stage | None:
        """The place that is shown; None while there is nothing to show."""
        return self._stage

    @property
    def serial(self) -> int:
        """Number of the last picture that was asked for."""
        return self._serial

    @property
    def labels_wait(self) -> bool:
        """Whether the labels changed and the surfaces have not followed yet."""
        return self._labels_pace.isActive()

    @property
    def time_waits(self) -> bool:
        """Whether another time point is looked at and has not been taken up yet."""
        return self._time_pace.isActive()

    def _let_go(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job, self._case, self._grid, self._stage, self._shown = None, None, None, None, None
        self._of_case.clear()
        self._labels_pace.stop()
        self._time_pace.stop()
        self._first_of_case = self._serial + 1

    def _take_case(self) -> None:
        self._let_go()
        if not self._awake:
            return
        case = self._workspace.active
        self._case = case
        if case is not None:
            self._of_case.add(field_signal(case.view, "solo_segment_ids"), self._send_labels)
            self._of_case.add(field_signal(case.view, "time_index"), self._on_time)
        if case is None:
            self._say(_("No series is open."))
        elif reason := no_scene(case):
            self._say(_("No volume: {reason}").format(reason=reason), trouble=True)
        elif self.link.problem:
            self._say(self.link.problem, trouble=True)
        elif not case.ready:
            self._say(_("{preparing}: slices are still being read.").format(preparing=PREPARING))
        else:
            self._prepare(case)

    def _on_time(self, *_values: object) -> None:
        self._time_pace.start()

    @Slot()
    def _take_time(self) -> None:
        case = self._case
        if case is None or not case.ready or self._shown in (None, case.volume):
            return
        if self._job is not None:
            self._job.cancel()
        self._prepare(case)

    def _prepare(self, case: OpenCase) -> None:
        self._say(PREPARING)
        self.link.start()
        volume = case.volume

        def done(value: object) -> None:
            if self._case is case and isinstance(value, Grid):
                self._job, self._shown = None, volume
                self._show(value)
                if case.volume is not volume:
                    self._time_pace.start()

        def failed(error: MedViewError) -> None:
            if self._case is case:
                self._job, self._shown = None, volume
                self._say(in_language(error.sentence), trouble=True)

        job = self._workspace.runner.submit(PrepareScene(volume), Outcome(done, failed=failed))
        self._job = None if self._shown is volume else job

    def _show(self, grid: Grid) -> None:
        self._grid, self._stage = grid, grid.stage
        self.link.send(SetVolume(grid))
        self._send_preset()
        self._send_labels()

    def _send_preset(self) -> None:
        case, scene = self._case, self._workspace.scene
        if case is None or self._grid is None:
            return
        modality, unit = case.volume.modality, case.volume.unit
        preset = chosen(modality, unit, scene.preset)
        self.link.send(UsePreset(preset.shifted(shift_in_values(modality, unit, scene.opacity_shift))))
        self.changed.emit()

    @Slot()
    def _send_labels(self) -> None:
        case = self._case
        if case is None or self._grid is None:
            return
        if case.in_gesture:
            self._labels_pace.start()
            return
        wanted = self._workspace.scene.surfaces
        self.link.send(SetSurfaces(*small_labels(case.labels.segmentation, shown_in_3d(case))) if wanted else SetSurfaces())
        self.changed.emit()

    def _on_labels(self, event: LabelsChanged) -> None:
        case = self._case
        if case is not None and self._grid is not None and event.series_uid == case.key and not event.only_figures:
            self._labels_pace.start()

    def _on_load(self) -> None:
        case = self._case
        if self._awake and case is not None and case.ready and self._grid is None and self._job is None:
            self._take_case()

    def _on_orbit(self) -> None:
        self.changed.emit()

    @Slot(object)
    def _on_drawn(self, picture: Picture) -> None:
        if picture.look.serial >= self._first_of_case:
            self.words = ""
            self.drawn.emit(picture)

    @Slot(object)
    def _on_picked(self, picked: Picked) -> None:
        case = self._case
        if case is None or picked.point_lps_mm is None or picked.look.serial < self._first_of_case:
            return
        geometry = case.volume.geometry
        case.view.look_at(geometry.index_kji(picked.point_lps_mm), geometry.shape_kji)

    @Slot()
    def _on_failed(self) -> None:
        self._let_go()
        self._case = self._workspace.active
        self._say(self.link.problem, trouble=True)

    def _say(self, words: str, *, trouble: bool = False) -> None:
        self.words, self.trouble = words, trouble
        self.changed.emit()
