"""Large payloads, named by what they hold."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from medview.core.atomic import sync_folder
from medview.core.errors import StoreError
from medview.store.durable import write_durably

_NAME = re.compile(r"[0-9a-f]{64}")


class BlobStore:
    """A folder of immutable files named by their SHA-256.

    Parameters
    ----------
    folder : Path
        Made when the first blob is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> str:
        """Keep ``data`` and return its SHA-256; bytes that are already there are not written again.

        Raises
        ------
        OSError
            When it could not be written; nothing half-written is left behind.
        """
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if path.exists() and path.stat().st_size == len(data):
            return digest
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            sync_folder(self.folder)
            sync_folder(self.folder.parent)
        write_durably(path, data)
        return digest

    def get(self, digest: str) -> bytes:
        """Return what a SHA-256 names.

        Raises
        ------
        StoreError
            When it is missing or its bytes have changed.
        """
        try:
            data = self._path(digest).read_bytes()
        except OSError as error:
            raise StoreError(
                "A file of the project is missing or cannot be read.", detail=f"blob {digest}: {error.strerror}"
            ) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise StoreError("A file of the project is damaged.", detail=f"blob {digest} does not match its name")
        return data

    def discard(self, digest: str) -> None:
        """Remove a blob that nothing refers to any more."""
        self._path(digest).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what a killed writer had begun and not finished. Only for the one who holds the project's lock."""
        for left in self.folder.glob("??/.*.part"):
            left.unlink(missing_ok=True)

    def __contains__(self, digest: str) -> bool:
        return self._path(digest).is_file()

    def __iter__(self) -> Iterator[str]:
        if self.folder.is_dir():
            yield from sorted(p.name for p in self.folder.glob("??/*") if _NAME.fullmatch(p.name))

    def _path(self, digest: str) -> Path:
        # Digests also come out of the database; nothing else may become part of a path.
        if not _NAME.fullmatch(digest):
            raise StoreError("The project refers to a file by an impossible name.", detail=repr(digest))
        return self.folder / digest[:2] / digest
