"""Boxes, points and lines as JSON, written and read back exactly. The format is described in docs/boxes-and-marks.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medview.core.annotations import BoxAnnotation, Drawn, Trace
from medview.core.atomic import replacing
from medview.core.attributes import attributes_of
from medview.core.errors import ReadError
from medview.core.geometry import Calibration, Geometry
from medview.core.pixel_hash import is_pixels_sha256
from medview.core.source import Source, SourceKind
from medview.core.trace import TraceKind
from medview.core.vector import Triple, triple

FORMAT = "MedView boxes and marks"
VERSION = 1
LARGEST_BYTES = 64 << 20
MOST_THINGS = 100_000
_LEAST_MM3 = 1e-12
NOTICE = "Research use. Not a medical device."


@dataclass(frozen=True, slots=True, eq=False)
class DrawnSheet:
    """Boxes, points and lines, and what they were drawn on.

    Attributes
    ----------
    pixels_sha256 : str
        Hash of the pixels (``core.pixel_hash``); empty where it is not known.
    """

    geometry: Geometry
    things: tuple[Drawn, ...]
    series_uid: str = ""
    study_uid: str = ""
    pixels_sha256: str = ""


def write_drawn(path: Path, sheet: DrawnSheet) -> None:
    """Write a sheet, whole or not at all. Raises WriteError or DiskFullError."""
    text = json.dumps(drawn_document(sheet), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as file:
        file.write(text.encode())


def read_drawn(path: str) -> DrawnSheet:
    """Read a sheet. Raises ReadError when the file is damaged, too large or something else."""
    name = Path(path).name
    try:
        if Path(path).stat().st_size > LARGEST_BYTES:
            raise ReadError(f"{name} is larger than any list of boxes; choose a file that MedView wrote.")
        document = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ReadError(f"{name} cannot be read; check that it is there and may be read.", detail=str(error)) from error
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{name} is no JSON file; choose another.", detail=str(error)[:200]) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReadError(f"{name} holds no boxes and marks of MedView; choose a file that MedView wrote.")
    if not isinstance(document.get("version"), int) or document["version"] > VERSION:
        raise ReadError(f"{name} was written by a newer MedView; open it there.")
    try:
        return _sheet(document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, np.linalg.LinAlgError) as error:
        raise ReadError(f"{name} is damaged; export the boxes again.", detail=f"{type(error).__name__}: {error}") from error


def drawn_document(sheet: DrawnSheet) -> dict[str, Any]:
    """Return the JSON of a sheet."""
    geometry = sheet.geometry
    return {
        "format": FORMAT,
        "version": VERSION,
        "notice": NOTICE,
        "drawn_on": {
            "study_uid": sheet.study_uid,
            "series_uid": sheet.series_uid,
            "frame_of_reference_uid": geometry.frame_of_reference_uid,
            "pixels_sha256": sheet.pixels_sha256,
            "shape_kji": list(geometry.shape_kji),
            "affine_lps": geometry.affine_lps.tolist(),
            "calibration": geometry.calibration.value,
        },
        "things": [thing_document(one, geometry) for one in sheet.things],
    }


def thing_document(one: Drawn, geometry: Geometry) -> dict[str, Any]:
    """Return the JSON of a box, a point or a line."""
    shared = {
        "id": one.annotation_id,
        "label": one.label,
        "attributes": [attribute.as_document() for attribute in one.attributes],
        "visible": one.visible,
        "image": {"sop_instance_uid": one.sop_instance_uid, "frame": one.frame_number},
        "source": _source_document(one.source),
    }
    if isinstance(one, Trace):
        points = [list(point) for point in one.points_lps_mm]
        index = [[round(float(n), 4) for n in point] for point in one.points_kji(geometry)]
        return {"kind": one.kind.value, **shared, "points_lps_mm": points, "points_kji": index}
    low, high = one.bounds_kji(geometry)
    return {
        "kind": "box",
        **shared,
        "corner_lps_mm": list(one.corner_lps_mm),
        "edges_lps_mm": [list(edge) for edge in one.edges_lps_mm],
        "flat_edge": one.flat_edge,
        "score": one.score,
        "min_kji": [round(float(n), 4) for n in low],
        "max_kji": [round(float(n), 4) for n in high],
    }


def _sheet(document: Mapping[str, Any]) -> DrawnSheet:
    on = document["drawn_on"]
    things: Sequence[Mapping[str, Any]] = document["things"]
    if len(things) > MOST_THINGS:
        raise ValueError(f"{len(things)} things")
    k, j, i = (int(n) for n in on["shape_kji"])
    geometry = Geometry(
        (k, j, i),
        np.asarray(on["affine_lps"], dtype=np.float64),
        str(on["frame_of_reference_uid"]),
        Calibration(on["calibration"]),
    )
    pixels = str(on["pixels_sha256"])
    return DrawnSheet(
        geometry,
        tuple(_thing(one) for one in things),
        str(on["series_uid"]),
        str(on["study_uid"]),
        pixels if is_pixels_sha256(pixels) else "",
    )


def _thing(data: Mapping[str, Any]) -> Drawn:
    # Half a character cannot be written again.
    json.dumps(data, ensure_ascii=False).encode()
    attributes = attributes_of(data["attributes"])
    image = data["image"]
    uid, frame, visible = str(image["sop_instance_uid"]), int(image["frame"]), bool(data["visible"])
    identity, label, source = str(data["id"]), str(data["label"]), _source(data["source"])
    if not identity:
        raise ValueError("a thing without id")
    if data["kind"] != "box":
        points = tuple(_vector(point) for point in data["points_lps_mm"])
        return Trace(identity, TraceKind(data["kind"]), points, label, attributes, visible, uid, frame, source)
    first, second, third = (_vector(edge) for edge in data["edges_lps_mm"])
    if abs(np.linalg.det(np.asarray((first, second, third)))) <= _LEAST_MM3:
        raise ValueError("a box without volume")
    flat = data["flat_edge"]
    if flat not in (None, 0, 1, 2):
        raise ValueError(f"flat_edge {flat!r}")
    score = data["score"]
    return BoxAnnotation(
        identity,
        label,
        _vector(data["corner_lps_mm"]),
        (first, second, third),
        None if score is None else float(score),
        source,
        flat,
        attributes,
        visible,
        uid,
        frame,
    )


def _source_document(source: Source) -> dict[str, Any]:
    return {
        "kind": source.kind.value,
        "model_id": source.model_id,
        "model_version": source.model_version,
        "model_sha256": source.model_sha256,
        "job_id": source.job_id,
        "created_utc": source.created_utc,
        "corrected": source.corrected,
    }


def _source(data: Mapping[str, Any]) -> Source:
    return Source(
        SourceKind(data["kind"]),
        str(data["model_id"]),
        str(data["model_version"]),
        str(data["model_sha256"]),
        str(data["job_id"]),
        str(data["created_utc"]),
        bool(data["corrected"]),
    )


def _vector(data: Sequence[Any]) -> Triple:
    found = triple([float(n) for n in data])
    if not np.isfinite(found).all():
        raise ValueError("a place that is no number")
    return found
