"""What a labelled dataset holds before anything of it comes into a project: counts, matches, and what does not fit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from medview.core.errors import CancelledError, MedViewError, OtherGridError
from medview.core.job import JobContext, JobPart
from medview.core.language import _
from medview.io.datasets.dicom_labels import DicomLabels
from medview.io.datasets.foreign import ForeignCase, FoundLabels
from medview.io.datasets.masks import MaskFile
from medview.io.datasets.reading import load_labels
from medview.io.datasets.unpack import in_arrays
from medview.io.imported_labels import Target
from medview.io.reader_pool import Pool
from medview.io.series_reader import sop_instance_uids
from medview.store.project import Project
from medview.workspace.dataset_import import ImportRun, listed, placed_cases
from medview.workspace.dataset_import_report import ImportReport
from medview.workspace.label_intake import PlacedCase


@dataclass(frozen=True, slots=True, eq=False)
class LookedCase:
    """One case of a dataset.

    Attributes
    ----------
    image, labels : str
        Names of the files; the second is empty where nobody labelled it.
    case_id : int
        Of the case in the project whose images these are; 0 where it would be a new one.
    names : tuple of str
        What is drawn or said in it.
    problem : str
        Why its labels cannot be taken in as they are; empty where they can.
    misplaced : bool
        They lie on another grid: where they would come down can be looked at.
    placed : PlacedCase or None
        The images, where they have files of their own.
    """

    key: str
    image: str
    labels: str = ""
    case_id: int = 0
    names: tuple[str, ...] = ()
    problem: str = ""
    misplaced: bool = False
    placed: PlacedCase | None = None

    @property
    def label_path(self) -> str:
        """Path of the file with its labels; empty where there is none."""
        case = self.placed.case if self.placed is not None else None
        return case.labels.path if case is not None and case.labels is not None else ""


@dataclass(frozen=True, slots=True, eq=False)
class DatasetLook:
    """What a dataset holds.

    Attributes
    ----------
    patients : int
        How many are known; 0 where nothing says.
    names : Counter
        In how many cases each thing is drawn or said.
    notes : tuple of str
        Sentences for the person.
    """

    form: str
    cases: tuple[LookedCase, ...]
    patients: int
    split_by: str
    splits: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> int:
        """How many of the cases are in the project already."""
        return sum(case.case_id > 0 for case in self.cases)

    @property
    def labelled(self) -> int:
        """How many have labels that can be taken in as they are."""
        return sum(bool(case.labels) and not case.problem for case in self.cases)

    @property
    def misplaced(self) -> tuple[LookedCase, ...]:
        """Those on which somebody has to decide."""
        return tuple(case for case in self.cases if case.misplaced)

    @property
    def wrong(self) -> tuple[LookedCase, ...]:
        """Those whose labels cannot be taken in."""
        return tuple(case for case in self.cases if case.problem and not case.misplaced)


def look_at_dataset(run: ImportRun, project: Project, context: JobContext, pool: Pool) -> DatasetLook:
    """List a dataset, find its images among the cases of a project, and read every label file to see whether it fits.

    Nothing is written.

    Raises
    ------
    MedViewError
        When a file of the dataset is wrong: the sentence names it.
    """
    dataset = listed(run, project, JobPart(context, 0.0, 0.2), pool)
    splits = Counter(case.split for case in dataset.cases if case.split)
    if in_arrays(dataset):
        # Without files of their own there is nothing to match, and what is said of each stands in the list.
        cases = tuple(LookedCase(case.key, case.key, _labels_of(case)) for case in dataset.cases)
        listed_names = Counter(dict.fromkeys(dataset.label_names, 0))
        return DatasetLook(run.form, cases, dataset.patients, dataset.split_by, splits, listed_names, dataset.notes)
    report = ImportReport(run.form)
    placed, _beside = placed_cases(dataset, JobPart(context, 0.2, 0.5), pool, report)
    ids = {(row.series_uid, row.shape_kji): row.case_id for row in project.cases()}
    looked: list[LookedCase] = []
    names: Counter[str] = Counter()
    part = JobPart(context, 0.5, 1.0)
    for number, one in enumerate(placed):
        part.raise_if_cancelled()
        text = _("Looking at case {number} of {count}").format(number=number + 1, count=len(placed))
        part.progress(number / len(placed), text)
        case_id = ids.get((one.series.series_uid, one.entry.shape_kji), 0)
        looked.append(_looked(one, case_id, pool))
        names.update(set(looked[-1].names))
    notes = (*dataset.notes, *report.warnings)
    return DatasetLook(run.form, tuple(looked), dataset.patients, dataset.split_by, splits, names, notes)


def target_of(one: PlacedCase) -> Target:
    """Return the grid and the images that labels of a case have to fit, without its voxels."""
    geometry = one.entry.geometry
    assert geometry is not None
    return Target(geometry, one.series.series_uid, one.series.study_uid, sop_instance_uids(one.entry))


def _looked(one: PlacedCase, case_id: int, pool: Pool) -> LookedCase:
    image = Path(one.stored.sources.paths[0]).name if one.stored.sources.paths else one.case.key
    image = one.series.description or image if one.case.images[0].series_uid else image
    labels = _labels_of(one.case)
    if one.case.labels is None:
        return LookedCase(one.case.key, image, case_id=case_id, placed=one)
    try:
        found = load_labels(one.case, target_of(one), pool)
    except CancelledError:
        raise
    except MedViewError as error:
        movable = isinstance(error, OtherGridError) and isinstance(one.case.labels, MaskFile | DicomLabels)
        problem = error.sentence
        return LookedCase(one.case.key, image, labels, case_id, problem=problem, misplaced=movable, placed=one)
    return LookedCase(one.case.key, image, labels, case_id, _names(found), placed=one)


def _labels_of(case: ForeignCase) -> str:
    return Path(case.labels.path).name if case.labels is not None else ""


def _names(found: FoundLabels) -> tuple[str, ...]:
    drawn = found.masks.segments if found.masks is not None else ()
    names = [segment.group or segment.name for segment in drawn if not segment.absent]
    names += [box.label for box in found.boxes]
    names += [answer.label for answer in found.answers if answer.says != "absent"]
    return tuple(dict.fromkeys(names))
