"""What readers are compared in, and the columns of its tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from medview.analysis.agreement.reader_rows import ReaderRow
from medview.core.language import _


class Kind(Enum):
    """What readers are compared in."""

    SEGMENTS = "segments"
    BOXES = "boxes"
    ANSWERS = "answers"


KINDS = {Kind.SEGMENTS: _("Segments"), Kind.BOXES: _("Boxes"), Kind.ANSWERS: _("Questions")}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    number : bool
        Its cells stand at the right.
    """

    title: str
    tip: str
    number: bool = True


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of segments that can be looked at case by case."""

    name: str
    title: str
    unit: str
    of: Callable[[ReaderRow], float | None]
    more_is_better: bool = True
    span: tuple[float, float] | None = None


def _mask(name: str) -> Callable[[ReaderRow], float | None]:
    return lambda row: None if row.agreement.masks is None else getattr(row.agreement.masks, name)


def _lesion(name: str) -> Callable[[ReaderRow], float | None]:
    return lambda row: None if row.agreement.lesions is None else getattr(row.agreement.lesions, name)


FIGURES = (
    Figure("dice", _("Dice"), "", _mask("dice"), span=(0.0, 1.0)),
    Figure("surface_dice", _("Surface Dice"), "", _mask("surface_dice"), span=(0.0, 1.0)),
    Figure("hd95_mm", _("HD95"), "mm", _mask("hd95_mm"), more_is_better=False),
    Figure("mean_surface_mm", _("Mean surface distance"), "mm", _mask("mean_surface_mm"), more_is_better=False),
    Figure("volume_difference_ml", _("Volume difference"), "mL", _mask("volume_difference_ml"), more_is_better=False),
    Figure("lesion_sensitivity", _("Lesion sensitivity"), "", _lesion("sensitivity"), span=(0.0, 1.0)),
    Figure("lesion_precision", _("Lesion precision"), "", _lesion("precision"), span=(0.0, 1.0)),
    Figure("lesion_f1", _("Lesion F1"), "", _lesion("f1"), span=(0.0, 1.0)),
)

_TIPS = {
    "dice": _("Twice the common voxels over the sum of both; mean over cases"),
    "surface_dice": _("Part of both surfaces no further than the tolerance from the other; mean over cases"),
    "hd95_mm": _("95th percentile of the distances between the surfaces; mean over cases"),
    "mean_surface_mm": _("Mean of the distances between the surfaces; mean over cases"),
    "volume_difference_ml": _("Second less first; mean over cases"),
    "lesion_sensitivity": _("Part of the first reader's lesions that the second has too; over the lesions of all cases"),
    "lesion_precision": _("Part of the second reader's lesions that the first has too; over the lesions of all cases"),
    "lesion_f1": _("Harmonic mean of sensitivity and precision of lesions; over the lesions of all cases"),
}

COLUMNS = {
    Kind.SEGMENTS: (
        Column(_("Segment"), _("What was drawn, found by code and name"), number=False),
        Column(_("Readers"), _("The first is the reference"), number=False),
        Column(_("Cases"), _("In which it was compared")),
        *(Column(f"{one.title} ({one.unit})" if one.unit else one.title, _TIPS[one.name]) for one in FIGURES),
        Column(_("Volumes, ICC"), _("How much of the variance of volumes is that of the cases, not of the readers")),
    ),
    Kind.BOXES: (
        Column(_("Label"), _("Of the boxes"), number=False),
        Column(_("Readers"), _("The first is the reference"), number=False),
        Column(_("Cases"), _("In which either of the two drew one")),
        Column(_("Boxes"), _("Of the first, and of the second")),
        Column(_("Sensitivity"), _("Part of the first reader's boxes that the second has too")),
        Column(_("Precision"), _("Part of the second reader's boxes that the first has too")),
        Column(_("F1"), _("Harmonic mean of both")),
        Column(_("IoU of pairs"), _("What paired boxes share of their union; mean over pairs")),
    ),
    Kind.ANSWERS: (
        Column(_("Question"), _("As it is asked now; of one that takes several options each by itself"), number=False),
        Column(_("Readers"), _("The first is the reference"), number=False),
        Column(_("Answered"), _("Things both answered it about, and things only one of them did")),
        Column(_("Kappa"), _("Cohen's: agreement beyond chance")),
        Column(_("Kappa, linear"), _("Weighted by how far apart two options stand in their order")),
        Column(_("Kappa, quadratic"), _("Weighted by the square of how far apart two options stand")),
        Column(_("Mean difference"), _("Of numbers: second less first")),
        Column(_("Limits of agreement"), _("Between them lie about 95 % of the differences")),
        Column(_("All readers"), _("Fleiss' kappa of choices, ICC of numbers")),
    ),
}
