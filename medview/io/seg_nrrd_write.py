"""Label layers to a segmentation of 3D Slicer (``.seg.nrrd``; see ``seg_nrrd``)."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from medview.core.atomic import replacing
from medview.core.errors import WriteError
from medview.core.geometry import Geometry
from medview.core.segmentation import Segment, Segmentation, SegmentRole
from medview.core.source import SourceKind
from medview.io.nrrd_header import escaped
from medview.io.placed import refuse_unplaced
from medview.io.seg_nrrd import OWN, PIXELS
from medview.io.slicer_terms import ENTRY, STATUS, write_entry, write_status, write_tags

NOTICE = "MedView. Research use. Not a medical device."


def write_seg_nrrd(path: Path, segmentation: Segmentation, pixels_sha256: str = "") -> None:
    """Write segments with names, colours, codes and overlaps, whole or not at all.

    Parameters
    ----------
    pixels_sha256 : str
        Hash of the pixels they were drawn on (``core.pixel_hash``), where known.

    Raises
    ------
    WriteError, DiskFullError
        When there are no segments, or the grid is one that NRRD cannot hold.
    """
    geometry = segmentation.geometry
    segments = segmentation.segments
    if not segments:
        raise WriteError("There are no segments to write; draw one or accept a proposal first.")
    refuse_unplaced(path, geometry, "NRRD")
    if geometry.sheared:
        raise WriteError(
            f"{path.name} was not written: its slices are tilted, which NRRD readers refuse; write a SEG or NIfTI instead."
        )
    used = sorted({segment.layer_id for segment in segments})
    header = _header(segmentation, used, pixels_sha256)
    with replacing(path) as file:
        file.write(header.encode())
        # No name and no time inside: the same labels give the same bytes.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=5) as packed:
            kept = [_only_named(segmentation, layer_id) for layer_id in used]
            for slices in zip(*kept, strict=True):
                # The layer is the fastest axis.
                packed.write(np.stack(slices, axis=-1).tobytes())


def _only_named(segmentation: Segmentation, layer_id: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return a layer; numbers that no segment has are none of its labels."""
    table = np.zeros(256, dtype=np.uint8)
    for segment in segmentation.segments:
        if segment.layer_id == layer_id:
            table[segment.value] = segment.value
    return table[segmentation.layer(layer_id).voxels]


def _header(segmentation: Segmentation, used: list[int], pixels_sha256: str) -> str:
    geometry = segmentation.geometry
    k, j, i = geometry.shape_kji
    overlap = len(used) > 1
    lines = [
        "NRRD0004",
        f"# {NOTICE}",
        "type: unsigned char",
        f"dimension: {4 if overlap else 3}",
        "space: left-posterior-superior",
        f"sizes: {f'{len(used)} ' if overlap else ''}{i} {j} {k}",
        f"space directions: {'none ' if overlap else ''}{_directions(geometry)}",
        f"kinds: {'list ' if overlap else ''}domain domain domain",
        "encoding: gzip",
        f"space origin: {_vector(geometry.affine_lps[:3, 3])}",
    ]
    pairs: dict[str, str] = {}
    for number, segment in enumerate(segmentation.segments):
        for key, value in _told(segmentation, segment, used.index(segment.layer_id)).items():
            pairs[f"Segment{number}_{key}"] = value
    pairs |= {
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_ConversionParameters": "",
        # Older and newer versions call it by different names.
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_SourceRepresentation": "Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
    }
    if pixels_sha256:
        pairs[PIXELS] = pixels_sha256
    lines += [f"{key}:={escaped(value)}" for key, value in pairs.items()]
    return "\n".join(lines) + "\n\n"


def _told(segmentation: Segmentation, segment: Segment, layer: int) -> dict[str, str]:
    box = segmentation.box(segment)
    bounds = list(zip(box.min_kji, box.max_kji, strict=True))[::-1] if box is not None else [(0, 0)] * 3
    source = segment.source
    tags = {STATUS: write_status(segment.status), ENTRY: write_entry(segment.code)}
    if segment.role is SegmentRole.IGNORE:
        tags[f"{OWN}Role"] = segment.role.value
    if segment.absent:
        tags[f"{OWN}Absent"] = "yes"
    if segment.group:
        tags[f"{OWN}Group"] = segment.group
    if source.kind is SourceKind.MODEL:
        tags[f"{OWN}Model"], tags[f"{OWN}ModelVersion"] = source.model_id, source.model_version
        tags[f"{OWN}ModelSha256"], tags[f"{OWN}Corrected"] = source.model_sha256, "yes" if source.corrected else "no"
    return {
        "ID": segment.segment_id,
        "Name": " ".join(segment.name.split()),
        "NameAutoGenerated": "0",
        "Color": " ".join(f"{n / 255:.6g}" for n in segment.colour),
        "ColorAutoGenerated": "0",
        "Extent": " ".join(f"{low} {high - 1}" for low, high in bounds),
        "LabelValue": str(segment.value),
        "Layer": str(layer),
        "Tags": write_tags(tags),
    }


def _directions(geometry: Geometry) -> str:
    return " ".join(_vector(geometry.affine_lps[:3, axis]) for axis in (2, 1, 0))


def _vector(numbers: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    # Twice the digits of a float: the same grid comes back.
    return f"({','.join(repr(float(n)) for n in numbers)})"
