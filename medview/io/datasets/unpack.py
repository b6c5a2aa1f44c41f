"""Images that stand in one array file, as files of their own: what is labelled has to be opened one by one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from medview.core.errors import WriteError
from medview.core.job import JobContext
from medview.core.volume import Volume
from medview.io import nifti
from medview.io.datasets.foreign import ForeignCase, ForeignDataset, ImageRef
from medview.io.datasets.new_folder import new_folder
from medview.io.datasets.reading import load_image
from medview.io.pictures import read_voxels
from medview.io.reader_pool import Pool

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
PROGRESS_EVERY = 50


def in_arrays(dataset: ForeignDataset) -> bool:
    """Whether images of a dataset have no files of their own."""
    return any(image.member for case in dataset.cases for image in case.images)


def unpack_images(dataset: ForeignDataset, folder: Path, context: JobContext, pool: Pool) -> ForeignDataset:
    """Write the images of a dataset that have no files into a new folder, and return the dataset with these.

    Pictures become PNG, volumes NIfTI without a place. An unpacked image is found again by its content: unpacking the same
    file into another folder gives the same series.

    Raises
    ------
    ReadError, WriteError, DiskFullError
        Nothing is left behind then.
    """
    cases: list[ForeignCase] = []
    splits: dict[bytes, list[str]] = {}
    with new_folder(folder) as draft:
        for number, case in enumerate(dataset.cases):
            context.raise_if_cancelled()
            if number % PROGRESS_EVERY == 0:
                context.progress(number / len(dataset.cases), f"Unpacking image {number + 1} of {len(dataset.cases)}")
            images, pixels = _unpacked(case, draft, folder, pool)
            cases.append(replace(case, images=images))
            for one in pixels:
                splits.setdefault(one, []).append(case.split)
    return replace(dataset, cases=tuple(cases), notes=(*dataset.notes, *_twice(splits.values())))


def unpacked_before(dataset: ForeignDataset, folder: Path) -> ForeignDataset | None:
    """Return the dataset with the images that were unpacked into a folder earlier; None where one of them is not there."""
    cases: list[ForeignCase] = []
    for case in dataset.cases:
        found: list[ImageRef] = []
        for channel, image in enumerate(case.images):
            stem = case.key if len(case.images) == 1 else f"{case.key}-{channel}"
            path = next((p for end in (".png", ".nii.gz") if (p := folder / f"{stem}{end}").is_file()), None)
            if not image.member or not _KEY.fullmatch(case.key) or path is None:
                return None
            found.append(ImageRef(str(path), image.channel))
        cases.append(replace(case, images=tuple(found)))
    return replace(dataset, cases=tuple(cases))


def _twice(splits: Iterable[Sequence[str]]) -> tuple[str, ...]:
    repeated = [of for of in splits if len(of) > 1]
    if not repeated:
        return ()
    count = "1 picture stands" if len(repeated) == 1 else f"{len(repeated)} pictures stand"
    torn = sum(len(set(of)) > 1 for of in repeated)
    return (f"{count} in the file more than once, {torn} of them in more than one split.",)


def _unpacked(case: ForeignCase, draft: Path, folder: Path, pool: Pool) -> tuple[tuple[ImageRef, ...], list[bytes]]:
    """Write the images of a case; return them and hashes of their pixels."""
    if not _KEY.fullmatch(case.key):
        raise WriteError("An image was not unpacked: its name in the file is no name of a file.")
    found: list[ImageRef] = []
    pixels: list[bytes] = []
    for channel, image in enumerate(case.images):
        if not image.member:
            found.append(image)
            continue
        stem = case.key if len(case.images) == 1 else f"{case.key}-{channel}"
        volume = load_image(image, pool)
        pixels.append(hashlib.sha256(volume.voxels.tobytes()).digest())
        name = _write(volume, draft, stem)
        found.append(ImageRef(str(folder / name), image.channel))
    return tuple(found), pixels


def _write(volume: Volume, folder: Path, stem: str) -> str:
    voxels = volume.voxels
    if len(voxels) > 1 or voxels.dtype.name not in ("uint8", "uint16") or (volume.colour and voxels.dtype.name != "uint8"):
        path = folder / f"{stem}.nii.gz"
        nifti.write_label_map(path, voxels, volume.geometry)
        back = nifti.read_voxels(str(path))
    else:
        path = folder / f"{stem}.png"
        # Two rows may hold the same picture and are two cases all the same: what tells them apart stands in the file.
        said = PngInfo()
        said.add_text("Title", stem)
        Image.fromarray(voxels[0]).save(path, format="PNG", pnginfo=said)
        back = read_voxels(str(path))
    if back.shape != voxels.shape or not (back == voxels).all():
        raise WriteError(f"{path.name} was not written as it is; check the disk it goes to.")
    return path.name
