"""Formats of labelled datasets in words, and which one a folder looks like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from medview.core.language import _

_PICTURES = (".png", ".jpg", ".jpeg")
_MOST = 2000
"""Names that are looked at before a guess is made."""


@dataclass(frozen=True, slots=True)
class DatasetWords:
    """A format for people.

    Attributes
    ----------
    form : str
        As ``io.datasets.table.FORMATS`` knows it.
    pairs : bool
        Images and labels lie in two folders, which may be named apart.
    values : bool
        What the values of its masks are called may be said.
    one_file : bool
        It is a file, not a folder.
    """

    form: str
    title: str
    about: str
    pairs: bool = False
    values: bool = False
    one_file: bool = False


DATASET_WORDS = (
    DatasetWords("dicom-seg", _("DICOM SEG"), _("Series with SEG files, or SEG files alone of series that are cases here")),
    DatasetWords("rtstruct", _("DICOM RTSTRUCT"), _("Series with structure sets, or structure sets alone of cases here")),
    DatasetWords(
        "nifti-pairs",
        _("Volumes and label maps (NIfTI, NRRD)"),
        _("Files of the same name in two folders; names of values from dataset.json, a companion, or below"),
        pairs=True,
        values=True,
    ),
    DatasetWords(
        "image-mask",
        _("Pictures and masks (PNG, JPEG)"),
        _("Files of the same name in two folders; names of values below"),
        pairs=True,
        values=True,
    ),
    DatasetWords("coco", _("COCO"), _("A JSON with boxes and outlines, and its pictures")),
    DatasetWords("voc", _("Pascal VOC"), _("Annotations in XML and JPEGImages: boxes")),
    DatasetWords("yolo", _("YOLO"), _("data.yaml, images and labels: boxes or outlines")),
    DatasetWords("nnunet", _("nnU-Net, Medical Decathlon"), _("dataset.json, imagesTr and labelsTr")),
    DatasetWords("class-folders", _("A folder for every class"), _("Pictures in folders named by what they show: answers")),
    DatasetWords("medmnist-npz", _("MedMNIST (.npz)"), _("Arrays of pictures and classes in one file"), one_file=True),
)


def guessed_form(source: Path) -> str:
    """Return the format a folder or file looks like by its names alone; empty where nothing tells."""
    if source.is_file():
        return {".npz": "medmnist-npz", ".json": "coco", ".yaml": "yolo", ".yml": "yolo"}.get(source.suffix.lower(), "")
    names = _names(source)
    lower = {name.casefold() for name in names}
    if "dataset.json" in lower and {"imagestr", "labelstr"} & lower:
        return "nnunet"
    if "data.yaml" in lower or "data.yml" in lower:
        return "yolo"
    if "annotations" in lower and "jpegimages" in lower:
        return "voc"
    if "annotations" in lower or any(name.endswith(".json") for name in lower):
        return "coco"
    inner = [path for name in names if (path := source / name).is_dir()]
    held = {path.name.casefold(): [name.casefold() for name in _names(path)] for path in inner}
    masks = next((held[name] for name in ("labels", "label", "masks", "mask", "segmentations") if name in held), None)
    if masks is not None:
        return "image-mask" if _any(masks, _PICTURES) else "nifti-pairs"
    if held and all(_any(names_of, _PICTURES) for names_of in held.values()):
        return "class-folders"
    every = [name for names_of in (*held.values(), lower) for name in names_of]
    if any("rtstruct" in name or name.startswith("rs.") for name in every):
        return "rtstruct"
    return "dicom-seg" if _any(every, (".dcm",)) else ""


def _any(names: Iterable[str], endings: tuple[str, ...]) -> bool:
    return any(name.endswith(endings) for name in names)


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for _n, path in zip(range(_MOST), folder.iterdir(), strict=False)]
    except OSError:
        return []
