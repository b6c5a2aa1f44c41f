"""Names of transfer syntaxes."""

from __future__ import annotations


def syntax_title(uid: str) -> str:
    """Return the name of a transfer syntax as the standard writes it, or the UID of an unknown one."""
    # The window stands before the DICOM library is imported.
    from pydicom.uid import UID

    name = UID(uid).name if uid else ""
    return name.split(" (")[0].removesuffix(" Image Compression")
