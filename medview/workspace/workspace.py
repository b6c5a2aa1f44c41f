"""Everything open now."""

from __future__ import annotations

from dataclasses import replace

from psygnal import Signal

from medview.core.errors import MedViewError
from medview.core.language import in_language
from medview.core.plane import Plane
from medview.core.registration import Registration
from medview.core.study import ScanResult, Series
from medview.workspace.arrival import Arrival
from medview.workspace.case_list import CaseList
from medview.workspace.corners import CornerLines, default, of_settings
from medview.workspace.differences import Differences
from medview.workspace.effects import Effects
from medview.workspace.efforts import Efforts
from medview.workspace.events import LabelsChanged, Message, Severity, WayOut
from medview.workspace.form_book import FormBook
from medview.workspace.fusion import without_case
from medview.workspace.jobs import JobRunner
from medview.workspace.layout import EMPTY, FOLLOWS
from medview.workspace.model_queue import ModelQueue
from medview.workspace.next_cases.state import NextCases
from medview.workspace.open_case import OpenCase
from medview.workspace.owners import Patient, patient_of
from medview.workspace.pointer import Pointer
from medview.workspace.prompting import Prompting
from medview.workspace.reviewing import Reviewing
from medview.workspace.scene_view import SceneView
from medview.workspace.services import Services
from medview.workspace.settings import Settings
from medview.workspace.tour import Waiting
from medview.workspace.trainings import Trainings
from medview.workspace.view_state import Bench


class Workspace:
    """The mutable document: what was scanned, which cases are open, which one is active.

    Lives on one thread; there are no locks. Views listen to its signals and to those of the active OpenCase.
    """

    studies_changed = Signal()
    """The list of scanned series changed."""
    active_changed = Signal()
    case_closing = Signal(OpenCase)
    """What is finished and not written yet has to be written now."""
    """Another case, or none, is shown."""
    cases_changed = Signal()
    """A case was opened or closed, or one that was asked for does not come."""
    labels_changed = Signal(LabelsChanged)
    """Labels of an open case changed."""
    history_changed = Signal()
    """The undo stack of the active case changed."""
    load_changed = Signal()
    """Slices of the active case arrived."""
    looked_elsewhere = Signal()
    """A shown case is looked at in another place."""
    misplaced = Signal(object)
    """Labels lie on another grid than the active case (``operations.other_grid.Misplaced``); somebody has to decide."""
    models_changed = Signal()
    """Packs were added or removed."""
    settings_changed = Signal()
    """Preferences changed and have to be written."""
    message = Signal(Message)
    message_over = Signal(Message)
    """What a message was about is over."""
    """One line for the person."""

    def __init__(self, runner: JobRunner, services: Services, settings: Settings | None = None) -> None:
        self.runner = runner
        self.services = services
        self.settings = settings or Settings()
        self.bench = Bench(brush_radius_mm=self.settings.brush_radius_mm, corners=of_settings(self.settings.corners))
        self.scene = SceneView()
        self.scans: dict[str, ScanResult] = {}
        self.cases: dict[str, OpenCase] = {}
        self.active: OpenCase | None = None
        self.patients: list[Patient] = []
        """Of the cases opened since nothing was open, in that order."""
        self.registrations: dict[tuple[str, str], Registration] = {}
        """Found in this session, by the keys of the case that stays and of the one that is moved, open or not."""
        self.model_choices: dict[tuple[str, str], tuple[tuple[str, ...], int]] = {}
        """Series given to models of several channels in this session, and the channel the result came on, by the key of
        each of them and that of the pack."""
        self.pointer: Pointer | None = None
        """Where the hand is on a picture, or None."""
        self.waiting = Waiting()
        self.opening: set[str] = set()
        """Series that are asked for and not open yet."""
        self.effects = Effects(self)
        self.prompting = Prompting(self)
        self.differences = Differences(self)
        self.queue = ModelQueue(self)
        self.efforts = Efforts(self)
        self.forms = FormBook(self)
        self.worklist = CaseList(self)
        self.reviewing = Reviewing(self)
        self.trainings = Trainings(self)
        self.next_cases = NextCases(self)
        self.arrival = Arrival(self)

    @property
    def series(self) -> list[Series]:
        """All series found so far, in the order they were found; each once."""
        found = {series.series_uid: series for scan in self.scans.values() for series in scan.series}
        return list(found.values())

    def add_scan(self, place: str, result: ScanResult) -> None:
        """Record what a scan of ``place`` found, replacing an earlier scan of it."""
        self.scans[place] = result
        self.studies_changed.emit()

    def add_case(self, case: OpenCase, pane_id: str = "") -> None:
        """Take an opened case in and show it, in a certain pane where panes hold cases of their own."""
        known = self.patients if self.cases else []
        self.patients = list(dict.fromkeys((*known, patient_of(case.series))))
        self.cases[case.key] = case
        case.pump = self.runner.pump
        case.failed.connect(self.report)
        case.labels_changed.connect(self._on_labels)
        case.history_changed.connect(self._on_history)
        case.load_changed.connect(self._on_load)
        self.show(case.key, pane_id)
        self.cases_changed.emit()

    def show(self, key: str, pane_id: str = "") -> None:
        """Make an open case the active one.

        Where panes hold cases of their own it goes into the named one, else, unless it is shown already, into the first
        empty one, else into the one that was pressed last.
        """
        self.active = self.cases[key]
        layout = self.bench.layout
        full = not any(cell.case_key == EMPTY for cell in layout.slices)
        if not pane_id and full and not self.is_shown(key) and layout.cell(self.bench.chosen) is not None:
            pane_id = self.bench.chosen
        self.bench.layout = layout.with_case(key, pane_id)
        self.active_changed.emit()

    def is_shown(self, key: str) -> bool:
        """Whether a case stands in any pane."""
        return any(case.key == key for case in self.shown_cases)

    def choose(self, pane_id: str) -> None:
        """Make a pane the one that was pressed last, and its case the active one."""
        self.bench.chosen = pane_id
        case = self.case_in(pane_id)
        if case is not None and case is not self.active:
            self.active = case
            self.active_changed.emit()

    def case_in(self, pane_id: str) -> OpenCase | None:
        """Return the case a pane shows, or None; a pane that is not in the layout shows the active one."""
        cell = self.bench.layout.cell(pane_id)
        if cell is None or cell.case_key == FOLLOWS:
            return self.active
        return self.cases.get(cell.case_key)

    def plane_in(self, pane_id: str) -> Plane:
        """Return the plane a pane looks along."""
        cell = self.bench.layout.cell(pane_id)
        if cell is not None and cell.plane is not None:
            return cell.plane
        case = self.case_in(pane_id)
        return Plane.AXIAL if case is None else case.acquired_plane

    @property
    def looked_at(self) -> OpenCase | None:
        """The case under the pointer, or the active one: what keys for looking act on."""
        return self.case_in(self.bench.pointed) or self.active

    @property
    def shown_cases(self) -> list[OpenCase]:
        """The cases that stand in panes, each once, in the order of the panes."""
        found = {case.key: case for cell in self.bench.layout.slices if (case := self.case_in(cell.pane_id))}
        return list(found.values())

    def close_case(self, key: str) -> None:
        """Forget an open case; its labels are in the project."""
        self.case_closing.emit(self.cases[key])
        self.bench.layout = self.bench.layout.without_case(key)
        case = self.cases.pop(key)
        case.stop_reading()
        case.figures.stop()
        case.settle()
        case.failed.disconnect()
        case.labels_changed.disconnect()
        case.history_changed.disconnect()
        case.load_changed.disconnect()
        self.bench.fusions = without_case(self.bench.fusions, key)
        if self.active is case:
            self.active = None
            # Panels speak of the active case: one that can be seen, if there is any.
            self.active = next(reversed(self.shown_cases or list(self.cases.values())), None)
            self.active_changed.emit()
        self.cases_changed.emit()

    def remember(self, place: str) -> None:
        """Put a place first among the recent ones."""
        self.settings = self.settings.with_recent(place)
        self.settings_changed.emit()

    def use_corners(self, corners: CornerLines) -> None:
        """Put other lines into the corners of all pictures, and remember them."""
        self.bench.corners = corners
        self.settings = replace(self.settings, corners={} if corners == default() else corners.as_document())
        self.settings_changed.emit()

    def say(
        self, text: str, severity: Severity = Severity.INFO, *, undo: bool = False, way_out: WayOut | None = None
    ) -> Message:
        """Tell the person one line and return it; a sentence made in English is put into the language in use."""
        told = Message(in_language(text), severity, undo, way_out)
        self.message.emit(told)
        return told

    def unsay(self, told: Message) -> None:
        """Take a line away, should it still stand: what it was about is over."""
        self.message_over.emit(told)

    def report(self, error: MedViewError, way_out: WayOut | None = None) -> None:
        """Tell the person what went wrong, and what can be done about it with one press."""
        self.say(error.sentence, Severity.ERROR, way_out=way_out)

    # Connected as methods: asked to connect another signal's emit, psygnal calls it with a number to see what it takes.
    def _on_labels(self, event: LabelsChanged) -> None:
        self.labels_changed.emit(event)

    def _on_history(self) -> None:
        self.history_changed.emit()

    def _on_load(self) -> None:
        self.load_changed.emit()
