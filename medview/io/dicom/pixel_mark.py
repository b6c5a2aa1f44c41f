"""The hash of the pixels an object was made on, in a private element: UIDs do not tell altered copies apart."""

from __future__ import annotations

from pydicom.dataset import Dataset

from medview.core.pixel_hash import is_pixels_sha256

GROUP = 0x0071
CREATOR = "MEDVIEW"
ELEMENT = 0x01


def put_pixel_mark(dataset: Dataset, pixels: str) -> None:
    """Write a value of ``core.pixel_hash.pixels_sha256`` into a data set."""
    dataset.private_block(GROUP, CREATOR, create=True).add_new(ELEMENT, "UT", pixels)


def pixel_mark(dataset: Dataset) -> str:
    """Return the hash a data set carries, or empty when it carries none that is understood."""
    try:
        value = dataset.private_block(GROUP, CREATOR)[ELEMENT].value
    except (KeyError, ValueError, TypeError, NotImplementedError, AttributeError):
        return ""
    # In implicit VR the type of a private element is not known.
    found = (bytes(value).decode("ascii", "replace") if isinstance(value, bytes) else str(value)).strip("\x00 ")
    return found if is_pixels_sha256(found) else ""
