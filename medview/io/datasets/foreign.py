"""A labelled dataset of somebody else as plain values: which images there are, and where the labels of each stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from medview.core.annotations import BoxAnnotation, ImageLabel, Trace
from medview.core.geometry import Geometry
from medview.io.imported_labels import ImportedLabels, Target

BY_IMAGE = "Nothing says which patient an image is of: splits are by image, and one patient may stand on both sides."
"""The note of a dataset without patients."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownImages:
    """A series that is a case already: labels alone are enough where they were drawn on it.

    Attributes
    ----------
    sop_instance_uids : frozenset of str
    paths : tuple of str
        Where its files were.
    """

    series_uid: str
    study_uid: str
    frame_of_reference_uid: str
    sop_instance_uids: frozenset[str]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """What a person says about a dataset.

    Attributes
    ----------
    source : Path or None
        The folder, or the file, of the whole dataset.
    images, labels : Path or None
        The folders of both, where they are given apart.
    label_values : mapping of int to str
        What the values of masks, or the numbers of classes, are called; an empty name leaves a value out.
    patient_from : str
        Regular expression searched for in the path of an image inside its folder; its first group, or all of it, is the
        patient's key.
    split_from : Path or None
        File that says in which split every image is (see ``splits``).
    threshold : float or None
        From which probability (0 to 1) a voxel belongs, where a SEG holds probabilities.
    leave_out : bool
        What belongs to no images here, or cannot be read, is left out and said instead of stopping everything.
    known : tuple of KnownImages
        Where to look for the images of DICOM labels that are not in the folder.
    """

    source: Path | None = None
    images: Path | None = None
    labels: Path | None = None
    label_values: Mapping[int, str] = field(default_factory=dict)
    patient_from: str = ""
    split_from: Path | None = None
    threshold: float | None = None
    leave_out: bool = False
    known: tuple[KnownImages, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageRef:
    """One picture or volume that a case looks at.

    Attributes
    ----------
    path : str
        A file that exists; never built from a name that leads out of the dataset.
    channel : str
        What it shows, where a case has several; or empty.
    time_point : int
        Of a 4-D file.
    member, row : str, int
        Of an array file: the array, and its row.
    series_uid : str
        Of a DICOM series: all of its files lie at or below ``path``.
    """

    path: str
    channel: str = ""
    time_point: int = 0
    member: str = ""
    row: int = 0
    series_uid: str = ""


class LabelSource(Protocol):
    """Where the labels of a case stand. It can be pickled, and is read in a reader process."""

    @property
    def path(self) -> str:
        """The file, for sentences."""

    def read(self, target: Target) -> FoundLabels:
        """Return the labels on the grid of an image. Raises MedViewError."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundLabels:
    """The labels of one case, before they enter a project.

    Attributes
    ----------
    geometry : Geometry
        The grid of the image.
    masks : ImportedLabels or None
        None where the dataset says nothing by masks.
    boxes : tuple of BoxAnnotation
        In patient millimetres by the affine of ``geometry``.
    answers : tuple of ImageLabel
        What the image is said to show as a whole.
    notes : tuple of str
        Sentences for the person, e.g. what was left out.
    points : tuple of Trace
        In patient millimetres, as boxes.
    """

    geometry: Geometry
    masks: ImportedLabels | None = None
    boxes: tuple[BoxAnnotation, ...] = ()
    answers: tuple[ImageLabel, ...] = ()
    notes: tuple[str, ...] = ()
    points: tuple[Trace, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignCase:
    """One image, or the channels of one case, and its labels.

    Attributes
    ----------
    key : str
        What it is called in the dataset; unique there. Not to be made a path.
    labels : LabelSource or None
        None where nobody labelled it.
    patient : str
        Key of the patient; empty where nothing says.
    split : str
        ``train``, ``val``, ``test`` or a name of the dataset's own; empty where nothing says.
    """

    key: str
    images: tuple[ImageRef, ...]
    labels: LabelSource | None = None
    patient: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class ForeignDataset:
    """What a dataset holds, listed without looking at a pixel.

    Attributes
    ----------
    form : str
        Its format, as ``--format`` names it.
    label_names : tuple of str
        In the order of the dataset, as far as they are known before labels are read.
    notes : tuple of str
        Sentences for the person.
    exclusive : bool
        Of class answers: exactly one is true of an image.
    """

    form: str
    cases: tuple[ForeignCase, ...]
    label_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    exclusive: bool = True

    @property
    def patients(self) -> int:
        """How many patients are known; 0 where nothing says."""
        return len({case.patient for case in self.cases} - {""})

    @property
    def patients_known(self) -> bool:
        """Whether the patient of every image is known: only then are splits by patient."""
        return bool(self.cases) and all(case.patient for case in self.cases)

    @property
    def split_by(self) -> str:
        """``patient`` or ``image``."""
        return "patient" if self.patients_known else "image"
