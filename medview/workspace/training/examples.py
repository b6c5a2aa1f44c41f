"""A dataset folder as the examples a model learns from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from medview.core.errors import AmbiguousError, ModelError, ReadError
from medview.core.geometry import Geometry
from medview.core.label_set import LabelSet
from medview.core.reading_status import ReadingStatus
from medview.core.segmentation import COLOUR_CYCLE
from medview.core.source import SourceKind
from medview.core.volume import Volume
from medview.io.datasets.checksums import CHECKSUMS
from medview.io.datasets.dataset_case import TRAIN, many
from medview.io.datasets.neutral import SCHEMA
from medview.io.datasets.neutral_read import NeutralDataset, StoredCase
from medview.io.label_sets import read_label_set
from medview.ml.examples import MOST_CLASSES, Example, ExampleSet, TrainingClass, TrueBox, Trust, Truth, case_key, slice_key
from medview.ml.packs import sha256_of
from medview.ml.spec import COLOUR_CHANNELS, Task
from medview.ml.texts import different
from medview.workspace.training.answers import answer_set
from medview.workspace.training.channels import grey_channels
from medview.workspace.training.leaks import without
from medview.workspace.training.masks import class_of, mask_truth, overlaps

DIFFICULT = "difficult"
"""The attribute of boxes, as PASCAL VOC has it, that nobody is asked to find."""

CLASS = "Class"
"""What one is called, with its number, whose name has no letter to show."""

LONGEST_ANSWER = 80
"""Letters that packs take of an option of a question; of what is drawn they take 64."""

REVIEWED = ("done", "approved")
"""Statuses of cases a person has finished."""


def examples_of(
    dataset: NeutralDataset, task: Task, target: str | None = None, *, reviewed_only: bool = False
) -> ExampleSet:
    """Return a dataset as examples for a task; voxels and labels are read when they are asked for.

    Parameters
    ----------
    target : str, optional
        Classification: what to learn, see ``answer_set``. An interactive model learns from the masks of a segmentation.
    reviewed_only : bool
        Leave out cases that nobody marked done.

    Raises
    ------
    AmbiguousError
        When it is not clear what is to be learnt.
    ModelError
        When there is nothing to learn from.
    ReadError
        When the folder is damaged.
    """
    if target is not None and task is not Task.CLASSIFICATION:
        raise AmbiguousError(f"--target is for classification; a {task} is learnt of all that is drawn.")
    unfinished = [case for case in dataset.cases if str(case.said.get("status")) not in REVIEWED] if reviewed_only else []
    not_done = _left_out(
        len(unfinished), "1 case is left out: it is not done.", "{n} cases are left out: they are not done."
    )
    if unfinished:
        dataset = replace(dataset, cases=tuple(case for case in dataset.cases if case not in unfinished))
    count = 3 if any(case.said["image"]["channels"] == 3 for case in dataset.cases) else 1
    try:
        if task is Task.CLASSIFICATION:
            found = _classified(dataset, count, target)
        elif task is Task.DETECTION:
            found = _boxed(dataset, count)
        else:
            found = _masked(dataset, task, count)
    except (KeyError, TypeError, IndexError) as error:
        raise ReadError(
            f"{dataset.folder.name} is damaged; export it again.", detail=f"{type(error).__name__}: {error}"[:200]
        ) from error
    if not found.examples:
        raise ModelError(f"{dataset.folder.name} holds nothing to learn a {task} from.")
    return replace(
        found,
        by_patient=all(case.patient for case in dataset.cases),
        splits_sha256=str(dataset.facts["splits_sha256"]),
        dataset_sha256=sha256_of(dataset.folder / CHECKSUMS),
        licence=str(dataset.facts["licence"] or ""),
        warnings=(*(str(one) for one in dataset.facts["warnings"]), *not_done, *found.warnings),
    )


def approved_of(dataset: NeutralDataset, examples: ExampleSet) -> ExampleSet:
    """Return the examples of a dataset that are of approved cases, with a warning of how many are not."""
    approved = {case.key for case in dataset.cases if case.said.get("status") == ReadingStatus.APPROVED.value}
    keys = {example.key for example in examples.examples if case_key(example.key) not in approved}
    told = _left_out(
        len({case_key(key) for key in keys}),
        "1 case is left out: it is not approved.",
        "{n} cases are left out: they are not approved.",
    )
    return replace(without(examples, keys), warnings=(*examples.warnings, *told))


def _masked(dataset: NeutralDataset, task: Task, count: int) -> ExampleSet:
    drawn = [case for case in dataset.cases if any(class_of(segment) for segment in case.said["segments"])]
    known = {class_of(segment) for case in drawn for segment in case.said["segments"] if segment["voxels"]}
    kept = [entry for entry in dataset.facts["classes"] if entry["name"] in known]
    if not kept:
        raise ModelError(f"Nothing is drawn by masks in {dataset.folder.name}; draw what is to be learnt first.")
    if len(kept) > MOST_CLASSES:
        raise ModelError(f"{len(kept)} classes are drawn in {dataset.folder.name}; at most {MOST_CLASSES} can be learnt.")
    numbers = {str(entry["name"]): number for number, entry in enumerate(kept, start=1)}
    warnings = _left_out(
        len(dataset.cases) - len(drawn),
        "1 case is left out: no masks are drawn in it.",
        "{n} cases are left out: no masks are drawn in them.",
    )
    if gone := [str(entry["name"]) for entry in dataset.facts["classes"] if entry["name"] not in known]:
        warnings.append(f"Not learnt, since nobody drew them: {', '.join(gone)}.")
    examples = [
        _example(case, count, _masks_of(case, numbers), [s for s in case.said["segments"] if class_of(s)]) for case in drawn
    ]
    exclusive = not any(overlaps(case, numbers) for case in drawn)
    named = zip(kept, different([str(entry["name"]) for entry in kept], CLASS), strict=True)
    classes = tuple(_class(name, n, entry["colour"], entry["code"]) for n, (entry, name) in enumerate(named))
    return ExampleSet(
        task, classes, _channels(drawn, count), tuple(examples), exclusive=exclusive, warnings=tuple(warnings)
    )


def _masks_of(case: StoredCase, numbers: Mapping[str, int]) -> Callable[[], Truth]:
    return lambda: mask_truth(case, numbers)


def _boxed(dataset: NeutralDataset, count: int) -> ExampleSet:
    names = [str(name) for name in dataset.facts["box_classes"]]
    if not names:
        raise ModelError(f"No boxes are drawn in {dataset.folder.name}; draw what is to be learnt first.")
    colours = {str(entry["name"]): (entry["colour"], entry["code"]) for entry in dataset.facts["classes"]}
    whole = [case for case in dataset.cases if case.said["done_slices"] is None]
    warnings = _left_out(
        len(dataset.cases) - len(whole),
        "1 case is left out: boxes are drawn on some of its slices only.",
        "{n} cases are left out: boxes are drawn on some of their slices only.",
    )
    numbers = {name: number for number, name in enumerate(names, start=1)}
    examples = [_example(case, count, _boxes_of(case, numbers), list(_box_documents(case))) for case in whole]
    named = zip(names, different(names, CLASS), strict=True)
    classes = tuple(_class(short, n, *colours.get(name, (None, None))) for n, (name, short) in enumerate(named))
    return ExampleSet(Task.DETECTION, classes, _channels(whole, count), tuple(examples), warnings=tuple(warnings))


def _box_documents(case: StoredCase) -> Iterable[Mapping[str, Any]]:
    return (thing for thing in case.said["drawn"] if thing["kind"] == "box")


def _boxes_of(case: StoredCase, numbers: Mapping[str, int]) -> Callable[[], Truth]:
    def truth() -> Truth:
        boxes = []
        for thing in _box_documents(case):
            low, high = (tuple(float(n) for n in thing[key]) for key in ("min_kji", "max_kji"))
            words = {str(a["name"]).casefold(): str(a["value"]).casefold() for a in thing["attributes"]}
            difficult = words.get(DIFFICULT, "no") not in ("no", "0", "0.0", "false", "")
            boxes.append(TrueBox(numbers[thing["label"]], (low[0], low[1], low[2]), (high[0], high[1], high[2]), difficult))
        return Truth(boxes=tuple(boxes))

    return truth


def _classified(dataset: NeutralDataset, count: int, target: str | None) -> ExampleSet:
    schema = dataset.folder / SCHEMA
    label_set = read_label_set(schema) if schema.is_file() else LabelSet("", ())
    found = answer_set(dataset.cases, label_set.forms, target)
    said = len({one.case.key for one in found.answered})
    warnings = _left_out(
        len(dataset.cases) - said,
        "1 case is left out: nothing is answered in it.",
        "{n} cases are left out: nothing is answered in them.",
    )
    names = dict(zip(found.classes, different(found.classes, CLASS, LONGEST_ANSWER), strict=True))
    examples = []
    for one in found.answered:
        answers = {names[name]: share for name, share in one.answers.items()}
        made = _example(one.case, count, _answers_of(answers), one.case.said["image_labels"])
        examples.append(made if one.k is None else _of_slice(made, one.k))
    classes = tuple(_class(name, n, None, None) for n, name in enumerate(names.values()))
    cases = [one.case for one in found.answered]
    return ExampleSet(
        Task.CLASSIFICATION,
        classes,
        _channels(cases, count),
        tuple(examples),
        exclusive=found.exclusive,
        of_slices=any(one.k is not None for one in found.answered),
        warnings=tuple(warnings),
        target=found.target,
    )


def _answers_of(answers: Mapping[str, float]) -> Callable[[], Truth]:
    return lambda: Truth(answers=answers)


def _example(case: StoredCase, count: int, truth: Callable[[], Truth], sources: Sequence[Mapping[str, Any]]) -> Example:
    return Example(
        key=case.key,
        patient=case.patient,
        split=case.split or TRAIN,
        volumes=lambda: grey_channels(case.image(), count),
        truth=truth,
        pixels_sha256=str(case.said["pixels_sha256"] or ""),
        trust=_trust(sources, str(case.said["status"])),
    )


def _of_slice(example: Example, k: int) -> Example:
    return replace(
        example,
        key=slice_key(example.key, k),
        volumes=lambda: tuple(one_slice(volume, k) for volume in example.volumes()),
        # The pixels of a slice are not those of the case; same pictures of two patients are looked for by their voxels.
        pixels_sha256="",
    )


def one_slice(volume: Volume, k: int) -> Volume:
    """Return a volume of one slice of another, where that lies."""
    affine = np.array(volume.geometry.affine_lps)
    affine[:3, 3] += affine[:3, 0] * k
    geometry = Geometry((1, *volume.geometry.shape_kji[1:]), affine, "", volume.geometry.calibration)
    return replace(volume, voxels=volume.voxels[k : k + 1], geometry=geometry, sop_instance_uids=())


def _trust(sources: Sequence[Mapping[str, Any]], status: str) -> Trust:
    """Return how labels came about; ``sources`` are documents with what is known of where each comes from."""
    for one in sources:
        source = one.get("source")
        if isinstance(source, Mapping) and source["kind"] == SourceKind.MODEL.value and not source["corrected"]:
            return Trust.ACCEPTED if status in REVIEWED else Trust.UNREVIEWED
    return Trust.HUMAN


def _class(name: object, position: int, colour: Any, code: Any) -> TrainingClass:
    red, green, blue = colour or COLOUR_CYCLE[position % len(COLOUR_CYCLE)]
    coded = None if code is None else {key: str(value) for key, value in code.items()}
    return TrainingClass(str(name), (int(red), int(green), int(blue)), coded)


def _channels(cases: Sequence[StoredCase], count: int) -> tuple[str, ...]:
    if count == len(COLOUR_CHANNELS):
        return COLOUR_CHANNELS
    modalities = {str(case.said["image"]["modality"]) for case in cases}
    only = modalities.pop() if len(modalities) == 1 else ""
    return (only or "image",)


def _left_out(count: int, one: str, several: str) -> list[str]:
    return [many(count, one, several)] if count else []


def dataset_folder(path: Path) -> bool:
    """Whether a folder is a dataset folder, not a project."""
    return (path / CHECKSUMS).is_file() and not (path / "project.db").is_file()
