"""A case that is kept in a project, opened on the way the window opens one; and the same work without any project."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medview.core.geometry import Geometry
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.io.library import Library
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.entry import Entry
from medview.store.journal import Ticket
from medview.store.project import Project
from medview.workspace.hands import Hands
from medview.workspace.jobs import InlineRunner
from medview.workspace.keeping import StoredCase, load_stored, tie_pixels
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase, Step
from medview.workspace.operations.open import make_case, restore
from medview.workspace.requests import OpenedSeries, ReadSeries
from medview.workspace.scheme import Scheme
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.helpers.annotating import Annotator, fingerprint

SHAPE_KJI = (14, 66, 80)
READER = "Ada"
LITTLE_BALLAST_BYTES = 1 << 18


Images = tuple[Series, VolumeEntry, Volume]


def images() -> Images:
    """Return an oblique, anisotropic series of two bricks by two, without files."""
    a, b = np.deg2rad(12.0), np.deg2rad(-7.0)
    turn_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn_z @ turn_x @ np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=float) * np.array([2.5, 0.9, 0.6])
    affine[:3, 3] = (-31.0, 17.0, -203.0)
    return series_of(Geometry(SHAPE_KJI, affine, "1.2.3"))


def series_of(geometry: Geometry) -> Images:
    """Return a series on a grid whose values go up and down along the rows."""
    row = (np.arange(geometry.shape_kji[2], dtype=np.int16) * 97 % 2000) - 1000
    voxels = np.broadcast_to(row, geometry.shape_kji)
    volume = Volume(voxels, geometry, modality="CT", unit="HU", series_uid="1.2.3.4", study_uid="1.2.3.3")
    entry = VolumeEntry(Verdict.VOLUME, (), geometry, geometry.shape_kji, ())
    return Series("1.2.3.4", "1.2.3.3", modality="CT", volumes=(entry,)), entry, volume


@dataclass(frozen=True, slots=True)
class Kept:
    """A case that is open, with what it is kept in."""

    project: Project
    stored: StoredCase
    workspace: Workspace
    hands: Hands
    case: OpenCase

    @property
    def seq(self) -> int:
        """Rows the case had on disk when it was opened."""
        assert self.stored.loaded is not None
        return self.stored.loaded.seq

    def annotator(self, seed: int) -> Annotator:
        """Return somebody who works on it."""
        return Annotator(self.workspace, self.hands, seed)


def open_kept(project: Project, of: Images | None = None) -> Kept:
    """Open the case of a series in a project as the window does: load, tie the pixels, restore, keep."""
    series, entry, volume = of or images()
    stored = load_stored(project, series, entry, volume)
    tie = tie_pixels(project, stored, volume, ())
    workspace, case = _workspace(series, entry, volume, stored, project)
    case.reading = False
    restore(case, workspace.services, stored, ReadSeries(tie.other_pixels, tie.unsure))
    return Kept(project, stored, workspace, Hands(workspace, Scheme.load()), case)


def tickets_of(project: Project, also: Callable[[Ticket], object] = lambda _ticket: None) -> list[Ticket]:
    """Return a list that gets the ticket of every row from now on; ``also`` gets it too."""
    tickets: list[Ticket] = []
    append = project.journal.append

    def appended(reading_id: int, entry: Entry) -> Ticket:
        ticket = append(reading_id, entry)
        tickets.append(ticket)
        also(ticket)
        return ticket

    project.journal.append = appended  # type: ignore[method-assign]
    return tickets


class Mirror:
    """The same script without a project: what the case has to be after each row.

    Attributes
    ----------
    states : list of str
        Fingerprint after row n, row 0 being the empty case.
    next_step : int
        The step that follows the newest row.
    """

    def __init__(self, seed: int, of: Images | None = None) -> None:
        series, entry, volume = of or images()
        workspace, self.case = _workspace(series, entry, volume, StoredCase(), None)
        self.case.reading = False
        self.case.record = self._record
        self._annotator = Annotator(workspace, Hands(workspace, Scheme.load()), seed)
        self.states = [fingerprint(self.case)]
        self.next_step = 0

    def go_to(self, seq: int) -> str:
        """Work on until row ``seq`` is made; return the fingerprint after it."""
        while len(self.states) <= seq:
            self._annotator.step(self.next_step)
            self.next_step += 1
        return self.states[seq]

    def _record(self, _step: Step) -> None:
        self.states.append(fingerprint(self.case))


def _workspace(
    series: Series, entry: VolumeEntry, volume: Volume, stored: StoredCase, project: Project | None
) -> tuple[Workspace, OpenCase]:
    nowhere = Path(tempfile.gettempdir()) / "medview-no-packs"
    services = Services(InlinePool(), Registry(nowhere, nowhere), project, library=Library(nowhere))
    workspace = Workspace(InlineRunner(), services)
    # What correcting took is noted at moments of its own, which no script foresees; tests/workspace/test_efforts.py has it.
    workspace.efforts._to_measure = lambda _case: None  # type: ignore[method-assign]
    case = make_case(series, entry, OpenedSeries(volume, stored, LoadState(volume.geometry.shape_kji[0])))
    case.load.mark_all_ready()
    workspace.add_case(case)
    return workspace, case
