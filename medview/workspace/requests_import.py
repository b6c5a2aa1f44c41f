"""Frozen descriptions of looking at labelled datasets and taking them into a project."""

from __future__ import annotations

from dataclasses import dataclass, field

from medview.core.job import JobContext
from medview.core.language import _
from medview.io.datasets.reading import load_image
from medview.io.label_files import READ_TIMEOUT_S
from medview.io.other_grid import Placing, placings
from medview.io.reader_pool import Pool
from medview.store.project import Project
from medview.workspace.dataset_import import ImportRun, import_dataset
from medview.workspace.dataset_import_report import ImportReport
from medview.workspace.dataset_look import DatasetLook, LookedCase, look_at_dataset, target_of
from medview.workspace.jobs import Lane
from medview.workspace.operations.other_grid import Choice, pictures_of
from medview.workspace.presets import auto_window, needs_auto_window, opening_window


@dataclass(frozen=True, slots=True)
class LookAtDataset:
    """Request: what a dataset holds and what of it fits; nothing is written."""

    run_of: ImportRun
    project: Project
    pool: Pool
    title: str = field(default=_("Looking at the dataset"))
    lane: Lane = field(default=Lane.READ)

    def run(self, context: JobContext) -> DatasetLook:
        """Look. Raises MedViewError."""
        return look_at_dataset(self.run_of, self.project, context, self.pool)


@dataclass(frozen=True, slots=True, eq=False)
class LookClosely:
    """Request: pictures of where the labels of one case would come down."""

    case: LookedCase
    pool: Pool
    title: str = field(default=_("Looking where labels lie"))
    lane: Lane = field(default=Lane.READ)

    def run(self, context: JobContext) -> tuple[Choice, ...]:
        """Read and draw. Raises MedViewError where nothing can be offered."""
        placed = self.case.placed
        assert placed is not None
        found: tuple[Placing, ...] = self.pool.call(
            placings, self.case.label_path, target_of(placed), timeout_s=READ_TIMEOUT_S
        )
        context.raise_if_cancelled()
        volume = load_image(placed.case.images[0], self.pool, context)
        middle = volume.geometry.shape_kji[0] // 2
        window = auto_window(volume, middle) if needs_auto_window(volume) else opening_window(volume)
        return tuple(Choice(one, pictures_of(volume, window, one.labels)) for one in found)


@dataclass(frozen=True, slots=True)
class ImportDataset:
    """Request: a dataset taken into a project, as somebody decided about what did not fit."""

    run_of: ImportRun
    project: Project
    pool: Pool
    lane: Lane = field(default=Lane.WRITE)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Importing into {name}").format(name=self.project.name)

    def run(self, context: JobContext) -> ImportReport:
        """Import. Raises MedViewError; what came in before stays."""
        return import_dataset(self.run_of, self.project, context, self.pool)
