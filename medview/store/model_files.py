"""The packs of a project's model line, in ``models/``: each whole or absent, named by the checksum of its description.

The first twelve digits name the folder; nothing a pack says becomes part of a path. What a pack is made of is known from
``model.json`` alone: the files it lists and their checksums.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from medview.core.atomic import sync_folder
from medview.core.errors import StoreError

FOLDER_NAME = "models"
"""In the project's folder."""

DESCRIPTION = "model.json"

_DIGITS = 12
_CHUNK = 1 << 20


class ModelFiles:
    """Keeps and finds packs.

    Parameters
    ----------
    project : Path
        The project's folder; the one for models is made when the first pack comes.
    """

    def __init__(self, project: Path) -> None:
        self._project = project
        self.path = project / FOLDER_NAME

    def folder(self, digest: str) -> Path:
        """Return where the pack with a digest is, or would be."""
        return self.path / digest[:_DIGITS]

    def holds(self, digest: str) -> bool:
        """Whether the pack is there as far as its description tells; its weights are not read."""
        try:
            return _sha256(self.folder(digest) / DESCRIPTION) == digest
        except OSError:
            return False

    def put(self, source: Path, digest: str) -> Path:
        """Copy a pack into the project, checked and safely on disk before it gets its name; return where it is.

        Raises
        ------
        StoreError
            When the source is not the pack with this digest, or damaged.
        OSError
            When it cannot be written; nothing of it is left behind then.
        """
        target = self.folder(digest)
        if target.is_dir() and not self.problem(digest):
            return target
        made = not self.path.is_dir()
        self.path.mkdir(exist_ok=True)
        if made:
            sync_folder(self._project)
        growing = self.path / f".{uuid.uuid4().hex}.part"
        growing.mkdir()
        try:
            _copy(source, growing, digest)
            sync_folder(growing)
            if target.exists():
                # A damaged copy of the same pack.
                gone = target.rename(self.path / f".{uuid.uuid4().hex}.part")
                shutil.rmtree(gone, ignore_errors=True)
            growing.rename(target)
        except BaseException:  # also an interrupt: half a pack must not stay; raised again below
            shutil.rmtree(growing, ignore_errors=True)
            raise
        sync_folder(self.path)
        return target

    def problem(self, digest: str) -> str:
        """Return what is wrong with a kept pack, every byte of it read: a few words, or nothing."""
        folder = self.folder(digest)
        try:
            for name, expected in {DESCRIPTION: digest, **_listed(folder, digest)}.items():
                if _sha256(folder / name) != expected:
                    return f"{name} is not as it was written"
        except FileNotFoundError as error:
            return f"{Path(error.filename).name} is missing"
        except OSError as error:
            return f"it cannot be read ({type(error).__name__})"
        except StoreError as error:
            return error.sentence.rstrip(".")
        return ""

    def sweep(self) -> None:
        """Remove what a killed program had begun and not finished. Only for the one who holds the project's lock."""
        for left in self.path.glob(".*.part"):
            with contextlib.suppress(OSError):
                shutil.rmtree(left)


def _listed(folder: Path, digest: str) -> Mapping[str, str]:
    """Return the files of a pack with their checksums. Raises StoreError for another pack, OSError."""
    text = (folder / DESCRIPTION).read_bytes()
    if hashlib.sha256(text).hexdigest() != digest:
        raise StoreError(f"{DESCRIPTION} is not as it was written.", detail=str(folder))
    try:
        files = {str(name): str(sha256) for name, sha256 in json.loads(text)["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{DESCRIPTION} lists no files.", detail=repr(error)[:200]) from error
    if any(name != Path(name).name or name.startswith(".") for name in files):
        raise StoreError(f"{DESCRIPTION} names files that would not stay in the pack's folder.")
    return files


def _copy(source: Path, target: Path, digest: str) -> None:
    try:
        files = {DESCRIPTION: digest, **_listed(source, digest)}
    except FileNotFoundError as error:
        raise StoreError(f"{source.name} is no model pack; choose another.", detail=repr(error)) from error
    for name, expected in files.items():
        found = hashlib.sha256()
        try:
            opened = (source / name).open("rb")
        except FileNotFoundError as error:
            raise StoreError(f"The model pack {source.name} lacks its file {name}.", detail=repr(error)) from error
        with opened as packed, (target / name).open("xb") as file:
            while chunk := packed.read(_CHUNK):
                found.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if found.hexdigest() != expected:
            raise StoreError(f"{name} of the model pack {source.name} has a wrong checksum; it was not taken.")


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
