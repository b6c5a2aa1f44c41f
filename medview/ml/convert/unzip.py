"""Unpacking the zips that models of other programs come in, with their folders."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from medview.core.errors import PackError
from medview.ml.packs import BROKEN_ZIP, LARGEST_RATIO, LONGEST_NAME, write_member

LARGEST_BYTES = 16 << 30
MOST_FILES = 4096
DEEPEST = 12
SMALL_BYTES = 1 << 20
"""Texts and logs may well inflate by more than weights do."""

_NEVER = set('\\:*?"<>|\x00')


def unzip(archive: Path, folder: Path) -> None:
    """Unpack a zip into a new folder; nothing is ever written outside of it.

    Raises
    ------
    PackError
        When the zip is damaged, hides paths or links, or would unpack to more than it may.
    WriteError
        When the folder cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = [member for member in zipped.infolist() if not member.is_dir()]
            places = _places(archive, members)
            for member, place in zip(members, places, strict=True):
                write_member(zipped, member, folder / place, archive)
    except BROKEN_ZIP as error:
        raise PackError(f"{archive.name} is not a readable zip; copy it again.", detail=repr(error)) from error


def _places(archive: Path, members: list[zipfile.ZipInfo]) -> list[PurePosixPath]:
    if not 0 < len(members) <= MOST_FILES or sum(member.file_size for member in members) > LARGEST_BYTES:
        raise PackError(
            f"{archive.name} holds {len(members)} files or more than {LARGEST_BYTES >> 30} GB, which no model does."
        )
    places = []
    for member in members:
        parts = member.filename.split("/")
        kind = stat.S_IFMT(member.external_attr >> 16)
        plain = all(
            part not in ("", ".", "..") and not set(part) & _NEVER and part.isprintable() and len(part) <= LONGEST_NAME
            for part in parts
        )
        if not plain or len(parts) > DEEPEST or kind not in (0, stat.S_IFREG) or member.flag_bits & 1:
            raise PackError(
                f"{archive.name} holds a file that would not stay inside its folder; it was not opened.",
                detail=repr(member.filename),
            )
        if member.file_size > max(SMALL_BYTES, LARGEST_RATIO * max(member.compress_size, 1)):
            raise PackError(
                f"{archive.name} holds a file that inflates without bound; it was not opened.", detail=repr(member)
            )
        places.append(PurePosixPath(*parts))
    if len({str(place).lower() for place in places}) != len(places):
        raise PackError(f"{archive.name} holds the same file twice; it was not opened.")
    return places
