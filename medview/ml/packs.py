"""Model packs on disk: reading, checking, unpacking and writing them."""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medview.core.atomic import write_error
from medview.core.errors import PackError
from medview.ml.networks.table import NETWORKS
from medview.ml.spec import MODEL_FILE, WEIGHTS_FILE, ModelSpec
from medview.ml.spec_reader import LARGEST_DOCUMENT, read_spec

LARGEST_PACK_BYTES = 8 << 30
"""A zip that unpacks to more is refused before a byte is written."""

LARGEST_RATIO = 200
"""A member that inflates by more is refused; weights hardly compress at all."""

MOST_MEMBERS = 64

LONGEST_NAME = 200

BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)
"""What reading a broken zip ends in."""

PICKLE_SIGNS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""How files of ``torch.save`` and other pickles begin; loading them could run code."""

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelPack:
    """A pack whose description has been read.

    Attributes
    ----------
    folder : Path
        Holds ``model.json`` and the files it lists.
    sha256 : str
        Checksum of the weights, of an ensemble over all members; goes into the source of every prediction.
    digest : str
        Checksum over the description and all listed files: the pack's identity.
    bundled : bool
        Came with MedView; cannot be removed.
    available : bool
        Whether this MedView can run it; ``reason`` says why not.
    """

    spec: ModelSpec
    folder: Path
    sha256: str
    digest: str
    bundled: bool = False
    available: bool = True
    reason: str = ""

    @property
    def weights(self) -> Path:
        """Where the weights are."""
        return self.folder / WEIGHTS_FILE


def load_pack(path: Path, *, bundled: bool = False, verify: bool = True) -> ModelPack:
    """Read the pack in a folder.

    Parameters
    ----------
    path : Path
        A folder with ``model.json``. For a zip use ``unpack`` first.
    verify : bool
        Compare every listed file with its checksum; without, only that they are there.

    Raises
    ------
    PackError
        With one sentence; nothing of the pack has been used.
    """
    document = _read_document(path)
    spec = read_spec(document)
    for name, expected in spec.files.items():
        file = path / name
        if file.is_symlink() or not file.is_file():
            raise PackError(f"The model pack {path.name} lacks its file {name}; copy the pack again.")
        if name in spec.ensemble:
            refuse_pickle(file)
        if verify and sha256_of(file) != expected:
            raise PackError(
                f"{name} of the model pack {path.name} has a wrong checksum: not what its author packed; copy it again."
            )
    digest = hashlib.sha256(document).hexdigest()
    known = spec.network.name in NETWORKS
    reason = "" if known else f"It needs the network {spec.network.name}, which this MedView does not have; update MedView."
    return ModelPack(spec, path, _weights_sha256(spec), digest, bundled, known, reason)


def _weights_sha256(spec: ModelSpec) -> str:
    """Return the checksum of the weights; of an ensemble that of all its members' checksums one after the other."""
    if len(spec.ensemble) == 1:
        return spec.files[WEIGHTS_FILE]
    return hashlib.sha256("".join(spec.files[name] for name in spec.ensemble).encode()).hexdigest()


def looks_like_pack(path: Path) -> bool:
    """Whether a folder or zip has a description and weights where a pack has them; other zips may be foreign models."""
    if path.is_dir():
        return (path / MODEL_FILE).is_file() and (path / WEIGHTS_FILE).is_file()
    try:
        with zipfile.ZipFile(path) as zipped:
            names = {tuple(name.split("/")) for name in zipped.namelist()}
    except (*BROKEN_ZIP, OSError):
        # What is wrong with a zip is said where packs are unpacked.
        return path.suffix.lower() == ".zip"
    tops = {way[:-1] for way in names if way[-1] == MODEL_FILE and len(way) <= 2}
    return any((*top, WEIGHTS_FILE) in names for top in tops)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zipped pack into an empty folder; nothing is ever written outside of it.

    The zip may hold the pack at its top or in one folder. Members are written under the plain names checked here, never
    under a path from the zip.

    Raises
    ------
    PackError
        When the zip is damaged, hides paths or links, or would unpack to more than it may.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = [m for m in zipped.infolist() if not m.is_dir()]
            names = _plain_names(archive, members)
            for member, name in zip(members, names, strict=True):
                write_member(zipped, member, folder / name, archive)
    except BROKEN_ZIP as error:
        raise PackError(f"{archive.name} is not a readable zip; copy it again.", detail=repr(error)) from error


def write_pack(folder: Path, document: Mapping[str, object], files: Mapping[str, bytes | Path]) -> ModelPack:
    """Write a pack into a folder, replacing what is there.

    Parameters
    ----------
    document : mapping
        ``model.json`` without ``files``, whose checksums are filled in here.
    files : mapping of str to bytes or Path
        At least ``weights.safetensors``; a path is that of a file to copy.

    Raises
    ------
    PackError
        When the document is not what MedView would read back.
    WriteError
        When the folder cannot be written.
    """
    checksums = {
        name: sha256_of(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()
        for name, content in files.items()
    }
    text = json.dumps({**document, "files": checksums}, indent=2, ensure_ascii=False) + "\n"
    read_spec(text)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".pack-") as made:
            fresh = Path(made) / "pack"
            fresh.mkdir()
            for name, content in {**files, MODEL_FILE: text.encode()}.items():
                _write_synced(fresh / name, content)
            if folder.exists():
                folder.rename(Path(made) / "old")
            fresh.rename(folder)
    except OSError as error:
        raise write_error(folder, error) from error
    return load_pack(folder)


def copy_pack(pack: ModelPack, folder: Path) -> None:
    """Copy the description and the listed files of a pack into a new folder, and nothing else.

    Raises
    ------
    WriteError
        When the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True)
        for name in (MODEL_FILE, *pack.spec.files):
            shutil.copyfile(pack.folder / name, folder / name)
    except OSError as error:
        raise write_error(folder, error) from error


def refuse_pickle(weights: Path) -> None:
    """Refuse weights that are a pickle whatever their name says.

    Raises
    ------
    PackError
        When the file is not safetensors.
    """
    try:
        with weights.open("rb") as opened:
            start = opened.read(9)
    except OSError as error:
        raise PackError(f"The weights {weights.name} cannot be read; check the file.", detail=repr(error)) from error
    header = int.from_bytes(start[:8], "little")
    if start[8:] == b"{" and header + 8 <= weights.stat().st_size:
        return
    if start.startswith(PICKLE_SIGNS):
        raise PackError(
            f"The weights {weights.name} are a Python pickle, which could run code; ask the author for safetensors.",
            detail=start.hex(),
        )
    raise PackError(
        f"The weights {weights.name} are not a whole safetensors file; copy the pack again.", detail=start.hex()
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _read_document(folder: Path) -> bytes:
    file = folder / MODEL_FILE
    try:
        if file.stat().st_size > LARGEST_DOCUMENT:
            raise PackError(f"{MODEL_FILE} of {folder.name} is larger than a description of a model can be.")
        return file.read_bytes()
    except OSError as error:
        raise PackError(f"{folder.name} is not a model pack: it has no {MODEL_FILE}.", detail=repr(error)) from error


def _plain_names(archive: Path, members: list[zipfile.ZipInfo]) -> list[str]:
    if not 0 < len(members) <= MOST_MEMBERS:
        raise PackError(
            f"{archive.name} holds {len(members)} files, which no model pack does; check that it is the right file."
        )
    if sum(m.file_size for m in members) > LARGEST_PACK_BYTES:
        raise PackError(f"{archive.name} would unpack to more than {LARGEST_PACK_BYTES >> 30} GB; it is not a model pack.")
    parts = [m.filename.split("/") for m in members]
    if all(len(p) == 2 for p in parts) and len({p[0] for p in parts}) == 1 and parts[0][0] not in ("", ".", ".."):
        parts = [p[1:] for p in parts]
    names = [p[0] if len(p) == 1 else "" for p in parts]
    for member, name in zip(members, names, strict=True):
        kind = stat.S_IFMT(member.external_attr >> 16)
        plain = name not in ("", ".", "..") and not set(name) & set('\\:*?"<>|\x00')
        plain = plain and name.isprintable() and len(name) <= LONGEST_NAME
        if not plain or kind not in (0, stat.S_IFREG) or member.flag_bits & 1:
            raise PackError(
                f"{archive.name} holds a file that would not stay inside the pack's folder; it was not opened.",
                detail=repr(member.filename),
            )
        if member.file_size > LARGEST_RATIO * max(member.compress_size, 1) + 4096:
            raise PackError(
                f"{archive.name} holds a file that inflates without bound; it was not opened.", detail=repr(member)
            )
    # On some disks names that differ only in case are the same file.
    if len({name.casefold() for name in names}) != len(names):
        raise PackError(f"{archive.name} holds the same file twice; it was not opened.")
    return names


def write_member(zipped: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, archive: Path) -> None:
    """Write one member of a zip into a new file, and no more of it than the zip declares.

    Raises
    ------
    PackError
        When it inflates to more.
    WriteError
        When the file cannot be written.
    """
    left = member.file_size
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipped.open(member) as packed, target.open("xb") as opened:
            while chunk := packed.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise PackError(f"{archive.name} holds a file larger than it declares; it was not opened.")
                opened.write(chunk)
    except OSError as error:
        raise write_error(target, error) from error


def _write_synced(path: Path, content: bytes | Path) -> None:
    with path.open("xb") as opened:
        if isinstance(content, Path):
            with content.open("rb") as source:
                shutil.copyfileobj(source, opened, _CHUNK)
        else:
            opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
