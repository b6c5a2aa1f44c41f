"""Everything said about a series beside its masks: boxes, traces, measurements, key images and image labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

from medview.core.box_annotation import BoxAnnotation
from medview.core.key_image import KeyImage
from medview.core.measurement import Measurement
from medview.core.source import Source
from medview.core.trace import Trace
from medview.core.vector import Triple


@dataclass(frozen=True, slots=True)
class ImageLabel:
    """A statement about a study, a series or one slice, e.g. nodule present.

    Attributes
    ----------
    probability : float or None
        The model's score for ``label``, 0 to 1; None when a person said it.
    says : str
        ``present``, ``absent`` or ``not sure``; empty where only the probability is known.
    subject : str
        ``study``, ``series`` or ``slice``.
    point_lps_mm, normal_lps : tuple of float, or None
        Of a slice: its middle in LPS millimetres by the affine of the grid, and the unit vector across it.
    sop_instance_uid, frame_number : str, int
        The image a slice is, and the frame of it from 0; empty where the files name none.
    """

    annotation_id: str
    label: str
    probability: float | None = None
    source: Source = Source()
    says: str = ""
    subject: str = "series"
    point_lps_mm: Triple | None = None
    normal_lps: Triple | None = None
    sop_instance_uid: str = ""
    frame_number: int = 0


Drawn = BoxAnnotation | Trace
"""What people draw with a label and attributes."""

Annotation = BoxAnnotation | ImageLabel | KeyImage | Measurement | Trace


def tells_models(before: Annotation | None, after: Annotation | None) -> bool:
    """Whether a change of an annotation alters what a model may have looked at.

    Measurements and key images tell no model anything, and hiding a box moves it nowhere.
    """
    some = after or before
    if isinstance(some, Measurement | KeyImage):
        return False
    if isinstance(before, Drawn) and isinstance(after, Drawn):
        return replace(before, visible=after.visible) != after
    return True


__all__ = ["Annotation", "BoxAnnotation", "Drawn", "ImageLabel", "KeyImage", "Measurement", "Trace", "tells_models"]
