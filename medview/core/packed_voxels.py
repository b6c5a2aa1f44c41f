"""Label voxels, compressed."""

from __future__ import annotations

import math
import zlib

import numpy as np
import numpy.typing as npt

from medview.core.errors import LabelError

_COMPRESSION = 1
"""Labels compress a hundredfold at any level; the fastest keeps gestures under a frame."""

_INPUT_BYTES = 1 << 16
_OUTPUT_BYTES = 1 << 20


def pack(voxels: npt.NDArray[np.uint8]) -> bytes:
    """Return uint8 voxels in C order, zlib-compressed."""
    return zlib.compress(np.ascontiguousarray(voxels).data, _COMPRESSION)


def unpack(packed: bytes, shape_kji: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """Return the voxels of ``pack``; read-only.

    No more is inflated than the shape asks for, and in pieces: in one piece the interpreter's lock would be held for as
    long as the result takes to copy, a tenth of a second for a whole scan.

    Raises
    ------
    LabelError
        When the bytes are damaged or hold another number of voxels.
    """
    size = math.prod(map(int, shape_kji))
    out = np.empty(size, dtype=np.uint8)
    inflate = zlib.decompressobj()
    filled = 0
    try:
        for start in range(0, len(packed), _INPUT_BYTES):
            left = packed[start : start + _INPUT_BYTES]
            while not inflate.eof:
                piece = inflate.decompress(left, _OUTPUT_BYTES)
                left = inflate.unconsumed_tail
                if filled + len(piece) > size:
                    raise LabelError("Stored voxels are damaged.", detail=f"more than the {size} of {shape_kji}")
                out[filled : filled + len(piece)] = np.frombuffer(piece, dtype=np.uint8)
                filled += len(piece)
                if not left and len(piece) < _OUTPUT_BYTES:
                    break
    except zlib.error as error:
        raise LabelError("Stored voxels are damaged.", detail=str(error)) from error
    if filled != size or not inflate.eof:
        raise LabelError("Stored voxels are damaged.", detail=f"{filled} of {size} for {shape_kji}")
    out.setflags(write=False)
    return out.reshape(shape_kji)
