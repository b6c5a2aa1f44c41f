"""The cases of a project, or of a dataset folder, as examples that a model is judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from medview.core.errors import ReadError
from medview.core.job import JobContext
from medview.io.datasets.neutral_read import NeutralDataset, read_neutral
from medview.io.reader_pool import Pool
from medview.ml.examples import Example, ExampleSet, TrainingClass, Truth
from medview.ml.spec import ModelSpec, Task
from medview.store.project import Project
from medview.store.project_folder import DATABASE_NAME
from medview.workspace.evaluation.matching import counterparts, model_classes
from medview.workspace.export_selection import ExportRun
from medview.workspace.neutral_export import DATASET, export_neutral, keep_splits
from medview.workspace.training.examples import dataset_folder, examples_of

SPLIT_WORDS = {"validation": "val", "training": "train", "all": ""}
"""What people may say for a split; empty is every case."""


def is_project(path: Path) -> bool:
    """Whether a folder is a project; one that may not be looked at is none."""
    try:
        return (path / DATABASE_NAME).is_file()
    except OSError:
        return False


def folder_examples(folder: Path, specs: Sequence[ModelSpec], target: str | None = None) -> ExampleSet:
    """Return the examples of a dataset folder.

    Parameters
    ----------
    specs : sequence of ModelSpec
        Of the models that are judged; the first says the task.
    target : str, optional
        Classification: the question that is asked.

    Raises
    ------
    MedViewError
        When it is none, or damaged, or holds nothing for the model's task.
    """
    if not folder.is_dir() or not dataset_folder(folder):
        raise ReadError(f"{folder.name} is no project and no dataset folder; name one, or say what it is with --format.")
    return _examples(read_neutral(folder), specs, target)


def project_examples(
    path: Path,
    split: str,
    specs: Sequence[ModelSpec],
    context: JobContext,
    pool: Pool,
    folder: Path,
    target: str | None = None,
    export: ExportRun | None = None,
) -> ExampleSet:
    """Return the reviewed cases of a split of a project: they are written into an empty folder, and read from there.

    Splits that are made on the way are kept by the project.

    Parameters
    ----------
    split : str
        ``train``, ``val`` or ``test``; empty for all.
    specs : sequence of ModelSpec
        Of the models that are judged; the first says the task.
    folder : Path
        Does not exist yet, and lasts as long as the examples.
    export : ExportRun, optional
        Whose labels count, and where the images lie now.

    Raises
    ------
    MedViewError
        When nothing in the project is reviewed, or its images are gone.
    """
    run = export or ExportRun(DATASET)
    with Project.open(path, read_only=True) as project:
        _, planned = export_neutral(run, project, folder, context, pool, lambda _said: None, only=(split,) if split else ())
    if planned.made:
        with Project.open(path) as project:
            keep_splits(project, planned.made)
    return _examples(read_neutral(folder, check=False), specs, target)


def _examples(dataset: NeutralDataset, specs: Sequence[ModelSpec], target: str | None) -> ExampleSet:
    found = examples_of(dataset, specs[0].task, target, reviewed_only=True)
    for spec in specs:
        found = _with_known_classes(found, dataset, spec)
    return found


def _with_known_classes(examples: ExampleSet, dataset: NeutralDataset, spec: ModelSpec) -> ExampleSet:
    """Return examples with the classes of the model that the labels know and nobody drew here.

    They are nowhere; of masks only where somebody ruled them out, and open in the other cases.
    """
    facts, mine = dataset.facts, model_classes(spec)
    codes = {str(entry["name"]): entry["code"] for entry in facts["classes"]}
    there = {one.name for one in examples.classes}
    known = [name for name in dict.fromkeys([*codes, *facts["box_classes"], *facts["image_classes"]]) if name not in there]
    others = [TrainingClass(name, code=_code(codes.get(name))) for name in known]
    # Among all there are: a kidney that nobody drew here may have the code of the other one, which somebody did.
    every = [*examples.classes, *others]
    more = [every[number - 1] for number in sorted(counterparts(mine, every).values()) if number > len(examples.classes)]
    found = replace(examples, classes=(*examples.classes, *more))
    if examples.task not in (Task.SEGMENTATION, Task.INTERACTIVE):
        return found
    numbers = {one.name: number for number, one in enumerate(more, start=len(examples.classes) + 1)}
    unknown = {
        case.key: frozenset(numbers[name] for name in case.said["unknown"] if name in numbers) for case in dataset.cases
    }
    return replace(found, examples=tuple(_with_open(one, unknown[one.key]) for one in found.examples))


def _with_open(example: Example, classes: frozenset[int]) -> Example:
    """Return an example that leaves more classes open."""
    if not classes:
        return example

    def truth() -> Truth:
        known = example.truth()
        return replace(known, open_classes=known.open_classes | classes)

    return replace(example, truth=truth)


def _code(said: Mapping[str, object] | None) -> Mapping[str, str] | None:
    return None if said is None else {key: str(value) for key, value in said.items()}
