"""A project, small series on disk and a small model, for tests of the queue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from medview.core.errors import CancelledError, MedViewError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Rescale, Volume
from medview.io.dicom.scan import scan
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.library import Library
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.project import Project
from medview.workspace.jobs import Job, JobRunner, JobStatus, Outcome, Request
from medview.workspace.pour import at_once
from medview.workspace.queue import SeriesPlace
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.ml.small_packs import small_pack

TILES = {"blend": "whole"}


def write_small_ct(folder: Path, seed: str, study: str = "") -> Path:
    """Write a series of 9 slices of 18 x 22 with a blob, different for every seed."""
    rng = np.random.default_rng(sum(seed.encode()))
    grid = np.indices((9, 18, 22)).astype(float)
    away = ((grid - rng.uniform(4, 14, 3)[:, None, None, None]) ** 2).sum(axis=0)
    stored = (900 + 900 * np.exp(-away / 30) + rng.normal(0, 20, away.shape)).astype(np.int16)
    geometry = Geometry.from_spacing((9, 18, 22), (3.0, 1.4, 1.2), (-3.0, 4.0, 50.0))
    volume = Volume(stored, geometry, modality="CT", unit="HU", rescale=Rescale(1.0, -1024.0))
    number = 1 + int(seed[1:]) if study else 1
    own = study or seed
    identity = SeriesIdentity(
        "Phantom^Queue", f"Q-{own}", series_description=f"series {seed}", seed=own, series_number=number
    )
    write_series(folder / seed, volume, identity, durable=False)
    return folder / seed


def scanned(folder: Path) -> tuple[Series, VolumeEntry]:
    """Return the one series of a folder and its volume."""
    (series,) = scan(folder, Inline()).series
    assert series.best is not None
    return series, series.best


def place_of(folder: Path) -> SeriesPlace:
    """Return the place of the one series of a folder."""
    return SeriesPlace.of(*scanned(folder))


def add_small_model(folder: Path, **changes: object) -> str:
    """Put a small model with random weights among the packs and return its key."""
    pack = small_pack(folder / "packs" / f"pack-{len(list((folder / 'packs').glob('*')))}", tiling=TILES, **changes)
    return pack.spec.key


def queue_workspace(folder: Path, runner: JobRunner, project: Project | None) -> Workspace:
    """Return a workspace with a project, whose packs are in ``folder / "packs"``."""
    registry = Registry(folder / "packs", folder / "user")
    services = Services(InlinePool(), registry, project, library=Library(folder / "cache"))
    return Workspace(runner, services)


class StepRunner:
    """Queues jobs and does them one by one when told, so that a test can act in between."""

    pump = staticmethod(at_once)

    def __init__(self) -> None:
        self.waiting: list[tuple[Job, Request, Outcome]] = []

    def submit(self, request: Request, outcome: Outcome) -> Job:
        """Take a job in; nothing is done yet."""
        job = Job(request.title, request.lane)
        item = (job, request, outcome)

        def cancel() -> None:
            if item in self.waiting:
                self.waiting.remove(item)
                job.status = JobStatus.CANCELLED
                outcome.cancelled()

        job.cancel = cancel
        self.waiting.append(item)
        return job

    def titles(self) -> list[str]:
        """What waits, oldest first."""
        return [type(request).__name__ for _, request, _ in self.waiting]

    def step(self, kind: str = "") -> bool:
        """Do the oldest job, or the oldest of a kind; False where there is none."""
        found = next((item for item in self.waiting if kind in ("", type(item[1]).__name__)), None)
        if found is None:
            return False
        self.waiting.remove(found)
        job, request, outcome = found
        job.status = JobStatus.RUNNING
        context = _Context(outcome.partial)
        try:
            value = request.run(context)
        except CancelledError:
            outcome.cancelled()
        except MedViewError as error:
            outcome.failed(error)
        else:
            job.status = JobStatus.DONE
            outcome.done(value)
        return True

    def finish(self, kind: str = "") -> None:
        """Do jobs, or those of a kind, until there are none."""
        while self.step(kind):
            pass


class _Context(Inline):
    def __init__(self, partial: Callable[[object], None]) -> None:
        super().__init__()
        self._partial = partial

    def partial(self, value: object) -> None:
        self._partial(value)
