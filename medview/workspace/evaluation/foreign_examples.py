"""A labelled dataset of another program as examples that a model is judged on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medview.core.attributes import Attributes
from medview.core.errors import ModelError, ReadError
from medview.core.job import JobContext, JobPart
from medview.core.language import _
from medview.core.scores import Said
from medview.core.segmentation import COLOUR_CYCLE, SegmentRole
from medview.core.volume import Volume
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, FoundLabels
from medview.io.datasets.reading import load_image, load_labels
from medview.io.datasets.table import list_dataset
from medview.io.datasets.unpack import in_arrays, unpack_images
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.reader_pool import Pool
from medview.ml.examples import UNKNOWN, Example, ExampleSet, TrainingClass, TrueBox, Truth
from medview.ml.spec import COLOUR_CHANNELS, Task
from medview.workspace.training.channels import grey_channels

DIFFICULT = "difficult"
"""The attribute of boxes that nobody is asked to find."""


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """Where examples are read from.

    Attributes
    ----------
    colours : bool
        Whether pictures become three grey channels, red, green and blue.
    numbers : mapping of str to int
        Class -> its number.
    pseudonyms : mapping of str to str
        Key of a patient in the dataset -> what it is called in the report. Cases keep the names of their files: whoever
        judges a model wants to open the worst.
    """

    pool: Pool
    task: Task
    colours: bool
    numbers: Mapping[str, int]
    pseudonyms: Mapping[str, str]

    def example(self, case: ForeignCase) -> Example:
        patient = self.pseudonyms.get(case.patient, "")
        return Example(case.key, patient, case.split, lambda: self.volumes(case), lambda: self.truth(case))

    def volumes(self, case: ForeignCase) -> tuple[Volume, ...]:
        images = [load_image(image, self.pool, grey=not self.colours) for image in case.images]
        if len(images) > 1:
            return tuple(images)
        return grey_channels(images[0], len(COLOUR_CHANNELS) if self.colours else 1)

    def truth(self, case: ForeignCase) -> Truth:
        """Return the labels on the grid of the image."""
        target = Target.of(load_image(case.images[0], self.pool)) if case.images[0].series_uid else None
        found = load_labels(case, target, self.pool)
        if self.task is Task.DETECTION:
            return Truth(boxes=tuple(_boxes(found, self.numbers)))
        if self.task is Task.CLASSIFICATION:
            said = {Said.PRESENT.value: 1.0, Said.ABSENT.value: 0.0}
            return Truth(answers={one.label: said[one.says] for one in found.answers if one.says in said})
        return _masks(found, self.numbers)


def foreign_examples(
    form: str, request: DatasetRequest, task: Task, channels: Sequence[str], context: JobContext, pool: Pool, folder: Path
) -> ExampleSet:
    """Return a dataset of another program as examples; images and labels are read when they are asked for.

    Parameters
    ----------
    form : str
        One of ``io.datasets.table.FORMATS``.
    channels : sequence of str
        What the model looks at: pictures in colour are taken apart where it wants red, green and blue.
    pool : Pool
        Where files are parsed; has to last as long as the examples.
    folder : Path
        Empty, lasts as long as the examples: images that stand in one array file become files there.

    Raises
    ------
    MedViewError
        When the dataset cannot be read, or holds no labels of this kind.
    """
    dataset = list_dataset(form, request, JobPart(context, 0.0, 0.3), pool)
    if in_arrays(dataset):
        dataset = unpack_images(dataset, folder / "images", JobPart(context, 0.3, 0.8), pool)
    labelled = [case for case in dataset.cases if case.labels is not None]
    names = _names(dataset, labelled, task, JobPart(context, 0.8, 1.0), pool)
    if not names:
        raise ModelError(f"The dataset holds no labels for {task.value}; choose another model or another --format.")
    colours = tuple(channels) == COLOUR_CHANNELS
    patients = [one for one in dict.fromkeys(case.patient for case in labelled) if one]
    pseudonyms = {patient: f"P{number:04d}" for number, patient in enumerate(patients, start=1)}
    source = _Source(pool, task, colours, {name: n for n, name in enumerate(names, start=1)}, pseudonyms)
    warnings = list(dataset.notes)
    if without := len(dataset.cases) - len(labelled):
        warnings.append(f"{without} images are left out: nobody labelled them.")
    classes = tuple(TrainingClass(name, COLOUR_CYCLE[n % len(COLOUR_CYCLE)]) for n, name in enumerate(names))
    return ExampleSet(
        task,
        classes,
        _channels(labelled, colours=colours),
        tuple(source.example(case) for case in labelled),
        by_patient=dataset.patients_known,
        exclusive=dataset.exclusive,
        warnings=tuple(warnings),
    )


def _channels(cases: Sequence[ForeignCase], *, colours: bool) -> tuple[str, ...]:
    count = max((len(case.images) for case in cases), default=1)
    if count > 1:
        return tuple(f"image {n}" for n in range(1, count + 1))
    return COLOUR_CHANNELS if colours else ("image",)


def _names(
    dataset: ForeignDataset, cases: Sequence[ForeignCase], task: Task, context: JobContext, pool: Pool
) -> tuple[str, ...]:
    """Return the classes of a dataset; where it does not list them, those of all its labels, which are read once."""
    if dataset.label_names:
        return tuple(dict.fromkeys(dataset.label_names))
    found: dict[str, None] = {}
    for number, case in enumerate(cases):
        context.raise_if_cancelled()
        text = _("Looking at the labels of case {number} of {count}").format(number=number + 1, count=len(cases))
        context.progress(number / len(cases), text)
        labels = load_labels(case, None, pool)
        found |= dict.fromkeys(_named(labels, task))
    return tuple(sorted(found))


def _named(found: FoundLabels, task: Task) -> Iterable[str]:
    if task is Task.DETECTION:
        return [box.label for box in found.boxes]
    if task is Task.CLASSIFICATION:
        return [answer.label for answer in found.answers]
    segments = () if found.masks is None else found.masks.segments
    return [_class_of(one.name, one.group) for one in segments if one.role is SegmentRole.STRUCTURE]


def _masks(found: FoundLabels, numbers: Mapping[str, int]) -> Truth:
    if found.masks is None:
        raise ReadError("The labels of a case are no masks; it was left out.")
    layers = np.zeros((max(1, len(found.masks.layers)), *found.geometry.shape_kji), dtype=np.uint8)
    for layer, (layer_id, voxels) in zip(layers, sorted(found.masks.layers.items()), strict=False):
        layer[...] = _table(found.masks, layer_id, numbers)[voxels]
    # What nobody is sure of is unknown whatever else is drawn there.
    layers[:, (layers == UNKNOWN).any(axis=0)] = UNKNOWN
    return Truth(layers)


def _table(masks: ImportedLabels, layer_id: int, numbers: Mapping[str, int]) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    table = np.zeros(256, dtype=np.uint8)
    for segment in masks.segments:
        if segment.layer_id == layer_id:
            unsure = segment.role is SegmentRole.IGNORE
            table[segment.value] = UNKNOWN if unsure else numbers.get(_class_of(segment.name, segment.group), 0)
    return table


def _class_of(name: str, group: str) -> str:
    head, _, number = name.rpartition(" ")
    return group if group and head == group and number.isdigit() else name


def _boxes(found: FoundLabels, numbers: Mapping[str, int]) -> Iterable[TrueBox]:
    for box in found.boxes:
        if box.label in numbers:
            low, high = (tuple(float(n) for n in corner) for corner in box.bounds_kji(found.geometry))
            difficult = _is_difficult(box.attributes)
            yield TrueBox(numbers[box.label], (low[0], low[1], low[2]), (high[0], high[1], high[2]), difficult)


def _is_difficult(attributes: Attributes) -> bool:
    said = {one.name.casefold(): str(one.value).casefold() for one in attributes}
    return said.get(DIFFICULT, "no") not in ("no", "0", "0.0", "false", "")
