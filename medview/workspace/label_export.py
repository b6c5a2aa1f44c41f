"""The labels of a project as label files under pseudonyms: DICOM SEG, RTSTRUCT, 3D Slicer's NRRD or NIfTI."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from medview.core.annotations import BoxAnnotation, ImageLabel, Trace
from medview.core.case_labels import CaseLabels
from medview.core.errors import CancelledError, DiskFullError, MedViewError, WriteError
from medview.core.geometry import Calibration
from medview.core.job import JobContext, JobPart
from medview.core.segmentation import LabelLayer, Segment, Segmentation, SegmentRole
from medview.io.datasets.checksums import write_checksums
from medview.io.datasets.data_card import write_card
from medview.io.datasets.dataset_case import many
from medview.io.datasets.new_folder import new_folder
from medview.io.dicom.rtstruct_writer import write_rtstruct
from medview.io.dicom.seg import RESEARCH_USE, write_seg
from medview.io.drawn_json import DrawnSheet, drawn_document
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.label_files import read_on, write_names
from medview.io.nifti import write_label_map
from medview.io.reader_pool import Pool
from medview.io.seg_nrrd_write import write_seg_nrrd
from medview.store.codec_scores import encode_image_label
from medview.store.project import Project
from medview.workspace.answers_table import ProjectAnswers
from medview.workspace.export_selection import ChosenReading, ExportRun, Selection, pixels_of, select_cases
from medview.workspace.exports import write_json
from medview.workspace.flatten import flatten

NOT_DEIDENTIFIED = (
    "Names, numbers and dates of patients are replaced by pseudonyms; whose they are is told by the project alone. What "
    "was typed as a name of a label, an answer or a comment, and what stands in the pixels, was not looked through."
)

_NAMES = {"nifti": "labels.nii.gz", "nrrd": "labels.seg.nrrd", "seg": "labels.dcm", "rtstruct": "labels.dcm"}
LABEL_FORMS = tuple(_NAMES)
"""A file, or several, for each case."""
_FATAL = (CancelledError, DiskFullError)
_ON_IMAGES = ("seg", "rtstruct")
"""They point at the images they were drawn on."""


def label_losses(form: str, chosen: Selection) -> tuple[str, ...]:
    """Return what a format cannot carry of the cases, before anything is written."""
    said: list[str] = []
    segments = [segment for one in chosen.chosen for segment in one.case.segments]
    if form in _ON_IMAGES:
        bare = sum(1 for one in chosen.chosen if _no_dicom(one))
        said += _counted(
            bare,
            "1 case is left out: its images are no DICOM series with positions; write NIfTI or a dataset.",
            "{n} cases are left out: their images are no DICOM series with positions; write NIfTI or a dataset.",
        )
        said += _counted(
            sum(1 for s in segments if s.role is SegmentRole.IGNORE),
            "1 unsure segment becomes one like the others.",
            "{n} unsure segments become ones like the others.",
        )
        said += _counted(
            sum(1 for s in segments if s.absent),
            "That 1 segment was looked for and not found is only told by export.json.",
            "That {n} segments were looked for and not found is only told by export.json.",
        )
    if form == "nrrd":
        unplaced = sum(1 for one in chosen.chosen if _no_nrrd(one))
        said += _counted(
            unplaced,
            "1 case is left out: its slices are tilted or have no positions, which NRRD cannot hold.",
            "{n} cases are left out: their slices are tilted or have no positions, which NRRD cannot hold.",
        )
    if form == "nifti":
        if any(segment.code is not None or segment.source.model_id for segment in segments):
            said.append("Codes of segments and the models they come from are only told by export.json.")
        if any(len({s.layer_id for s in one.case.segments}) > 1 for one in chosen.chosen):
            said.append("Where segments overlap there are several label maps for a case.")
    said += _counted(
        sum(1 for one in chosen.chosen if one.case.marks is not None),
        "1 case is drawn on some slices only, as export.json says: elsewhere what is not drawn is unknown.",
        "{n} cases are drawn on some slices only, as export.json says: elsewhere what is not drawn is unknown.",
    )
    said += _counted(
        sum(one.measured for one in chosen.chosen),
        "1 measurement or key image is left out; boxes, points and lines are in boxes.json.",
        "{n} measurements and key images are left out; boxes, points and lines are in boxes.json.",
    )
    return (*said, NOT_DEIDENTIFIED)


def export_labels(
    run: ExportRun, project: Project, output: Path, context: JobContext, pool: Pool, told: Callable[[Sequence[str]], None]
) -> dict[str, Any]:
    """Write a folder with a label file for each case, whole or not at all; every file is read back and compared.

    Parameters
    ----------
    told : callable
        Gets what the format cannot carry, before anything is written.

    Returns
    -------
    dict
        ``format``, ``written``, ``cases`` with their files, ``left_out``, ``warnings``; the same is in ``export.json``.

    Raises
    ------
    MedViewError
        When nothing could be written. What is wrong with one case is a warning, and that case is left out.
    """
    chosen = select_cases(run, project, JobPart(context, 0.0, 0.2), pool)
    losses = (*chosen.notes, *label_losses(run.form, chosen))
    told(losses)
    warnings: list[str] = []
    answers = ProjectAnswers(project, warnings, with_images=False)
    cases: list[dict[str, Any]] = []
    kept: list[ChosenReading] = []
    with new_folder(output, overwrite=run.options.overwrite) as draft:
        for number, one in enumerate(chosen.chosen):
            context.raise_if_cancelled()
            part = JobPart(context, 0.2 + 0.8 * number / len(chosen.chosen), 0.2 + 0.8 * (number + 1) / len(chosen.chosen))
            part.progress(0.0, f"Writing case {number + 1} of {len(chosen.chosen)}")
            if (run.form in _ON_IMAGES and _no_dicom(one)) or (run.form == "nrrd" and _no_nrrd(one)):
                continue
            labels = one.labels()
            folder = draft / one.case.key
            folder.mkdir()
            try:
                files = _write_case(run.form, folder, one, labels, part, pool, warnings)
            except MedViewError as error:
                if isinstance(error, _FATAL):
                    raise
                warnings.append(f"{one.case.key}: {error.sentence}")
                shutil.rmtree(folder)
                continue
            answers.add(one.case.key, one.images.key, labels)
            if not files:
                folder.rmdir()
            kept.append(one)
            cases.append({**case_document(one, labels), "files": [f"{one.case.key}/{name}" for name in files]})
        if not cases:
            raise WriteError(warnings[0] if warnings else "Nothing was written: no case fits this format.")
        said = [*losses, *warnings]
        document: dict[str, Any] = {
            "format": run.form,
            "written": len(cases),
            "cases": cases,
            "left_out": chosen.left_out.document(),
            "warnings": said,
            "notice": RESEARCH_USE,
        }
        if named := answers.write(draft):
            document["answers"] = named
        write_json(draft / "export.json", document)
        write_card(draft, run.form, [one.case for one in kept], run.options, said)
        write_checksums(draft)
    return document


def case_document(one: ChosenReading, labels: CaseLabels) -> dict[str, Any]:
    """Return what is said of a case beside its files: no name, number, date or path of a patient."""
    geometry = one.case.geometry
    marks = labels.marks
    return {
        "case": one.case.key,
        "patient": one.case.patient or None,
        "split": one.case.split or None,
        **one.counts.document,
        "status": one.state.status.value,
        "done_slices": {name: list(marks.done(axis)) for axis, name in enumerate("kji")} if one.case.marks else None,
        "segments": [segment_document(segment, labels.segmentation) for segment in labels.segmentation.segments],
        "image_labels": [
            {"label": a.label, "probability": a.probability, "source": a.source.title, **_said_of(a)}
            for a in labels.annotations.values()
            if isinstance(a, ImageLabel)
        ],
        "shape_kji": list(geometry.shape_kji),
    }


def _said_of(label: ImageLabel) -> dict[str, Any]:
    """Return what an image label says, without the numbers that an archive knows the image by."""
    said = encode_image_label(label)
    return {key: value for key, value in said.items() if key != "sop_instance_uid"}


def segment_document(segment: Segment, segmentation: Segmentation) -> dict[str, Any]:
    """Return all that is known of a segment, whatever its file can hold."""
    source = segment.source
    return {
        "name": segment.name,
        "group": segment.group or None,
        "layer": segment.layer_id,
        "value": segment.value,
        "colour": list(segment.colour),
        "code": None
        if segment.code is None
        else {"value": segment.code.value, "scheme": segment.code.scheme, "meaning": segment.code.meaning},
        "role": segment.role.value,
        "status": segment.status.value,
        "absent": segment.absent,
        "voxels": segmentation.count(segment),
        "source": {
            "kind": source.kind.value,
            "model": source.model_id or None,
            "version": source.model_version or None,
            "sha256": source.model_sha256 or None,
            "corrected": source.corrected,
        },
    }


def sheet_document(one: ChosenReading, labels: CaseLabels) -> dict[str, Any] | None:
    """Return boxes, points and lines as ``io.drawn_json`` reads them, without UIDs; None where there are none."""
    things = tuple(
        replace(a, sop_instance_uid="") for a in labels.annotations.values() if isinstance(a, BoxAnnotation | Trace)
    )
    if not things:
        return None
    geometry = replace(one.case.geometry, frame_of_reference_uid="")
    return drawn_document(DrawnSheet(geometry, things, pixels_sha256=one.images.pixels_sha256))


def _write_case(
    form: str,
    folder: Path,
    one: ChosenReading,
    labels: CaseLabels,
    context: JobContext,
    pool: Pool,
    warnings: list[str],
) -> list[str]:
    """Write the files of a case and return their names; all of them are read back."""
    files: list[str] = []
    segmentation = labels.segmentation
    if segmentation.segments:
        path = folder / _NAMES[form]
        if form == "nifti":
            files += _write_maps(path, segmentation, one.images.pixels_sha256)
        elif form == "nrrd":
            write_seg_nrrd(path, segmentation, one.images.pixels_sha256)
            _compare(path, segmentation, Target(segmentation.geometry))
            files.append(path.name)
        else:
            notes = _write_on_images(form, path, one, segmentation, context, pool)
            warnings += [f"{one.case.key}: {note}" for note in notes]
            files.append(path.name)
    sheet = sheet_document(one, labels)
    if sheet is not None:
        write_json(folder / "boxes.json", sheet)
        files.append("boxes.json")
    return files


def _write_maps(path: Path, segmentation: Segmentation, pixels: str) -> list[str]:
    """Write label maps, a further one for each layer that would overlap what is there; return the names of all files."""
    names: list[str] = []
    for number, part in enumerate(maps_of(segmentation), start=1):
        own = path if number == 1 else path.with_name(f"labels-{number}.nii.gz")
        (layer,) = part.layers.values()
        write_label_map(own, layer.voxels, part.geometry)
        names += [own.name, write_names(own, part.segments, pixels).name]
        _compare(own, part, None)
    return names


def maps_of(segmentation: Segmentation) -> list[Segmentation]:
    """Return the segments on one label map, or a map for each of their layers where some overlap."""
    try:
        voxels, segments = flatten(segmentation)
    except WriteError:
        return [_map_of(segmentation, layer_id) for layer_id in dict.fromkeys(s.layer_id for s in segmentation.segments)]
    return [Segmentation(segmentation.geometry, {0: LabelLayer(0, voxels)}, segments)]


def _map_of(segmentation: Segmentation, layer_id: int) -> Segmentation:
    """Return one layer alone; numbers that no segment has are none of its labels."""
    own = [segment for segment in segmentation.segments if segment.layer_id == layer_id]
    table = np.zeros(256, dtype=np.uint8)
    for segment in own:
        table[segment.value] = segment.value
    voxels = table[segmentation.layer(layer_id).voxels]
    return Segmentation(segmentation.geometry, {0: LabelLayer(0, voxels)}, [replace(s, layer_id=0) for s in own])


def _write_on_images(
    form: str, path: Path, one: ChosenReading, segmentation: Segmentation, context: JobContext, pool: Pool
) -> tuple[str, ...]:
    if one.images.pixels_sha256:
        pixels_of(one, pool)
    series, entry = one.find()
    pseudonym = one.case.patient or one.case.key
    pixels = one.images.pixels_sha256
    uids = one.images.sources.sop_instance_uids
    if form == "rtstruct":
        return write_rtstruct(
            path,
            segmentation,
            entry.frames,
            interpreter=one.counts.who,
            pixels_sha256=pixels,
            pseudonym=pseudonym,
            context=context,
        )
    notes = write_seg(
        path,
        segmentation,
        [Path(name) for name in entry.dicom_paths],
        instances=uids,
        pixels_sha256=pixels,
        pseudonym=pseudonym,
        creator=one.counts.who,
    )
    if any(segmentation.count(segment) for segment in segmentation.segments):
        _compare(path, segmentation, Target(segmentation.geometry, series.series_uid, series.study_uid, uids))
    return notes


def _compare(path: Path, segmentation: Segmentation, target: Target | None) -> None:
    """Raise WriteError unless a file gives back every voxel of every segment."""
    try:
        back = read_on(str(path), target)
    except MedViewError as error:
        raise _other(path) from error
    for segment, read in _paired(segmentation, back, path):
        mine = segmentation.layer(segment.layer_id).voxels
        if read is None:
            if (mine == segment.value).any():
                raise _other(path)
            continue
        theirs = back.layers[read.layer_id]
        # Slice by slice, since whole masks of a large volume would be held twice.
        if any(((m == segment.value) != (t == read.value)).any() for m, t in zip(mine, theirs, strict=True)):
            raise _other(path)


def _paired(segmentation: Segmentation, back: ImportedLabels, path: Path) -> list[tuple[Segment, Segment | None]]:
    """Return each segment with what came back of it; None where nothing did."""
    if path.name.endswith(".nii.gz"):
        of_value = {segment.value: segment for segment in back.segments}
        return [(segment, of_value.get(segment.value)) for segment in segmentation.segments]
    of_id = {segment.segment_id: segment for segment in back.segments}
    head = "seg" if path.suffix == ".dcm" else "segment"
    return [(segment, of_id.get(f"{head}-{n}")) for n, segment in enumerate(segmentation.segments, start=1)]


def _other(path: Path) -> WriteError:
    return WriteError(f"{path.name} was not written: what was written did not read back the same; check the disk.")


def _no_dicom(one: ChosenReading) -> bool:
    return not one.images.sources.sop_instance_uids or one.case.geometry.calibration is not Calibration.VOLUME


def _no_nrrd(one: ChosenReading) -> bool:
    return one.case.geometry.sheared or one.case.geometry.calibration is not Calibration.VOLUME


def _counted(count: int, one: str, several: str) -> list[str]:
    return [many(count, one, several)] if count else []
