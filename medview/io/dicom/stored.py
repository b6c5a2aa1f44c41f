"""The smallest dtype and the one rescale for the slices of a volume."""

from __future__ import annotations

from collections.abc import Sequence

from medview.core.volume import Rescale
from medview.io.dicom.group import Slice
from medview.io.dicom.instance import PixelFormat


def stored_dtype(slices: Sequence[Slice]) -> tuple[str, Rescale]:
    """Return the numpy name of the dtype that holds all slices, and their rescale.

    Where rescale differs between slices, or a Modality LUT applies, the voxels are the values: float32, identity.

    Returns
    -------
    dtype : str
        Empty when the pixels are stored in a way that is not read.
    rescale : Rescale
    """
    formats = [one.instance.pixels for one in slices]
    if not all(pixels.readable for pixels in formats):
        return "", Rescale()
    if formats[0].colour:
        return "uint8", Rescale()
    if any(pixels.kind == "float64" for pixels in formats):
        return "float64", _common(slices) or Rescale()
    rescale = _common(slices)
    if rescale is None or any(pixels.kind == "float32" or pixels.lut for pixels in formats):
        return "float32", Rescale() if rescale is None or any(pixels.lut for pixels in formats) else rescale
    low = min(_range(pixels)[0] for pixels in formats)
    high = max(_range(pixels)[1] for pixels in formats)
    for name, smallest, largest in _INTEGERS:
        if smallest <= low and high <= largest:
            return name, rescale
    return "", Rescale()


_INTEGERS = tuple(
    (f"{sign}int{bits}", -(1 << (bits - 1)) if sign == "" else 0, (1 << (bits - (sign == ""))) - 1)
    for bits in (8, 16, 32)
    for sign in ("u", "")
)


def varying(slices: Sequence[Slice]) -> bool:
    """Whether rescale differs between slices."""
    return _common(slices) is None


def _common(slices: Sequence[Slice]) -> Rescale | None:
    found = {one.frame.rescale or Rescale() for one in slices}
    return found.pop() if len(found) == 1 else None


def _range(pixels: PixelFormat) -> tuple[int, int]:
    bits = pixels.bits_stored
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if pixels.signed else (0, (1 << bits) - 1)
