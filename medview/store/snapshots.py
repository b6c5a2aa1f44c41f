r"""Shortcuts for loading: the state of a case after a row, as compressed bricks with a checksum each.

A snapshot is a blob::

    b"MVSNAP1\n"  length of the header, 8 bytes big-endian  header, JSON  bricks and binary parts, end to end
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable

from sqlalchemy import Connection, delete, insert, select

from medview.core.errors import MedViewError, StoreError
from medview.core.geometry import Geometry
from medview.store import schema
from medview.store.blobs import BlobStore
from medview.store.bricks import Brick, BrickLayer
from medview.store.codec import canonical
from medview.store.codec_answers import decode_answer, encode_answer
from medview.store.codec_effort import decode_effort, encode_effort
from medview.store.codec_prompts import decode_prompts, encode_prompts
from medview.store.codec_values import (
    decode_annotation,
    decode_marks,
    decode_proposal,
    decode_segment,
    encode_annotation,
    encode_marks,
    encode_proposal,
    encode_segment,
)
from medview.store.parts import Json, PartReader, PartWriter
from medview.store.replay import ReplayedCase
from medview.store.undo_stacks import UndoStacks

_MAGIC = b"MVSNAP1\n"
_HEADER_AT = len(_MAGIC) + 8

SNAPSHOT_VERSION = 4
"""1: no marks. 2: marks. 3: efforts, prompts. 4: answers."""

SNAPSHOT_ROWS = 200
"""A case gets a snapshot after this many rows ..."""

SNAPSHOT_BYTES = 8 * 1024 * 1024
"""... or after this many bytes of payload."""

KEPT = 2
"""Snapshots kept per case, so that a damaged one has a predecessor."""

log = logging.getLogger("medview.store")


def pack_snapshot(case: ReplayedCase) -> tuple[bytes, dict[str, bytes]]:
    """Return the file of a snapshot and the blobs it refers to."""
    parts = PartWriter()
    layers: Json = []
    bricks = bytearray()
    for layer_id, layer in sorted(case.layers.items()):
        index: Json = []
        for brick, packed in layer.packed().items():
            index.append([*brick, len(bricks), len(packed), hashlib.sha256(packed).hexdigest()])
            bricks += packed
        layers.append({"layer": layer_id, "bricks": index})
    labels = case.labels
    header = {
        "v": SNAPSHOT_VERSION,
        "shape_kji": list(labels.segmentation.geometry.shape_kji),
        "seq": case.seq,
        "revision": labels.revision,
        "segments": [encode_segment(segment) for segment in labels.segmentation.segments],
        "annotations": [encode_annotation(annotation) for annotation in labels.annotations.values()],
        "proposals": [encode_proposal(proposal, parts) for proposal in labels.proposals.values()],
        "marks": encode_marks(labels.marks),
        "efforts": [encode_effort(effort) for effort in labels.efforts.values()],
        "undo": case.stacks.undo,
        "redo": case.stacks.redo,
        "losses": case.losses,
        "recorded": case.recorded,
        "layers": layers,
    }
    if labels.prompts:
        header["prompts"] = [encode_prompts(one, parts, blob=True) for one in labels.prompts.values()]
    if labels.answers:
        header["answers"] = [encode_answer(one) for one in labels.answers.values()]
    text = canonical(header).encode()
    return b"".join((_MAGIC, len(text).to_bytes(8, "big"), text, bytes(bricks))), parts.blobs


def unpack_snapshot(data: bytes, geometry: Geometry, get_blob: Callable[[str], bytes]) -> ReplayedCase:
    """Return the state in a snapshot file.

    Raises
    ------
    StoreError
        When anything in it is damaged or does not fit ``geometry``.
    """
    if data[: len(_MAGIC)] != _MAGIC:
        raise StoreError("A snapshot is damaged.", detail="magic")
    end = _HEADER_AT + int.from_bytes(data[len(_MAGIC) : _HEADER_AT], "big")
    try:
        header = json.loads(data[_HEADER_AT:end])
        if header["v"] > SNAPSHOT_VERSION:
            raise StoreError("A snapshot was written by a newer MedView.", detail=f"version {header['v']}")
        if tuple(header["shape_kji"]) != geometry.shape_kji:
            raise StoreError("A snapshot belongs to another grid.", detail=str(header["shape_kji"]))
        case = ReplayedCase(geometry)
        case.seq = int(header["seq"])
        case.stacks = UndoStacks(map(int, header["undo"]), map(int, header["redo"]))
        case.losses = [str(loss) for loss in header["losses"]]
        case.recorded = [str(loss) for loss in header.get("recorded", ())]
        labels = case.labels
        labels.revision = int(header["revision"])
        labels.segmentation.segments.extend(decode_segment(segment) for segment in header["segments"])
        for annotation in map(decode_annotation, header["annotations"]):
            labels.annotations[annotation.annotation_id] = annotation
        if "marks" in header:  # since version 2
            labels.marks = decode_marks(header["marks"])
        for effort in map(decode_effort, header.get("efforts", ())):  # since version 3
            labels.efforts[effort.segment_id] = effort
        for answer in map(decode_answer, header.get("answers", ())):  # since version 4
            labels.answers[answer.key] = answer
        parts = PartReader(b"", get_blob)
        for one in (decode_prompts(stored, parts) for stored in header.get("prompts", ())):
            labels.prompts[one.segment_id] = one
        for proposal in (decode_proposal(stored, parts) for stored in header["proposals"]):
            labels.proposals[proposal.proposal_id] = proposal
        for layer in header["layers"]:
            bricks = _bricks(layer["bricks"], memoryview(data)[end:])
            case.layers[int(layer["layer"])] = BrickLayer(geometry.shape_kji, bricks)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError("A snapshot is damaged.", detail=f"{type(error).__name__}: {error}") from error
    return case


def newest_good(connection: Connection, reading_id: int, geometry: Geometry, blobs: BlobStore) -> ReplayedCase | None:
    """Return the state of the newest snapshot that is not damaged, or None."""
    for seq, digest in _known(connection, reading_id):
        try:
            return unpack_snapshot(blobs.get(digest), geometry, blobs.get)
        except StoreError as error:
            log.warning("snapshot %d of case %d is passed over: %s", seq, reading_id, error.detail)
    return None


def stored_snapshots(
    connection: Connection, reading_id: int, geometry: Geometry, blobs: BlobStore
) -> dict[int, ReplayedCase | None]:
    """Return the state in each snapshot of a case by the row it was made after; None where it is damaged."""
    found: dict[int, ReplayedCase | None] = {}
    for seq, digest in _known(connection, reading_id):
        try:
            found[seq] = unpack_snapshot(blobs.get(digest), geometry, blobs.get)
        except MedViewError:
            found[seq] = None
    return found


def snapshot_blobs(connection: Connection) -> set[str]:
    """Return the SHA-256 of every snapshot's file."""
    return set(connection.execute(select(schema.snapshots.c.blob_sha256)).scalars())


def write_snapshot(
    connection: Connection, reading_id: int, case: ReplayedCase, blobs: BlobStore, created_utc: str
) -> list[str]:
    """Keep the state of a case; return blobs of older snapshots to discard once the transaction is committed."""
    data, referred = pack_snapshot(case)
    for blob in referred.values():
        blobs.put(blob)
    digest = blobs.put(data)
    known = _known(connection, reading_id)
    if any(seq == case.seq for seq, _ in known):
        return []
    connection.execute(
        insert(schema.snapshots).values(reading_id=reading_id, seq=case.seq, blob_sha256=digest, created_utc=created_utc)
    )
    outdated = known[KEPT - 1 :]
    for seq, _ in outdated:
        connection.execute(
            delete(schema.snapshots).where(schema.snapshots.c.reading_id == reading_id, schema.snapshots.c.seq == seq)
        )
    snapshots = schema.snapshots.c.blob_sha256
    still_needed = set(connection.execute(select(snapshots).where(snapshots.in_([old for _, old in outdated]))).scalars())
    return [old for _, old in outdated if old not in still_needed]


def _known(connection: Connection, reading_id: int) -> list[tuple[int, str]]:
    snapshots = schema.snapshots.c
    statement = (
        select(snapshots.seq, snapshots.blob_sha256)
        .where(snapshots.reading_id == reading_id)
        .order_by(snapshots.seq.desc())
    )
    return [(int(seq), str(digest)) for seq, digest in connection.execute(statement)]


def _bricks(index: Json, data: memoryview) -> dict[Brick, bytes]:
    bricks: dict[Brick, bytes] = {}
    for k, j, i, start, size, digest in index:
        packed = bytes(data[start : start + size])
        if hashlib.sha256(packed).hexdigest() != digest:
            raise StoreError("A snapshot is damaged.", detail=f"brick {k},{j},{i}")
        bricks[int(k), int(j), int(i)] = packed
    return bricks
