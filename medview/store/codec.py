"""Commands to JSON with binary parts, and back. Versioned; never code.

A document is ``{"v": 1, "name", "tool", "changes": [...]}``. Each change has a ``kind``: ``patch``, ``segment``,
``annotation``, ``marks``, ``effort``, ``prompts``, ``answer`` or ``proposal``. The voxels of an accepted proposal are not
written again: the patch then holds the proposal's mask by reference and a table from its values to label values
(``from_mask``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from medview.core.changes import (
    AnnotationChange,
    AnswerChange,
    Change,
    Command,
    EffortChange,
    MarksChange,
    PromptChange,
    ProposalChange,
    SegmentChange,
)
from medview.core.errors import StoreError
from medview.core.label_patch import LabelPatch
from medview.core.packed_voxels import pack
from medview.core.prediction import PredictedMask
from medview.core.segmentation import LabelArray
from medview.store.codec_answers import decode_answer_change, encode_answer_change
from medview.store.codec_effort import decode_effort_change, encode_effort_change
from medview.store.codec_prompts import decode_prompts, encode_prompts
from medview.store.codec_values import (
    decode_annotation,
    decode_box,
    decode_marks,
    decode_proposal,
    decode_segment,
    encode_annotation,
    encode_box,
    encode_marks,
    encode_proposal,
    encode_segment,
)
from medview.store.parts import Json, PartReader, PartWriter, unpack_stored

CODEC_VERSION = 4
"""3: efforts and prompts. 4: answers."""

_SLAB_VOXELS = 1 << 20


@dataclass(frozen=True, slots=True)
class Encoded:
    """A command ready to be written.

    Attributes
    ----------
    document : str
        JSON.
    payload : bytes
        Small binary parts.
    blobs : dict of str to bytes
        Large parts by SHA-256.
    size_bytes : int
        All parts together.
    """

    document: str
    payload: bytes
    blobs: dict[str, bytes]
    size_bytes: int


def encode(command: Command) -> Encoded:
    """Return the stored form of a command."""
    parts = PartWriter()
    masks = list(_proposed_masks(command))
    changes = [_encode_change(change, parts, masks) for change in command.changes]
    document = {"v": CODEC_VERSION, "name": command.name, "tool": command.tool, "changes": changes}
    return Encoded(canonical(document), bytes(parts.payload), parts.blobs, parts.size_bytes)


def decode(
    document: str, payload: bytes, get_blob: Callable[[str], bytes], masks: dict[str, LabelArray] | None = None
) -> Command:
    """Return the command of a stored form.

    Parameters
    ----------
    masks : dict, optional
        As in PartReader, to share between calls.

    Raises
    ------
    StoreError
        When it is damaged, a blob is missing, or it holds kinds of change this program does not know.
    """
    parts = PartReader(payload, get_blob, masks)
    try:
        data = json.loads(document)
        if data["v"] > CODEC_VERSION:
            raise StoreError("A stored change was written by a newer MedView.", detail=f"document version {data['v']}")
        changes = tuple(_decode_change(change, parts) for change in data["changes"])
        return Command(str(data["name"]), changes, str(data["tool"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise StoreError("A stored change is damaged.", detail=f"{type(error).__name__}: {error}") from error


def canonical(document: Json) -> str:
    """Return ASCII JSON in one fixed form, so that equal documents have equal hashes."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def _encode_change(change: Change, parts: PartWriter, masks: list[PredictedMask]) -> Json:
    if isinstance(change, LabelPatch):
        return _encode_patch(change, parts, masks)
    if isinstance(change, SegmentChange):
        return {
            "kind": "segment",
            "position": change.position,
            "before": None if change.before is None else encode_segment(change.before),
            "after": None if change.after is None else encode_segment(change.after),
        }
    if isinstance(change, AnnotationChange):
        return {
            "kind": "annotation",
            "before": None if change.before is None else encode_annotation(change.before),
            "after": None if change.after is None else encode_annotation(change.after),
        }
    if isinstance(change, MarksChange):
        return {"kind": "marks", "before": encode_marks(change.before), "after": encode_marks(change.after)}
    if isinstance(change, EffortChange):
        return encode_effort_change(change)
    if isinstance(change, AnswerChange):
        return encode_answer_change(change)
    if isinstance(change, PromptChange):
        return {
            "kind": "prompts",
            "before": None if change.before is None else encode_prompts(change.before, parts),
            "after": None if change.after is None else encode_prompts(change.after, parts),
        }
    return {
        "kind": "proposal",
        "before": None if change.before is None else encode_proposal(change.before, parts),
        "after": None if change.after is None else encode_proposal(change.after, parts),
    }


def _decode_change(data: Json, parts: PartReader) -> Change:
    kind, before, after = data["kind"], data["before"], data["after"]
    if kind == "patch":
        return _decode_patch(data, parts)
    if kind == "segment":
        return SegmentChange(
            None if before is None else decode_segment(before),
            None if after is None else decode_segment(after),
            int(data["position"]),
        )
    if kind == "marks":
        return MarksChange(decode_marks(before), decode_marks(after))
    if kind == "effort":
        return decode_effort_change(data)
    if kind == "answer":
        return decode_answer_change(data)
    if kind == "prompts":
        return PromptChange(
            None if before is None else decode_prompts(before, parts),
            None if after is None else decode_prompts(after, parts),
        )
    if kind == "annotation":
        return AnnotationChange(
            None if before is None else decode_annotation(before), None if after is None else decode_annotation(after)
        )
    if kind == "proposal":
        return ProposalChange(
            None if before is None else decode_proposal(before, parts),
            None if after is None else decode_proposal(after, parts),
        )
    raise StoreError("A stored change of a kind this MedView does not know.", detail=repr(kind))


def _encode_patch(patch: LabelPatch, parts: PartWriter, masks: list[PredictedMask]) -> Json:
    for mask in masks:
        table = _table_from_mask(patch, mask)
        if table is not None:
            after: Json = {
                "from_mask": parts.add_mask(mask),
                "mask_box": encode_box(mask.box),
                "table": table,
            }
            break
    else:
        after = parts.add(patch.after)
    return {
        "kind": "patch",
        "layer": patch.layer_id,
        "box": encode_box(patch.box),
        "before": parts.add(patch.before),
        "after": after,
    }


def _decode_patch(data: Json, parts: PartReader) -> LabelPatch:
    # Voxels stay packed until they are applied; the parts' checksums say already whether they are sound.
    box = decode_box(data["box"])
    before = parts.get(data["before"])
    recipe = data["after"]
    if "from_mask" not in recipe:
        return LabelPatch(int(data["layer"]), box, before, parts.get(recipe))
    now = unpack_stored(before, box.shape_kji)
    mask_box = decode_box(recipe["mask_box"])
    mask = parts.mask(recipe["from_mask"], mask_box.shape_kji)[box.within(mask_box).slices]
    table = np.zeros(256, dtype=np.uint8)
    for value, label in recipe["table"]:
        table[int(value)] = int(label)
    after = np.empty_like(now)
    for slab in _slabs(box.shape_kji):
        written = table[mask[slab]]
        after[slab] = np.where(written != 0, written, now[slab])
    return LabelPatch(int(data["layer"]), box, before, pack(after))


def _proposed_masks(command: Command) -> Iterator[PredictedMask]:
    for change in command.changes:
        if isinstance(change, ProposalChange) and change.before is not None:
            mask = change.before.prediction.mask
            if mask is not None and not mask.box.empty:
                yield mask


def _table_from_mask(patch: LabelPatch, mask: PredictedMask) -> list[list[int]] | None:
    """Return the table [mask value, label value] that makes a patch out of a mask, or None when there is none."""
    if patch.box.intersection(mask.box) != patch.box:
        return None
    proposed = mask.voxels[patch.box.within(mask.box).slices]
    before, after = patch.before_voxels(), patch.after_voxels()
    table = np.zeros(256, dtype=np.uint8)
    for slab in _slabs(patch.box.shape_kji):
        changed = before[slab] != after[slab]
        table[proposed[slab][changed]] = after[slab][changed]
    for slab in _slabs(patch.box.shape_kji):
        written = table[proposed[slab]]
        if not np.array_equal(np.where(written != 0, written, before[slab]), after[slab]):
            return None
    return [[int(value), int(table[value])] for value in np.flatnonzero(table)]


def _slabs(shape_kji: tuple[int, int, int]) -> Iterator[slice]:
    """Cut an array along k into pieces of a few milliseconds.

    Looking voxels up in a table holds the interpreter's lock, and the window wants it in between.
    """
    step = max(1, _SLAB_VOXELS // max(1, shape_kji[1] * shape_kji[2]))
    for k in range(0, shape_kji[0], step):
        yield slice(k, k + step)
