"""Labels from any file MedView reads: DICOM SEG and RTSTRUCT, NIfTI and NRRD label maps.

A NIfTI or NRRD label map may have a companion ``NAME.json`` beside it that names its values and the pixels it was made on::

    {"labels": [{"value": 1, "name": "Lung", "colour": [86, 180, 233]}], "pixels_sha256": "<core.pixel_hash>"}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.atomic import replacing
from medview.core.errors import GeometryError, OtherGridError, ReadError, WriteError
from medview.core.geometry import Calibration, Geometry
from medview.core.pixel_hash import is_pixels_sha256, same_pixels
from medview.core.segmentation import COLOUR_CYCLE, VALUES_PER_LAYER, LabelArray, Segment
from medview.core.source import Source, SourceKind
from medview.core.volume import Volume
from medview.io import nifti
from medview.io.dicom.header import SEGMENTATIONS, STRUCTURE_SET, read_header
from medview.io.dicom.rtstruct import read_rtstruct
from medview.io.dicom.seg import read_seg
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.plain_files import describe, read_voxels
from medview.io.reader_pool import InlinePool, Pool
from medview.io.seg_nrrd import is_seg_nrrd, read_seg_nrrd
from medview.io.sniff import Kind, sniff

READ_TIMEOUT_S = 120.0
"""A label file is read whole."""

SAME_PLACE_VOXELS = 0.1
"""How far corners of a label map may lie from those of the image; NIfTI stores single precision."""

__all__ = ["ImportedLabels", "from_map", "is_label_file", "names_beside", "read_labels", "read_on", "write_names"]


def is_label_file(path: Path) -> bool:
    """Whether a file can only be read as labels: a SEG, an RTSTRUCT, a .seg.nrrd. Other NIfTI and NRRD may be images."""
    if path.is_dir() or not path.exists():
        return False
    kind = sniff(str(path))
    if kind is not Kind.DICOM:
        return kind is Kind.NRRD and is_seg_nrrd(str(path))
    return read_header(str(path)).sop_class_uid in SEGMENTATIONS | {STRUCTURE_SET}


def read_labels(path: Path, reference: Volume | None = None, pool: Pool | None = None) -> ImportedLabels:
    """Read labels, on the grid of ``reference`` where one is given.

    Parameters
    ----------
    pool : Pool, optional
        Where the file is parsed; inline unless given.

    Raises
    ------
    GeometryError
        When the labels belong to another series or grid, or say themselves that they were made on other pixels.
    ReadError
        When the file is damaged or holds no labels.
    """
    belongs = Target.of(reference) if reference is not None else None
    found: ImportedLabels = (pool or InlinePool()).call(read_on, str(path), belongs, timeout_s=READ_TIMEOUT_S)
    if reference is not None and found.pixels_sha256:
        if not same_pixels(reference, found.pixels_sha256):
            raise GeometryError(_other_pixels(path))
        # The same pixels have to lie where they lay, or the labels would come down on others of them.
        lay = found.drawn_on
        tolerance_mm = SAME_PLACE_VOXELS * min(reference.geometry.spacing_kji_mm)
        if lay is not None and not lay.same_grid(reference.geometry, tolerance_mm):
            raise GeometryError(_elsewhere(path))
    return found


def _other_pixels(path: Path) -> str:
    sentence = f"{path.name} was made on other images than these"
    if sniff(str(path)) is Kind.DICOM:
        return f"{sentence}; open those and import it there."
    return f"{sentence}; open those, or take pixels_sha256 out of {names_path(path).name} to place it by its grid alone."


def _elsewhere(path: Path) -> str:
    """Say that pixels and labels lie differently; of a label map nobody can tell which of both was turned since."""
    if sniff(str(path)) is Kind.DICOM:
        return f"{path.name} was made when these images lay elsewhere in the patient; open the originals."
    return (
        f"{path.name} does not lie as these images do: they or it were turned since it was made; open the originals, or "
        f"take pixels_sha256 out of {names_path(path).name} to place it by its grid alone."
    )


def read_on(path: str, reference: Target | None, threshold: float | None = None) -> ImportedLabels:
    """Do the work of ``read_labels`` in a reader process: all but what takes the pixels of the images.

    Parameters
    ----------
    threshold : float, optional
        From which probability a voxel of a SEG of probabilities belongs.
    """
    kind = sniff(path)
    if kind is Kind.DICOM:
        if read_header(path).sop_class_uid == STRUCTURE_SET:
            return read_rtstruct(Path(path), reference)
        return read_seg(Path(path), reference, threshold=threshold)
    if kind is Kind.NRRD and is_seg_nrrd(path):
        return read_seg_nrrd(path, reference)
    if kind not in (Kind.NIFTI, Kind.NRRD):
        raise ReadError(
            f"{Path(path).name} holds no labels MedView reads; choose a DICOM SEG, RTSTRUCT, NIfTI or NRRD file."
        )
    (entry,) = describe(path, kind).volumes
    geometry = entry.geometry
    if entry.colour or entry.time_points != 1 or geometry is None or not entry.rescale.identity:
        raise ReadError(f"{Path(path).name} is no label map: it holds colours, several time points or scaled numbers.")
    labels = read_voxels(path)
    pixels = pixels_beside(Path(path))
    placed = kind is not Kind.NIFTI or nifti.placed(path)
    lay = geometry if pixels and placed else None
    notes: tuple[str, ...] = ()
    if reference is not None:
        labels = _on_grid(labels, geometry, reference.geometry, path, placed=placed)
        geometry = reference.geometry
        if not pixels:
            notes = (f"{Path(path).name} does not say which images it was made on; only its grid was compared.",)
    return replace(from_map(labels, geometry, Path(path)), notes=notes, pixels_sha256=pixels, drawn_on=lay)


def _on_grid(labels: npt.NDArray[Any], own: Geometry, wanted: Geometry, path: str, *, placed: bool) -> npt.NDArray[Any]:
    """Return labels re-ordered onto a grid that differs at most in the direction and order of its axes.

    A map that claims no place belongs to images that have none: voxel by voxel.
    """
    name = Path(path).name
    if not placed and wanted.calibration is not Calibration.VOLUME:
        if own.shape_kji != wanted.shape_kji:
            raise GeometryError(f"{name} was made on images of another size; open those and import it there.")
        return labels
    if own.shape_kji == wanted.shape_kji and _distance_voxels(own, wanted) <= SAME_PLACE_VOXELS:
        return labels
    to_own = np.linalg.inv(own.affine_lps) @ wanted.affine_lps
    matrix, offset = to_own[:3, :3], to_own[:3, 3]
    steps = np.rint(matrix).astype(int)
    permutes = (np.abs(steps).sum(axis=0) == 1).all() and (np.abs(steps).sum(axis=1) == 1).all()
    size = max(wanted.shape_kji)
    if not permutes or np.abs(matrix - steps).max() * size > SAME_PLACE_VOXELS:
        raise OtherGridError(f"{name} was made on another grid; resample it to this series first.")
    order = [int(np.flatnonzero(steps[:, axis])[0]) for axis in range(3)]
    turned = labels.transpose(order)
    start = np.rint(offset).astype(int)
    for axis, source in enumerate(order):
        backwards = steps[source, axis] < 0
        expected = own.shape_kji[source] - 1 if backwards else 0
        if start[source] != expected:
            raise OtherGridError(f"{name} was made on another grid; resample it to this series first.")
        if backwards:
            turned = np.flip(turned, axis)
    if turned.shape != wanted.shape_kji or np.abs(offset - start).max() > SAME_PLACE_VOXELS:
        raise OtherGridError(f"{name} was made on another grid; resample it to this series first.")
    return turned


def _distance_voxels(own: Geometry, wanted: Geometry) -> float:
    apart = np.abs(own.corners_lps_mm() - wanted.corners_lps_mm()).max()
    return float(apart / min(wanted.spacing_kji_mm))


def from_map(labels: npt.NDArray[Any], geometry: Geometry, path: Path) -> ImportedLabels:
    """Return the segments of a label map (k, j, i), named by the companion of ``path``; their ids are ``value-<number>``.

    Raises
    ------
    ReadError
        When it holds fractions or negative numbers.
    """
    if labels.dtype.kind == "f" and not (np.isfinite(labels).all() and (labels == np.rint(labels)).all()):
        raise ReadError(f"{path.name} is no label map: it holds fractions.")
    values = [int(v) for v in np.unique(labels) if v != 0]
    if values and values[0] < 0:
        raise ReadError(f"{path.name} is no label map: it holds negative numbers.")
    names = names_beside(path)
    values = sorted(set(values) | set(names))
    layers: dict[int, LabelArray] = {0: np.zeros(geometry.shape_kji, dtype=np.uint8)}
    segments: list[Segment] = []
    small = not values or values[-1] <= VALUES_PER_LAYER
    if small:
        layers[0] = np.ascontiguousarray(labels, dtype=np.uint8)
    for position, value in enumerate(values):
        layer_id, own = (0, value) if small else divmod(position, VALUES_PER_LAYER)
        if not small:
            own += 1
            layers.setdefault(layer_id, np.zeros(geometry.shape_kji, dtype=np.uint8))[labels == value] = own
        name, colour = names.get(value, (f"Label {value}", COLOUR_CYCLE[position % len(COLOUR_CYCLE)]))
        segments.append(Segment(f"value-{value}", name, colour, layer_id, own, source=Source(SourceKind.IMPORT)))
    return ImportedLabels(geometry, tuple(segments), layers)


def names_path(path: Path) -> Path:
    """Return where the names of a label map stand: the same name ending in ``.json``."""
    stem = path.name
    for ending in (".nii.gz", ".nii", ".nrrd", ".nhdr"):
        if stem.lower().endswith(ending):
            stem = stem[: -len(ending)]
            break
    return path.with_name(f"{stem}.json")


def names_beside(path: Path) -> dict[int, tuple[str, tuple[int, int, int]]]:
    """Return value -> (name, colour) from the companion file; empty when there is none or it is not understood."""
    entries = _companion(path).get("labels")
    found: dict[int, tuple[str, tuple[int, int, int]]] = {}
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict) or not isinstance(entry.get("value"), int) or not 0 < entry["value"] < 1 << 31:
            continue
        name = entry.get("name")
        colour = _colour(entry.get("colour")) or COLOUR_CYCLE[number % len(COLOUR_CYCLE)]
        label = name if isinstance(name, str) and name else f"Label {entry['value']}"
        found[entry["value"]] = (label[:64], colour)
    return found


def pixels_beside(path: Path) -> str:
    """Return the hash of the pixels a label map was made on from its companion file; empty when it says nothing."""
    found = _companion(path).get("pixels_sha256")
    return found if isinstance(found, str) and is_pixels_sha256(found) else ""


def _companion(path: Path) -> dict[str, Any]:
    companion = names_path(path)
    try:
        document = json.loads(companion.read_text("utf-8")) if companion.stat().st_size < 1 << 20 else None
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _colour(value: object) -> tuple[int, int, int] | None:
    if not isinstance(value, list) or len(value) != 3 or not all(isinstance(c, int) and 0 <= c <= 255 for c in value):
        return None
    return value[0], value[1], value[2]


def refuse_other_names(path: Path) -> None:
    """Raise WriteError when a file stands where the companion of ``path`` would, and it is not one: a BIDS sidecar, say."""
    companion = names_path(path)
    if not companion.exists():
        return
    if set(_companion(path)) - {"pixels_sha256"} != {"labels"}:
        raise WriteError(
            f"{companion.name} is not MedView's and would be written over; choose another name than {path.name}."
        )


def write_names(path: Path, segments: Sequence[Segment], pixels_sha256: str = "") -> Path:
    """Write the companion that names the values of a label map at ``path`` and, where known, the pixels it was made on.

    Raises
    ------
    WriteError, DiskFullError
    """
    refuse_other_names(path)
    document: dict[str, object] = {
        "labels": [{"value": s.value, "name": s.name, "colour": list(s.colour)} for s in segments]
    }
    if pixels_sha256:
        document["pixels_sha256"] = pixels_sha256
    companion = names_path(path)
    with replacing(companion) as file:
        file.write(json.dumps(document, indent=2, ensure_ascii=False).encode())
    return companion
