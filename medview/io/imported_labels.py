"""Labels that came from a file, before they enter a case."""

from __future__ import annotations

from dataclasses import dataclass, field

from medview.core.geometry import Geometry
from medview.core.segmentation import LabelArray, Segment
from medview.core.volume import Volume


@dataclass(frozen=True, slots=True)
class Target:
    """What imported labels have to belong to: a volume without its voxels, so that it travels to a reader process.

    Attributes
    ----------
    by_place : bool
        A SEG made on other images of the same frame of reference and study may lie here, since its own are not at hand.
    """

    geometry: Geometry
    series_uid: str = ""
    study_uid: str = ""
    sop_instance_uids: tuple[str, ...] = ()
    by_place: bool = False

    @classmethod
    def of(cls, volume: Volume) -> Target:
        """Return the target a volume is."""
        return cls(volume.geometry, volume.series_uid, volume.study_uid, volume.sop_instance_uids)


@dataclass(frozen=True, slots=True, eq=False)
class ImportedLabels:
    """Segments and their layers on one grid; overlapping segments are in different layers.

    Attributes
    ----------
    layers : dict of int to ndarray of uint8, shape (k, j, i)
    notes : tuple of str
        Sentences for the person, e.g. what was left out.
    pixels_sha256 : str
        Hash of the pixels they were made on (``core.pixel_hash``), where the file tells it; empty otherwise.
    drawn_on : Geometry or None
        Where those pixels lay, where the file tells it.
    left_out : bool
        Something that is drawn in the file is not here, or not as it is there; the notes say what.
    other_images : bool
        They were drawn on other images of the same frame of reference, and lie here by their position alone.
    """

    geometry: Geometry
    segments: tuple[Segment, ...]
    layers: dict[int, LabelArray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    pixels_sha256: str = ""
    drawn_on: Geometry | None = None
    left_out: bool = False
    other_images: bool = False
