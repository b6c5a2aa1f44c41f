"""Binary parts of a stored document: small ones beside it in the row, large ones as blobs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from medview.core.errors import LabelError, StoreError
from medview.core.packed_voxels import unpack
from medview.core.prediction import PredictedMask
from medview.core.segmentation import LabelArray

Json = Any
"""What ``json.loads`` gives. Readers check every field they take from it."""

INLINE_LIMIT_BYTES = 256 * 1024
"""Parts larger than this become blobs."""


class PartWriter:
    """Collects the binary parts of one document.

    Attributes
    ----------
    payload : bytearray
        Small parts, end to end.
    blobs : dict of str to bytes
        Large parts by their SHA-256; they have to be on disk before the document is.
    """

    def __init__(self) -> None:
        self.payload = bytearray()
        self.blobs: dict[str, bytes] = {}
        self._masks: dict[int, Json] = {}

    def add(self, data: bytes, *, blob: bool = False) -> Json:
        """Take a part in and return the reference that stands for it in the document."""
        digest = hashlib.sha256(data).hexdigest()
        if blob or len(data) > INLINE_LIMIT_BYTES:
            self.blobs[digest] = data
            return {"blob": digest, "size": len(data)}
        start = len(self.payload)
        self.payload += data
        return {"at": start, "size": len(data), "sha256": digest}

    def add_mask(self, mask: PredictedMask) -> Json:
        """Take in the voxels of a mask, which many changes of one command may be made of, as a blob."""
        packed = mask.packed()
        if id(packed) not in self._masks:
            self._masks[id(packed)] = self.add(packed, blob=True)
        return self._masks[id(packed)]

    @property
    def size_bytes(self) -> int:
        """Bytes of all parts."""
        return len(self.payload) + sum(len(data) for data in self.blobs.values())


class PartReader:
    """Gives back the parts of one document.

    Parameters
    ----------
    payload : bytes
        The small parts.
    get_blob : callable
        Returns a large part by its SHA-256, verified.
    masks : dict
        Unpacked masks by SHA-256, shared by the documents of one load: a mask that was proposed and then accepted is the
        same array in both.
    """

    def __init__(
        self, payload: bytes, get_blob: Callable[[str], bytes], masks: dict[str, LabelArray] | None = None
    ) -> None:
        self._payload = payload
        self._get_blob = get_blob
        self._masks = {} if masks is None else masks

    def get(self, reference: Json) -> bytes:
        """Return the part a reference stands for.

        Raises
        ------
        StoreError
            When it is missing or its bytes have changed.
        """
        if "blob" in reference:
            return self._get_blob(str(reference["blob"]))
        start, size = int(reference["at"]), int(reference["size"])
        data = self._payload[start : start + size]
        if len(data) != size or hashlib.sha256(data).hexdigest() != reference["sha256"]:
            raise StoreError("A part of a stored change is damaged.", detail=f"part at {start}, {size} bytes")
        return data

    def mask(self, reference: Json, shape_kji: tuple[int, int, int]) -> LabelArray:
        """Return the voxels of a mask, unpacked and read-only.

        Raises
        ------
        StoreError
            When it is missing, damaged or of another shape.
        """
        digest = str(reference["blob"])
        if digest not in self._masks:
            self._masks[digest] = unpack_stored(self.get(reference), shape_kji)
        voxels = self._masks[digest]
        if voxels.shape != shape_kji:
            raise StoreError("Stored voxels do not fill their box.", detail=f"{voxels.shape} for {shape_kji}")
        return voxels


def unpack_stored(packed: bytes, shape_kji: tuple[int, int, int]) -> LabelArray:
    """Return stored voxels, read-only.

    Raises
    ------
    StoreError
        When the bytes are damaged or hold another number of voxels.
    """
    try:
        return unpack(packed, shape_kji)
    except LabelError as error:
        raise StoreError(error.sentence, detail=error.detail) from error


def blobs_of(document: Json) -> set[str]:
    """Return the SHA-256 of every blob a document refers to."""
    if isinstance(document, dict):
        found = {str(document["blob"])} if "blob" in document else set()
        return found.union(*(blobs_of(value) for value in document.values()))
    if isinstance(document, list):
        return set().union(*(blobs_of(value) for value in document))
    return set()
