"""Cases as a raw dataset of nnU-Net version 2 (documentation/dataset_format.md of https://github.com/MIC-DKFZ/nnUNet)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from medview.core.errors import WriteError
from medview.core.geometry import Calibration
from medview.core.job import JobContext
from medview.core.segmentation import SegmentStatus
from medview.core.volume import Volume
from medview.io import nifti
from medview.io.coco import NOTICE
from medview.io.datasets.dataset_case import TEST, TRAIN, VAL, DatasetCase, WriteOptions, category_of, many
from medview.io.datasets.nnunet_json import IGNORE
from medview.io.datasets.picture_cases import common_losses
from medview.io.datasets.value_plan import ValuePlan, on_one_map, plan_values

ENDING = ".nii.gz"
FOLDS = 5
COLOURS = ("R", "G", "B")


def nnunet_losses(cases: Sequence[DatasetCase], options: WriteOptions, context: JobContext) -> list[str]:
    """Return what nnU-Net cannot carry; cases whose labels may overlap are loaded.

    Raises
    ------
    WriteError
        When it could not be written at all.
    """
    _refuse(cases)
    plan = plan_values(cases, context)
    said: list[str] = []
    if plan.overlaps:
        met = sorted({name for meeting in plan.values if len(meeting) > 1 for name in meeting})
        said.append(
            f"{', '.join(met)} overlap: labels are written as regions, and where regions overlap in part what a model "
            "predicts comes back as one of them."
        )
    if any(category_of(segment) != segment.name for case in cases for segment in case.structures()):
        said.append("Things of one kind (Nodule 1, Nodule 2) become one label.")
    said += [
        many(count, f"In 1 case nobody drew or ruled out {name}: it counts as background there.",
             f"In {{n}} cases nobody drew or ruled out {name}: it counts as background there.")
        for name, count in _not_looked_for(cases, plan).items()
    ]  # fmt: skip
    unplaced = sum(1 for case in cases if case.geometry.calibration is not Calibration.VOLUME)
    if unplaced:
        one = "1 case states no millimetres; a pixel counts as one."
        said.append(many(unplaced, one, "{n} cases state no millimetres; a pixel counts as one."))
    boxes = sum(len(case.boxes) for case in cases)
    if boxes:
        said.append(many(boxes, "1 box is left out.", "{n} boxes are left out."))
    if folds_of(cases):
        said.append("Folds by patient stand in splits_final.json: copy it to nnU-Net's folder of the preprocessed dataset.")
    elif any(case.patient for case in cases):
        said.append("Which patient a case is of is left out: folds that nnU-Net makes itself are by case.")
    return said + [one for one in common_losses(cases) if "unsure" not in one]


def write_nnunet_dataset(
    folder: Path, cases: Sequence[DatasetCase], options: WriteOptions, context: JobContext
) -> list[tuple[str, int]]:
    """Write ``imagesTr``, ``labelsTr`` (``Ts`` for the split test) and ``dataset.json``; return case and things of each.

    Raises
    ------
    WriteError, DiskFullError
    """
    _refuse(cases)
    plan = plan_values(cases, context)
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir()
    made: list[tuple[str, int]] = []
    channels: tuple[str, ...] | None = None
    for number, case in enumerate(cases):
        context.raise_if_cancelled()
        context.progress(number / len(cases), f"Writing case {number + 1} of {len(cases)}")
        volumes = _channels(case.images())
        own = tuple(name for name, _ in _named(volumes, options))
        if channels is not None and own != channels:
            raise WriteError(f"The dataset was not written: {case.key} has other channels than the cases before.")
        channels = own
        tail = "Ts" if case.fold == TEST else "Tr"
        for part in ("images", "labels"):
            (folder / f"{part}{tail}").mkdir(exist_ok=True)
        for channel, (_, volume) in enumerate(_named(volumes, options)):
            _write_image(folder / f"images{tail}" / f"{case.key}_{channel:04d}{ENDING}", volume, case)
        made.append((case.key, _write_labels(folder / f"labels{tail}" / f"{case.key}{ENDING}", case, plan)))
    document = _document(cases, plan, channels or (), options)
    (folder / "dataset.json").write_text(json.dumps(document, indent=1, ensure_ascii=False), "utf-8")
    folds = folds_of(cases)
    if folds:
        (folder / "splits_final.json").write_text(json.dumps(folds, indent=1), "utf-8")
    return made


def folds_of(cases: Sequence[DatasetCase]) -> list[dict[str, list[str]]]:
    """Return folds as nnU-Net keeps them: the project's own where cases are to validate, else five by patient.

    None where patients are not known, or fewer than folds: nnU-Net makes its own then.
    """
    training = [case for case in cases if case.fold != TEST]
    if any(case.split == VAL for case in training):
        return [{split: [case.key for case in training if case.fold == split] for split in (TRAIN, VAL)}]
    patients = sorted({case.patient for case in training})
    if "" in patients or len(patients) < FOLDS:
        return []
    fold_of = {patient: number % FOLDS for number, patient in enumerate(patients)}
    return [
        {
            TRAIN: [case.key for case in training if fold_of[case.patient] != fold],
            VAL: [case.key for case in training if fold_of[case.patient] == fold],
        }
        for fold in range(FOLDS)
    ]


def _refuse(cases: Sequence[DatasetCase]) -> None:
    for case in cases:
        if case.geometry.sheared:
            raise WriteError(
                f"The dataset was not written: the slices of {case.key} are tilted, which nnU-Net does not read."
            )
        for segment in case.structures():
            if category_of(segment).casefold() in ("background", IGNORE):
                raise WriteError(f"The dataset was not written: {segment.name} means something else to nnU-Net; rename it.")
        if case.split and case.split not in (TRAIN, VAL, TEST):
            raise WriteError(f"The dataset was not written: nnU-Net has no split called {case.split}.")


def _channels(volumes: Sequence[Volume]) -> list[Volume]:
    """Return channels; the colours of a picture are three."""
    found: list[Volume] = []
    for volume in volumes:
        if volume.colour:
            found += [replace(volume, voxels=np.ascontiguousarray(volume.voxels[..., n])) for n in range(3)]
        else:
            found.append(volume)
    return found


def _named(volumes: Sequence[Volume], options: WriteOptions) -> list[tuple[str, Volume]]:
    if len(options.channels) == len(volumes):
        return list(zip(options.channels, volumes, strict=True))
    if len(volumes) == 3 and not options.channels and not volumes[0].modality:
        return list(zip(COLOURS, volumes, strict=True))
    # nnU-Net scales CT by its own rule, by this very name.
    return [(volume.modality or f"channel {number}", volume) for number, volume in enumerate(volumes)]


def _write_image(path: Path, volume: Volume, case: DatasetCase) -> None:
    if not volume.geometry.same_grid(case.geometry):
        raise WriteError(f"The dataset was not written: the channels of {case.key} lie on different grids.")
    if case.geometry.calibration is Calibration.VOLUME:
        nifti.write_volume(path, volume)
    else:
        # As the label map beside it: it claims no place, and a pixel is a millimetre to who asks.
        nifti.write_label_map(path, volume.voxels if volume.rescale.identity else volume.values(), volume.geometry)
    back = nifti.read_voxels(str(path))
    written = (
        volume.voxels if volume.rescale.identity or case.geometry.calibration is Calibration.VOLUME else volume.values()
    )
    if not np.array_equal(back, written, equal_nan=written.dtype.kind == "f"):
        raise WriteError(f"{path.name} was not written as it is; check the disk it goes to.")


def _write_labels(path: Path, case: DatasetCase, plan: ValuePlan) -> int:
    if case.labels is None:
        raise WriteError(f"The dataset was not written: nothing is drawn in {case.key}; leave it out.")
    segmentation = case.labels()
    if not segmentation.geometry.same_grid(case.geometry):
        raise WriteError(f"The dataset was not written: the labels of {case.key} lie on another grid than its images.")
    labels = on_one_map(segmentation, plan, case)
    nifti.write_label_map(path, labels, case.geometry)
    if not np.array_equal(nifti.read_voxels(str(path)), labels):
        raise WriteError(f"{path.name} was not written as it is; check the disk it goes to.")
    present = {value for plane in labels for value in np.unique(plane).tolist()}
    return len(present - {0})


def _document(
    cases: Sequence[DatasetCase], plan: ValuePlan, channels: tuple[str, ...], options: WriteOptions
) -> dict[str, Any]:
    labels: dict[str, Any] = {"background": 0}
    if plan.overlaps:
        order = plan.class_order()
        labels |= {name: plan.of_label(name) for name, _ in order}
    else:
        labels |= {name: plan.values[frozenset([name])] for name in plan.names}
    if plan.unsure:
        labels[IGNORE] = plan.unsure
    document: dict[str, Any] = {
        "channel_names": {str(number): name for number, name in enumerate(channels)},
        "labels": labels,
        "numTraining": sum(1 for case in cases if case.fold != TEST),
        "file_ending": ENDING,
        "name": options.name,
        "description": NOTICE,
    }
    if plan.overlaps:
        document["regions_class_order"] = [value for _, value in order]
    return document


def _not_looked_for(cases: Sequence[DatasetCase], plan: ValuePlan) -> dict[str, int]:
    """Return in how many cases a label is neither drawn nor said to be absent."""
    counts: Counter[str] = Counter()
    for case in cases:
        known = {category_of(s) for s in case.structures() if s.absent or s.status is not SegmentStatus.TO_DO}
        counts.update(name for name in plan.names if name not in known)
    return dict(counts)
