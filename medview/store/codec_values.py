"""Core values to JSON and back. Field names are part of the file format: add, do not rename."""

from __future__ import annotations

import numpy as np

from medview.core.annotations import Annotation, BoxAnnotation, ImageLabel
from medview.core.attributes import attributes_of
from medview.core.box import Box
from medview.core.errors import StoreError
from medview.core.geometry import Calibration, Geometry
from medview.core.key_image import KeyImage
from medview.core.marks import Marks
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.segmentation import Code, Segment, SegmentRole, SegmentStatus
from medview.core.source import Source, SourceKind
from medview.core.trace import Trace, TraceKind
from medview.store.codec_scores import (
    decode_image_label,
    decode_score_rule,
    decode_slice_scores,
    encode_image_label,
    encode_score_rule,
    encode_slice_scores,
)
from medview.store.parts import Json, PartReader, PartWriter


def encode_box(box: Box) -> Json:
    """Half-open, [min_kji, max_kji]."""
    return [list(box.min_kji), list(box.max_kji)]


def decode_box(data: Json) -> Box:
    """Inverse of ``encode_box``."""
    low, high = data
    return Box(_triple(low), _triple(high))


def encode_geometry(geometry: Geometry) -> Json:
    """Shape, affine (exact), frame of reference, calibration."""
    return {
        "shape_kji": list(geometry.shape_kji),
        "affine_lps": geometry.affine_lps.tolist(),
        "frame_of_reference_uid": geometry.frame_of_reference_uid,
        "calibration": geometry.calibration.value,
    }


def decode_geometry(data: Json) -> Geometry:
    """Inverse of ``encode_geometry``."""
    return Geometry(
        _triple(data["shape_kji"]),
        np.asarray(data["affine_lps"], dtype=np.float64),
        str(data["frame_of_reference_uid"]),
        Calibration(data["calibration"]),
    )


def encode_source(source: Source) -> Json:
    """Who made it."""
    return {
        "kind": source.kind.value,
        "model_id": source.model_id,
        "model_version": source.model_version,
        "model_sha256": source.model_sha256,
        "job_id": source.job_id,
        "created_utc": source.created_utc,
        "corrected": source.corrected,
    }


def decode_source(data: Json) -> Source:
    """Inverse of ``encode_source``."""
    return Source(
        SourceKind(data["kind"]),
        str(data["model_id"]),
        str(data["model_version"]),
        str(data["model_sha256"]),
        str(data["job_id"]),
        str(data["created_utc"]),
        bool(data.get("corrected", False)),
    )


def encode_code(code: Code | None) -> Json:
    """Value, scheme, meaning; or null."""
    return None if code is None else [code.value, code.scheme, code.meaning]


def decode_code(data: Json) -> Code | None:
    """Inverse of ``encode_code``."""
    if data is None:
        return None
    value, scheme, meaning = data
    return Code(str(value), str(scheme), str(meaning))


def encode_segment(segment: Segment) -> Json:
    """A segment without its voxels."""
    return {
        "id": segment.segment_id,
        "name": segment.name,
        "colour": list(segment.colour),
        "layer": segment.layer_id,
        "value": segment.value,
        "code": encode_code(segment.code),
        "locked": segment.locked,
        "visible": segment.visible,
        "status": segment.status.value,
        "source": encode_source(segment.source),
        "role": segment.role.value,
        "absent": segment.absent,
        "group": segment.group,
        "opacity": segment.opacity,
        "outline_only": segment.outline_only,
        "visible_3d": segment.visible_3d,
    }


def decode_segment(data: Json) -> Segment:
    """Inverse of ``encode_segment``."""
    value = int(data["value"])
    if not 1 <= value <= 255:
        raise StoreError("A stored segment has an impossible value.", detail=f"value {value}")
    return Segment(
        segment_id=str(data["id"]),
        name=str(data["name"]),
        colour=_colour(data["colour"]),
        layer_id=int(data["layer"]),
        value=value,
        code=decode_code(data["code"]),
        locked=bool(data["locked"]),
        visible=bool(data["visible"]),
        status=SegmentStatus(data["status"]),
        source=decode_source(data["source"]),
        # Rows written before version 2 of the file know none of these.
        role=SegmentRole(data.get("role", SegmentRole.STRUCTURE.value)),
        absent=bool(data.get("absent", False)),
        group=str(data.get("group", "")),
        opacity=float(data.get("opacity", 1.0)),
        outline_only=bool(data.get("outline_only", False)),
        visible_3d=bool(data.get("visible_3d", True)),
    )


def encode_marks(marks: Marks) -> Json:
    """Slices done, in order."""
    return {"done_slices": sorted(marks.done_slices), "done_across": sorted(map(list, marks.done_across))}


def decode_marks(data: Json) -> Marks:
    """Inverse of ``encode_marks``."""
    across = frozenset((int(axis), int(index)) for axis, index in data.get("done_across", ()))
    return Marks(frozenset(int(k) for k in data["done_slices"]), across)


def encode_annotation(annotation: Annotation) -> Json:
    """A box, a trace, a measurement, a key image or an image label."""
    if isinstance(annotation, Measurement):
        return {
            "kind": "measurement",
            "id": annotation.annotation_id,
            "figure": annotation.kind.value,
            "points_lps_mm": [list(point) for point in annotation.points_lps_mm],
            "label": annotation.label,
            "sop_instance_uid": annotation.sop_instance_uid,
            "frame_number": annotation.frame_number,
            "source": encode_source(annotation.source),
        }
    if isinstance(annotation, KeyImage):
        return {
            "kind": "key image",
            "id": annotation.annotation_id,
            "point_lps_mm": list(annotation.point_lps_mm),
            "normal_lps": list(annotation.normal_lps),
            "label": annotation.label,
            "sop_instance_uid": annotation.sop_instance_uid,
            "frame_number": annotation.frame_number,
            "source": encode_source(annotation.source),
        }
    if isinstance(annotation, BoxAnnotation):
        return {
            "kind": "box",
            "id": annotation.annotation_id,
            "label": annotation.label,
            "corner_lps_mm": list(annotation.corner_lps_mm),
            "edges_lps_mm": [list(edge) for edge in annotation.edges_lps_mm],
            "score": annotation.score,
            "source": encode_source(annotation.source),
            "flat_edge": annotation.flat_edge,
            **_encode_drawn(annotation),
        }
    if isinstance(annotation, Trace):
        return {
            "kind": "trace",
            "id": annotation.annotation_id,
            "figure": annotation.kind.value,
            "points_lps_mm": [list(point) for point in annotation.points_lps_mm],
            "label": annotation.label,
            "source": encode_source(annotation.source),
            **_encode_drawn(annotation),
        }
    return {
        "kind": "image",
        "id": annotation.annotation_id,
        "label": annotation.label,
        "probability": annotation.probability,
        "source": encode_source(annotation.source),
        **encode_image_label(annotation),
    }


def decode_annotation(data: Json) -> Annotation:
    """Inverse of ``encode_annotation``."""
    if data["kind"] == "box":
        return _decode_box_annotation(data)
    if data["kind"] == "trace":
        return _decode_trace(data)
    if data["kind"] == "measurement":
        return Measurement(
            str(data["id"]),
            MeasurementKind(data["figure"]),
            tuple(_vector(point) for point in data["points_lps_mm"]),
            str(data["label"]),
            str(data["sop_instance_uid"]),
            int(data["frame_number"]),
            decode_source(data["source"]),
        )
    if data["kind"] == "key image":
        return KeyImage(
            str(data["id"]),
            _vector(data["point_lps_mm"]),
            _vector(data["normal_lps"]),
            str(data["label"]),
            str(data["sop_instance_uid"]),
            int(data["frame_number"]),
            decode_source(data["source"]),
        )
    if data["kind"] == "image":
        probability = data["probability"]
        return ImageLabel(
            str(data["id"]),
            str(data["label"]),
            None if probability is None else float(probability),
            decode_source(data["source"]),
            **decode_image_label(data),
        )
    raise StoreError("An annotation of a kind this MedView does not know.", detail=repr(data["kind"]))


def encode_proposal(proposal: Proposal, parts: PartWriter) -> Json:
    """A proposal; its mask becomes a blob."""
    p = proposal.prediction
    return {
        "id": proposal.proposal_id,
        "labels_revision": proposal.labels_revision,
        "part": proposal.part,
        "task": p.task,
        "model_name": p.model_name,
        "source": encode_source(p.source),
        "geometry": encode_geometry(p.geometry),
        "series_uid": p.series_uid,
        "mask": None if p.mask is None else _encode_mask(p.mask, parts),
        "boxes": [encode_annotation(box) for box in p.boxes],
        "scores": {name: float(score) for name, score in p.scores.items()},
        "seconds": {name: float(seconds) for name, seconds in p.seconds.items()},
        "device": p.device,
        "peak_memory_mb": float(p.peak_memory_mb),
        "notice": p.notice,
        "warnings": list(p.warnings),
        "score_rule": None if p.score_rule is None else encode_score_rule(p.score_rule),
        "slice_scores": None if p.slice_scores is None else encode_slice_scores(p.slice_scores),
    }


def decode_proposal(data: Json, parts: PartReader) -> Proposal:
    """Inverse of ``encode_proposal``."""
    prediction = Prediction(
        task=str(data["task"]),
        model_name=str(data["model_name"]),
        source=decode_source(data["source"]),
        geometry=decode_geometry(data["geometry"]),
        series_uid=str(data["series_uid"]),
        mask=None if data["mask"] is None else _decode_mask(data["mask"], parts),
        boxes=tuple(_decode_box_annotation(box) for box in data["boxes"]),
        scores={str(name): float(score) for name, score in data["scores"].items()},
        seconds={str(name): float(seconds) for name, seconds in data["seconds"].items()},
        device=str(data["device"]),
        peak_memory_mb=float(data["peak_memory_mb"]),
        notice=str(data["notice"]),
        warnings=tuple(str(warning) for warning in data["warnings"]),
        score_rule=decode_score_rule(data.get("score_rule")),
        slice_scores=decode_slice_scores(data.get("slice_scores")),
    )
    return Proposal(str(data["id"]), prediction, int(data["labels_revision"]), int(data.get("part", 0)))


def _encode_mask(mask: PredictedMask, parts: PartWriter) -> Json:
    return {
        "box": encode_box(mask.box),
        "voxels": parts.add_mask(mask),
        "segments": [
            {"value": s.value, "name": s.name, "colour": list(s.colour), "code": encode_code(s.code)} for s in mask.segments
        ],
    }


def _decode_mask(data: Json, parts: PartReader) -> PredictedMask:
    box = decode_box(data["box"])
    segments = tuple(
        PredictedSegment(int(s["value"]), str(s["name"]), _colour(s["colour"]), decode_code(s["code"]))
        for s in data["segments"]
    )
    return PredictedMask(box, parts.mask(data["voxels"], box.shape_kji), segments)


def _decode_box_annotation(data: Json) -> BoxAnnotation:
    first, second, third = (_vector(edge) for edge in data["edges_lps_mm"])
    return BoxAnnotation(
        str(data["id"]),
        str(data["label"]),
        _vector(data["corner_lps_mm"]),
        (first, second, third),
        None if data["score"] is None else float(data["score"]),
        decode_source(data["source"]),
        # Rows written before boxes were drawn by hand know none of these.
        flat_edge=None if data.get("flat_edge") is None else int(data["flat_edge"]),
        attributes=attributes_of(data.get("attributes", ())),
        visible=bool(data.get("visible", True)),
        sop_instance_uid=str(data.get("sop_instance_uid", "")),
        frame_number=int(data.get("frame_number", 0)),
    )


def _decode_trace(data: Json) -> Trace:
    return Trace(
        str(data["id"]),
        TraceKind(data["figure"]),
        tuple(_vector(point) for point in data["points_lps_mm"]),
        str(data["label"]),
        attributes_of(data["attributes"]),
        bool(data["visible"]),
        str(data["sop_instance_uid"]),
        int(data["frame_number"]),
        decode_source(data["source"]),
    )


def _encode_drawn(drawn: BoxAnnotation | Trace) -> Json:
    """What boxes and traces share."""
    return {
        "attributes": [one.as_document() for one in drawn.attributes],
        "visible": drawn.visible,
        "sop_instance_uid": drawn.sop_instance_uid,
        "frame_number": drawn.frame_number,
    }


def _triple(data: Json) -> tuple[int, int, int]:
    k, j, i = (int(number) for number in data)
    return k, j, i


def _vector(data: Json) -> tuple[float, float, float]:
    x, y, z = (float(number) for number in data)
    return x, y, z


def _colour(data: Json) -> tuple[int, int, int]:
    return _triple(data)
