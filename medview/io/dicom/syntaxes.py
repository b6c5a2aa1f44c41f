"""Transfer syntaxes: what they are called, and which change pixels."""

from __future__ import annotations

ALWAYS_LOSSY = frozenset(
    f"1.2.840.10008.1.2.4.{n}"
    for n in ("50", "51", "53", "55", "81", "100", "101", "102", "103", "104", "105", "106", "107", "108")
)
"""Transfer syntaxes that cannot keep pixels as they were, JPEG and MPEG (PS3.5 8.2)."""

VIDEO = frozenset(f"1.2.840.10008.1.2.4.{n}{part}" for n in range(100, 109) for part in ("", ".1"))
"""MPEG and HEVC: one stream holds all frames; ``.1`` may come in several fragments."""


def syntax_title(uid: str) -> str:
    """Return the name of a transfer syntax as the standard writes it, or the UID of an unknown one."""
    # The window stands before the DICOM library is imported.
    from pydicom.uid import UID

    name = UID(uid).name if uid else ""
    return name.split(" (")[0].removesuffix(" Image Compression")
