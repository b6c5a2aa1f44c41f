"""What a power cut may leave of a folder, worked out from notes of everything that was done to it.

The rules are those of POSIX and no kinder: until a file is flushed any of its writes may be on the disk, whole, in part or
not at all, in any order; until a folder is flushed a new, renamed or removed name in it may be known or not, in the order
they were made.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

_HEAD = struct.Struct("=cIqI")
_SECTOR = 512


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that happened.

    Attributes
    ----------
    kind : str
        W write, C cut to a length, S flush of a file or folder, N new file, D new folder, R rename, U unlink, T told.
    path : str
        Inside the folder; of the old name where one is renamed.
    at : int
        Offset, length or row number.
    data : bytes
        Written, or the new name.
    """

    kind: str
    path: str
    at: int
    data: bytes


def read_notes(file: Path, folder: Path) -> list[Note]:
    """Return what ``faulty_disk.c`` wrote down, paths relative to the folder."""
    text, notes, start = file.read_bytes(), list[Note](), 0
    while start < len(text):
        kind, length, at, size = _HEAD.unpack_from(text, start)
        start += _HEAD.size
        path = text[start : start + length].decode()
        data = text[start + length : start + length + size]
        start += length + size
        if kind == b"R":
            data = _inside(data.decode(), folder).encode()
        notes.append(Note(kind.decode(), _inside(path, folder) if path else "", at, data))
    return notes


def _inside(path: str, folder: Path) -> str:
    return path.removeprefix(str(folder)).lstrip("/")


@dataclass(slots=True, eq=False)
class _File:
    """What is on the disk of a file, and what was done to it since it was flushed."""

    durable: bytes = b""
    pending: list[Note] = field(default_factory=list)

    def flush(self) -> None:
        self.durable = _applied(self.durable, self.pending)
        self.pending = []

    def left(self, rng: np.random.Generator) -> bytes:
        """Return what a power cut may leave."""
        match int(rng.integers(4)):
            case 0:
                return self.durable
            case 1:
                return _applied(self.durable, self.pending)
            case 2:
                return _applied(self.durable, self.pending[: int(rng.integers(len(self.pending) + 1))])
            case _:
                return _applied(self.durable, [part for note in self.pending for part in _torn(note, rng)])


def _torn(note: Note, rng: np.random.Generator) -> Iterator[Note]:
    """Yield some of the sectors of a write, or a cut or not."""
    if note.kind == "C":
        if rng.random() < 0.5:
            yield note
        return
    for start in range(0, len(note.data), _SECTOR):
        if rng.random() < 0.5:
            yield Note("W", note.path, note.at + start, note.data[start : start + _SECTOR])


def _applied(content: bytes, notes: Sequence[Note]) -> bytes:
    found = bytearray(content)
    for note in notes:
        end = note.at + len(note.data)
        if len(found) < end:
            found.extend(bytes(end - len(found)))
        if note.kind == "C":
            del found[note.at :]
        else:
            found[note.at : end] = note.data
    return bytes(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A name that came or went: ``gone`` is taken away, then ``come`` is there, a folder where ``file`` is None."""

    gone: str = ""
    come: str = ""
    file: _File | None = None


class Disk:
    """A folder as the program sees it and as the disk has it.

    Parameters
    ----------
    folder : Path
        As it was before the first note, all of it on the disk.
    """

    def __init__(self, folder: Path) -> None:
        files = {str(p.relative_to(folder)): _File(p.read_bytes()) for p in folder.rglob("*") if p.is_file()}
        self._seen: dict[str, _File | None] = {str(p.relative_to(folder)): None for p in folder.rglob("*") if p.is_dir()}
        self._seen |= files
        self._seen[""] = None
        self._durable = dict(self._seen)
        self._pending: dict[str, list[_Entry]] = {}

    def follow(self, note: Note) -> None:
        """Let one thing happen."""
        match note.kind:
            case "W" | "C":
                self._file(note.path).pending.append(note)
            case "S":
                self._flush(note.path)
            case "N":
                self._enter(_Entry(come=note.path, file=_File()))
            case "D":
                self._enter(_Entry(come=note.path))
            case "R":
                self._enter(_Entry(gone=note.path, come=note.data.decode(), file=self._file(note.path)))
            case "U":
                self._enter(_Entry(gone=note.path))

    def left(self, rng: np.random.Generator) -> dict[str, bytes | None]:
        """Return names and contents a power cut may leave now; None for folders. What lies in no folder is lost."""
        names = dict(self._durable)
        for entries in self._pending.values():
            for entry in entries[: int(rng.integers(len(entries) + 1))]:
                _rename(names, entry)
        kept = {name for name in names if all(str(parent) in names or str(parent) == "." for parent in Path(name).parents)}
        return {name: file.left(rng) if file is not None else None for name, file in sorted(names.items()) if name in kept}

    def _file(self, path: str) -> _File:
        # A file may have been removed while it was open; what is written then is of no more use.
        return self._seen.get(path) or _File()

    def _flush(self, path: str) -> None:
        file = self._seen.get(path)
        if file is not None:
            file.flush()
        for entry in self._pending.pop(path, []) if file is None else []:
            _rename(self._durable, entry)

    def _enter(self, entry: _Entry) -> None:
        _rename(self._seen, entry)
        self._pending.setdefault(_folder(entry.come or entry.gone), []).append(entry)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _rename(names: dict[str, _File | None], entry: _Entry) -> None:
    names.pop(entry.gone, None) if entry.gone else None
    if entry.come:
        names[entry.come] = entry.file


def build(folder: Path, left: dict[str, bytes | None]) -> None:
    """Make a folder that holds what was left."""
    folder.mkdir()
    for name, content in left.items():
        if content is None:
            (folder / name).mkdir(exist_ok=True)
        else:
            (folder / name).write_bytes(content)
