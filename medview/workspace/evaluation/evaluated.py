"""One evaluation from the names of a model and a dataset to its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medview.core.errors import AmbiguousError, ReadError
from medview.core.job import JobContext, JobPart
from medview.io.datasets.dataset_case import TEST
from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.inside import VOLUMES
from medview.io.reader_pool import Pool
from medview.ml.examples import ExampleSet
from medview.workspace.evaluation.comparison import compare
from medview.workspace.evaluation.evaluate import evaluate_pack, judged_classes
from medview.workspace.evaluation.foreign_examples import foreign_examples
from medview.workspace.evaluation.judging import EvaluationSettings
from medview.workspace.evaluation.openings import Openings, note_beside, note_in_project
from medview.workspace.evaluation.own_examples import SPLIT_WORDS, folder_examples, is_project, project_examples
from medview.workspace.evaluation.report import EvaluationReport
from medview.workspace.export_selection import ExportRun
from medview.workspace.models import pack_of
from medview.workspace.neutral_export import DATASET

VAL = "val"


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """What is to be judged on what.

    Attributes
    ----------
    model : str
        ``ID``, ``ID@VERSION`` or the folder of a pack.
    request : DatasetRequest
        Its source is a project or a dataset folder, or with ``form`` a foreign dataset. Without labels its images are where
        those of the project lie now.
    form : str
        Format of a foreign dataset; guessed from the files where images and labels are named apart.
    split : str
        Empty is ``val``, and everything where a foreign dataset knows no splits; ``all`` is everything.
    target : str or None
        Of classifiers: the question, where a project asks several.
    reader : str
        Whose labels of a project count.
    against : str
        Another model that is judged on the same cases and compared with; empty for none.
    """

    model: str
    request: DatasetRequest
    form: str = ""
    split: str = ""
    target: str | None = None
    reader: str = ""
    against: str = ""
    settings: EvaluationSettings = EvaluationSettings()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What came of it."""

    report: EvaluationReport
    examples: ExampleSet


def evaluate(run: EvaluationRun, context: JobContext, pool: Pool, room: Path) -> Evaluated:
    """Judge a model on labelled cases.

    Parameters
    ----------
    room : Path
        An empty folder that lasts until the report is made.

    Raises
    ------
    AmbiguousError
        When it is not clear what is meant, or the classes of both sides do not match.
    MedViewError
    """
    pack = pack_of(run.model, run.request.source)
    other = pack_of(run.against, run.request.source) if run.against else None
    packs = [pack] if other is None else [pack, other]
    part = JobPart(context, 0.0, 0.1)
    source = None if run.form or run.request.labels is not None else run.request.source
    split = SPLIT_WORDS.get(run.split.casefold(), run.split)
    if source is not None:
        split = split if run.split else VAL
        specs = [one.spec for one in packs]
        if is_project(source):
            export = ExportRun(DATASET, run.reader, images=run.request.images)
            examples = project_examples(source, split, specs, part, pool, room / "cases", run.target, export)
        else:
            examples = folder_examples(source, specs, run.target)
    else:
        channels = [channel.name for channel in pack.spec.input.channels]
        form = run.form or guessed_form(run.request)
        examples = foreign_examples(form, run.request, pack.spec.task, channels, part, pool, room)
        split = split if run.split else VAL if examples.of_split(VAL) else ""
    # Whatever can be found wrong before is found before a model runs, and before the test cases are opened.
    for one in packs:
        judged_classes(one, examples, run.settings)
    openings: Openings = ()
    if source is not None and (tested := _tested(examples, split)):
        note = note_in_project if is_project(source) else note_beside
        for one in reversed(packs):
            openings = note(source, one, tested)
    half = 1.0 if other is None else 0.55
    report = evaluate_pack(pack, examples, split, JobPart(context, 0.1, half), run.settings, openings)
    if other is not None:
        quiet = replace(run.settings, pictures=False)
        beside = evaluate_pack(other, examples, split, JobPart(context, half, 1.0), quiet)
        report = replace(report, more={**report.more, "comparison": compare(report, beside)})
    return Evaluated(report, examples)


def guessed_form(request: DatasetRequest) -> str:
    """Return which format images and labels in two folders are of, by the ends of their names.

    Raises
    ------
    ReadError
        When there is nothing of a kind that is known.
    """
    labels = request.labels
    if request.images is None or labels is None:
        raise AmbiguousError("Say what kind of dataset it is with --format.")
    names = _some_names(labels)
    if any(name.endswith(".xml") for name in names):
        return "voc"
    if any(name.endswith(VOLUMES) for name in names):
        return "nifti-pairs"
    if any(name.endswith((".png", ".jpg", ".jpeg")) for name in names):
        return "image-mask"
    raise ReadError(f"{labels.name} holds no labels of a kind that is known by its names; say which with --format.")


def _some_names(folder: Path, most: int = 5000) -> Sequence[str]:
    if folder.is_file():
        return [folder.name.lower()]
    found = []
    for path in folder.rglob("*") if folder.is_dir() else ():
        found.append(path.name.lower())
        if len(found) >= most:
            break
    return found


def _tested(examples: ExampleSet, split: str) -> int:
    """Return how many test cases are looked at."""
    return len(examples.of_split(TEST)) if split in ("", TEST) else 0
