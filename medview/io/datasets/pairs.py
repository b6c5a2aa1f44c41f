"""Images and label files that belong together: those with the same stem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from medview.core.errors import ReadError
from medview.core.job import JobContext
from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.inside import files_of, named, short_list, stem_of

IMAGE_FOLDERS = ("images", "image", "imagestr", "imgs", "img", "scans", "jpegimages")
LABEL_FOLDERS = ("labels", "label", "labelstr", "masks", "mask", "segmentations", "annotations", "ground_truth")
LABEL_ENDS = ("_mask", "-mask", "_masks", "_seg", "-seg", "_segmentation", "_label", "-label", "_labels", "_gt", ".seg")
"""What a label file may have behind the stem of its image."""
IMAGE_ENDS = ("_image", "-image", "_img", "-img", "_scan")
"""What an image may have where its label file has one of those."""
DEPTH = 4


@dataclass(frozen=True, slots=True)
class Pair:
    """An image and the file with its labels.

    Attributes
    ----------
    key : str
        The stem; with the folders in front where one stem stands in several.
    inside : str
        Path of the image inside the folder of images.
    """

    key: str
    inside: str
    image: Path
    label: Path


def image_and_label_folders(request: DatasetRequest) -> tuple[Path, Path]:
    """Return the folders a person named, or the two that lie beside each other in the dataset under usual names.

    Raises
    ------
    ReadError
        When they are not there, or there is more than one pair.
    """
    if request.images is not None and request.labels is not None:
        return request.images, request.labels
    if request.source is None:
        raise ReadError("Say where the images and the labels are: --images and --labels, or one folder that holds both.")
    found = list(_beside(request.source, DEPTH))
    if len(found) == 1:
        return found[0]
    what = "several pairs of folders" if found else "no two folders"
    raise ReadError(
        f"{named(request.source.name)} holds {what} of images and labels beside each other; name them by --images "
        "and --labels."
    )


def _beside(folder: Path, depth: int) -> list[tuple[Path, Path]]:
    folders = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    by_name = {path.name.casefold(): path for path in folders}
    images = [by_name[name] for name in IMAGE_FOLDERS if name in by_name]
    labels = [by_name[name] for name in LABEL_FOLDERS if name in by_name]
    if images and labels:
        return [(images[0], labels[0])]
    return [pair for path in folders for pair in _beside(path, depth - 1)] if depth else []


def pairs(
    images: Path,
    labels: Path,
    endings: Collection[str],
    context: JobContext,
    label_endings: Collection[str] = (),
) -> list[Pair]:
    """Return all images below one folder with their label files below another, in the order of the images.

    Parameters
    ----------
    label_endings : collection of str
        Of label files, where they are of another kind than images.

    Raises
    ------
    ReadError
        When a file has no counterpart, or two have the same: the sentence names it.
    """
    # Both in one folder tell each other apart by the end of their stems.
    if images.resolve() == labels.resolve() and not label_endings:
        found = dict(files_of(images, endings, context))
        label_files = {inside: path for inside, path in found.items() if _bare(stem_of(inside)) != stem_of(inside)}
        image_files = {inside: path for inside, path in found.items() if inside not in label_files}
    else:
        image_files = dict(files_of(images, endings, context))
        label_files = dict(files_of(labels, label_endings or endings, context))
    if not image_files:
        raise ReadError(f"{named(images.name)} holds no files that end in {', '.join(endings)}; choose another folder.")
    deep = _repeated(image_files) or _repeated(label_files)
    by_stem: dict[str, str] = {}
    for inside in image_files:
        key = _key(inside, deep=deep)
        if key in by_stem:
            raise ReadError(f"{named(by_stem[key])} and {named(inside)} have the same stem; rename one of them.")
        by_stem[key] = inside
    of_image: dict[str, str] = {}
    alone: list[str] = []
    for inside in label_files:
        key = _key(inside, deep=deep)
        bare = _named_alike(key, by_stem)
        if bare not in by_stem:
            alone.append(inside)
        elif bare in of_image:
            raise ReadError(
                f"{named(of_image[bare])} and {named(inside)} both belong to the image {named(bare)}; remove one."
            )
        else:
            of_image[bare] = inside
    unpaired = [f"the image {named(by_stem[key])}" for key in by_stem if key not in of_image]
    unpaired += [f"the label file {named(inside)}" for inside in alone]
    if unpaired:
        verb = "has" if len(unpaired) == 1 else "have"
        raise ReadError(
            f"Nothing was imported: {short_list(unpaired)} {verb} no counterpart of the same stem; add or remove it."
        )
    return [Pair(key, inside, image_files[inside], label_files[of_image[key]]) for key, inside in by_stem.items()]


def _repeated(files: Collection[str]) -> bool:
    counts = Counter(stem_of(inside) for inside in files)
    return max(counts.values(), default=0) > 1


def _key(inside: str, *, deep: bool) -> str:
    folder = inside.rpartition("/")[0]
    return f"{folder}/{stem_of(inside)}" if deep and folder else stem_of(inside)


def _named_alike(key: str, images: Collection[str]) -> str:
    """Return the image a label file is called as, or its own bare stem where there is none."""
    bare = _bare(key)
    called = (key, bare, *(f"{bare}{end}" for end in IMAGE_ENDS), *(f"{key}{end}" for end in IMAGE_ENDS))
    return next((stem for stem in called if stem in images), bare)


def _bare(stem: str) -> str:
    return next((stem[: -len(end)] for end in LABEL_ENDS if stem.lower().endswith(end) and len(stem) > len(end)), stem)
