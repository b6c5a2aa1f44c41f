"""Prompts to JSON and back. Field names are part of the file format: add, do not rename."""

from __future__ import annotations

from medview.core.prompt import Prompt, PromptKind
from medview.core.prompt_log import HeldVoxels, PromptLog
from medview.core.vector import triple
from medview.store.codec_values import decode_box, encode_box
from medview.store.parts import Json, PartReader, PartWriter, unpack_stored


def encode_prompts(log: PromptLog, parts: PartWriter, *, blob: bool = False) -> Json:
    """The prompts of one segment; what it held before them becomes a part, or a ``blob`` where nothing lies beside."""
    base = None if log.base.empty else {"box": encode_box(log.base.box), "voxels": parts.add(log.base.packed, blob=blob)}
    return {
        "segment": log.segment_id,
        "engine": log.engine,
        "model_sha256": log.model_sha256,
        "prompts": [encode_prompt(prompt) for prompt in log.prompts],
        "settled": [encode_prompt(prompt) for prompt in log.settled],
        "base": base,
        "found": log.found,
    }


def decode_prompts(data: Json, parts: PartReader) -> PromptLog:
    """Inverse of ``encode_prompts``."""
    return PromptLog(
        str(data["segment"]),
        str(data["engine"]),
        str(data["model_sha256"]),
        tuple(decode_prompt(prompt) for prompt in data["prompts"]),
        HeldVoxels() if data["base"] is None else _decode_held(data["base"], parts),
        str(data["found"]),
        tuple(decode_prompt(prompt) for prompt in data["settled"]),
    )


def encode_prompt(prompt: Prompt) -> Json:
    """One prompt, in patient millimetres."""
    return {
        "id": prompt.prompt_id,
        "kind": prompt.kind.value,
        "positive": prompt.positive,
        "points_lps_mm": [list(point) for point in prompt.points_lps_mm],
        "normal_lps": list(prompt.normal_lps),
        "thickness_mm": prompt.thickness_mm,
    }


def decode_prompt(data: Json) -> Prompt:
    """Inverse of ``encode_prompt``."""
    return Prompt(
        str(data["id"]),
        PromptKind(data["kind"]),
        bool(data["positive"]),
        tuple(triple([float(n) for n in point]) for point in data["points_lps_mm"]),
        triple([float(n) for n in data["normal_lps"]]),
        float(data["thickness_mm"]),
    )


def _decode_held(data: Json, parts: PartReader) -> HeldVoxels:
    box, packed = decode_box(data["box"]), parts.get(data["voxels"])
    unpack_stored(packed, box.shape_kji)
    return HeldVoxels(box, packed)
