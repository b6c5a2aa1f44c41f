"""What tells the pixels labels were made on from all others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

import numpy as np

from medview.core.volume import Volume

_LEFT_OUT = " without "


def pixels_sha256(volume: Volume, without: Collection[int] = ()) -> str:
    """Return the SHA-256 of the stored voxels, their dtype and shape, in hexadecimal.

    Parameters
    ----------
    without : collection of int
        Slices k that could not be read. They are left out and named behind the digest: ``<digest> without 3,17``. Their
        zeros must not become the identity of the pixels: what fails to be read today may be whole tomorrow.
    """
    left_out = sorted(set(without))
    digest = hashlib.sha256(f"{volume.voxels.dtype.str}{volume.voxels.shape}".encode())
    if not left_out:
        voxels = np.ascontiguousarray(volume.voxels)
        digest.update(voxels.reshape(-1).view(np.uint8).data)
        return digest.hexdigest()
    listed = ",".join(str(k) for k in left_out)
    digest.update(listed.encode())
    for k in sorted(set(range(len(volume.voxels))) - set(left_out)):
        digest.update(np.ascontiguousarray(volume.voxels[k]).reshape(-1).view(np.uint8).data)
    return f"{digest.hexdigest()}{_LEFT_OUT}{listed}"


def left_out(pixels: str) -> frozenset[int]:
    """Return the slices k that a value of ``pixels_sha256`` does not speak for."""
    _, _, listed = pixels.partition(_LEFT_OUT)
    return frozenset(int(k) for k in listed.split(",")) if listed else frozenset()


def is_pixels_sha256(text: str) -> bool:
    """Whether a text read from a file has the form of ``pixels_sha256``."""
    return re.fullmatch(rf"[0-9a-f]{{64}}({_LEFT_OUT}\d{{1,9}}(,\d{{1,9}})*)?", text) is not None


def same_pixels(volume: Volume, pixels: str) -> bool:
    """Whether a volume holds the pixels that ``pixels`` was made of, as far as it speaks for them."""
    without = left_out(pixels)
    return all(k < len(volume.voxels) for k in without) and pixels_sha256(volume, without) == pixels
