"""What became of accepted segments, to JSON and back. Field names are part of the file format: add, do not rename."""

from __future__ import annotations

from medview.core.changes import EffortChange
from medview.core.effort import Agreement, Effort
from medview.store.codec_values import decode_source, encode_source
from medview.store.parts import Json


def encode_effort(effort: Effort) -> Json:
    """What an accepted segment was proposed as, and what became of it."""
    found = effort.agreement
    return {
        "segment": effort.segment_id,
        "source": encode_source(effort.source),
        "value": effort.value,
        "label": effort.label,
        "active_s": round(effort.active_s, 1),
        "agreement": None
        if found is None
        else {
            "dice": found.dice,
            "proposed": found.proposed,
            "final": found.final,
            "added": found.added,
            "removed": found.removed,
            "voxel_ml": found.voxel_ml,
        },
    }


def decode_effort(data: Json) -> Effort:
    """Inverse of ``encode_effort``."""
    found = data["agreement"]
    return Effort(
        str(data["segment"]),
        decode_source(data["source"]),
        int(data["value"]),
        str(data["label"]),
        float(data["active_s"]),
        None if found is None else _agreement(found),
    )


def encode_effort_change(change: EffortChange) -> Json:
    """An acceptance, or what was measured since."""
    return {
        "kind": "effort",
        "before": None if change.before is None else encode_effort(change.before),
        "after": None if change.after is None else encode_effort(change.after),
    }


def decode_effort_change(data: Json) -> EffortChange:
    """Inverse of ``encode_effort_change``."""
    before, after = data["before"], data["after"]
    return EffortChange(None if before is None else decode_effort(before), None if after is None else decode_effort(after))


def _agreement(data: Json) -> Agreement:
    return Agreement(
        float(data["dice"]),
        int(data["proposed"]),
        int(data["final"]),
        int(data["added"]),
        int(data["removed"]),
        float(data["voxel_ml"]),
    )
