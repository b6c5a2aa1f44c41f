"""Predictions and labels as files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from medview.core.annotations import BoxAnnotation
from medview.core.atomic import replacing
from medview.core.errors import DiskFullError, MedViewError, WriteError
from medview.core.geometry import Calibration, Geometry
from medview.core.pixel_hash import pixels_sha256
from medview.core.prediction import Prediction
from medview.core.segmentation import LabelLayer, Segment, Segmentation
from medview.core.volume import Volume
from medview.io.dicom.seg import RESEARCH_USE, write_seg
from medview.io.label_files import refuse_other_names, write_names
from medview.io.nifti import write_label_map
from medview.io.placed import unplaced_note
from medview.workspace.flatten import flatten
from medview.workspace.score_files import said_document, score_document

OUTPUT_NAMES = ("labels.nii.gz", "labels.json", "labels.dcm", "boxes.json", "scores.json", "heat.nii.gz", "summary.json")
"""Everything a prediction is written to, but for label maps after the first."""

_FURTHER = re.compile(r"labels-[0-9]+\.(nii\.gz|json)")


def refuse_sources(target: Path, sources: Iterable[str | Path]) -> None:
    """Raise WriteError when a file to be written is one of those that are read: sources are never modified."""
    if target.exists() and any(Path(source).exists() and target.samefile(source) for source in sources):
        raise WriteError(f"{target.name} is one of the source files, which MedView never changes; choose another name.")


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Raise WriteError when an output folder holds something already, unless ``overwrite``; nothing is made."""
    if folder.exists() and not folder.is_dir():
        raise WriteError(f"{folder} is a file; choose a folder to write to.")
    try:
        used = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise _no_access(folder, error) from error
    if used and not overwrite:
        raise WriteError(f"{folder} is not empty; choose another folder or say --overwrite.")


def prepare_folder(folder: Path, *, overwrite: bool) -> None:
    """Make an output folder. Raises WriteError when it holds something already, unless ``overwrite``, or cannot be made."""
    check_folder(folder, overwrite=overwrite)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_access(folder, error) from error


def _no_access(folder: Path, error: OSError) -> WriteError:
    return WriteError(f"{folder} cannot be written to; choose another folder.", detail=str(error))


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """Write a JSON document whole or not at all."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as file:
        file.write(text.encode())


def write_prediction(
    prediction: Prediction, volume: Volume, source: Sequence[Path], folder: Path, extra_warnings: Sequence[str] = ()
) -> dict[str, object]:
    """Write what a model found into ``folder`` and return summary.json's document.

    ``labels.nii.gz`` and, for DICOM input, ``labels.dcm`` hold masks; ``boxes.json`` boxes; ``scores.json`` scores. Where
    segments share voxels, those that do not fit into one label map follow in ``labels-2.nii.gz`` and so on.

    Parameters
    ----------
    source : sequence of Path
        The DICOM files of the series; empty for other input.
    """
    outputs: list[Path] = []
    warnings = list(extra_warnings)
    if prediction.mask is not None:
        pixels = pixels_sha256(volume)
        segmentation = segmentation_of(prediction)
        for n, layer in segmentation.layers.items():
            path = folder / ("labels.nii.gz" if n == 0 else f"labels-{n + 1}.nii.gz")
            write_label_map(path, layer.voxels, segmentation.geometry)
            outputs += [path, write_names(path, [s for s in segmentation.segments if s.layer_id == n], pixels)]
        warnings += [note for note in [unplaced_note(segmentation.geometry, "labels.nii.gz")] if note]
        drawn = any(layer.voxels.any() for layer in segmentation.layers.values())
        if source and volume.geometry.calibration is Calibration.VOLUME and drawn:
            try:
                warnings += write_seg(
                    folder / "labels.dcm",
                    segmentation,
                    source,
                    instances=volume.sop_instance_uids,
                    pixels_sha256=pixels,
                )
                outputs.append(folder / "labels.dcm")
            except DiskFullError:
                raise
            except MedViewError as error:
                # Not every series can be pointed at, and what was found is in the label map.
                warnings.append(error.sentence)
    if prediction.task == "detection":
        boxes = {"boxes": [box_document(box, volume.geometry) for box in prediction.boxes], "notice": RESEARCH_USE}
        write_json(folder / "boxes.json", boxes)
        outputs.append(folder / "boxes.json")
    if prediction.task == "classification":
        write_json(folder / "scores.json", {**score_document(prediction), "notice": RESEARCH_USE})
        outputs.append(folder / "scores.json")
    summary = summary_document(prediction, outputs, warnings)
    write_json(folder / "summary.json", summary)
    return summary


def summary_document(
    prediction: Prediction, outputs: Sequence[Path], extra_warnings: Sequence[str] = ()
) -> dict[str, object]:
    """Return the documented JSON of a prediction."""
    counts = {value: count for mask in prediction.masks for value, count in mask.counts().items()}
    ml_per_voxel = prediction.geometry.voxel_volume_mm3 / 1000.0
    in_mm = prediction.geometry.calibration is Calibration.VOLUME
    stages = ("load", "prepare", "infer", "finish", "write")
    return {
        "model": prediction.source.model_id,
        "version": prediction.source.model_version,
        "task": prediction.task,
        "device": prediction.device,
        "source_series": prediction.series_uid,
        "seconds": {stage: round(float(prediction.seconds.get(stage, 0.0)), 4) for stage in stages},
        "peak_memory_mb": round(prediction.peak_memory_mb, 1),
        "segments": [
            {
                "name": s.name,
                "value": s.value,
                "voxels": counts.get(s.value, 0),
                "volume_ml": counts.get(s.value, 0) * ml_per_voxel if in_mm else None,
            }
            for mask in prediction.masks
            for s in mask.segments
        ],
        "boxes": [box_document(box, prediction.geometry) for box in prediction.boxes],
        "scores": dict(prediction.scores),
        **said_document(prediction),
        "outputs": [str(path) for path in outputs],
        "warnings": [
            *prediction.warnings,
            *extra_warnings,
            *([prediction.notice] if prediction.notice else []),
            RESEARCH_USE,
        ],
    }


def box_document(box: BoxAnnotation, geometry: Geometry) -> dict[str, object]:
    """Return one box as the documented JSON: half-open index box at voxel edges, and the enclosing box in the patient."""
    in_mm = geometry.calibration is Calibration.VOLUME
    low_kji, high_kji = box.bounds_kji(geometry)
    low_mm, high_mm = box.enclosing_lps_mm()
    return {
        "label": box.label,
        "score": box.score,
        "space": "lps_mm" if in_mm else "index",
        "min_kji": [round(float(n), 4) for n in low_kji],
        "max_kji": [round(float(n), 4) for n in high_kji],
        "min_lps_mm": list(low_mm) if in_mm else None,
        "max_lps_mm": list(high_mm) if in_mm else None,
    }


def segmentation_of(prediction: Prediction) -> Segmentation:
    """Return the masks of a prediction as a segmentation on the same grid, a layer each, with the model's own values."""
    shape, source = prediction.geometry.shape_kji, prediction.source
    layers = {n: LabelLayer.drawn(n, mask.on_grid(shape)) for n, mask in enumerate(prediction.masks)}
    segments = [
        Segment(f"{source.job_id}-{s.value}", s.name, s.colour, n, s.value, s.code, source=source)
        for n, mask in enumerate(prediction.masks)
        for s in mask.segments
    ]
    return Segmentation(prediction.geometry, layers, segments)


def write_named_map(path: Path, segmentation: Segmentation, pixels: str = "") -> list[str]:
    """Write a segmentation as one NIfTI label map and, beside it, the names of its values; return both file names.

    Parameters
    ----------
    pixels : str
        Hash of the pixels it was drawn on (``core.pixel_hash``), where known.

    Raises
    ------
    WriteError
        When segments overlap, which one label map cannot carry.
    """
    refuse_other_names(path)
    labels, segments = flatten(segmentation)
    write_label_map(path, labels, segmentation.geometry)
    return [path.name, write_names(path, segments, pixels).name]


def remove_outputs(folder: Path) -> None:
    """Remove what an earlier run left in an output folder that is about to be written again.

    Raises
    ------
    WriteError
        When it cannot be removed.
    """
    further = [path.name for path in folder.glob("labels-*") if _FURTHER.fullmatch(path.name)]
    try:
        for name in (*OUTPUT_NAMES, *further):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise _no_access(folder, error) from error
