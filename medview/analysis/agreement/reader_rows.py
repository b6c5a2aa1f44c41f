"""A table of how far readers go together: one row per case, thing and pair of readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from medview.analysis.agreement.readings import Reading
from medview.analysis.agreement.segments import Conventions, SegmentAgreement, segment_agreement
from medview.core.job import JobContext, JobPart

Plain = str | int | float | bool | None
"""What JSON and CSV hold."""


@dataclass(frozen=True, slots=True, eq=False)
class CaseReadings:
    """The labels of all readers of one case.

    Attributes
    ----------
    case, patient : str
        As they may be written into a table: pseudonyms where it leaves the project.
    """

    case: str
    patient: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class ReaderRow:
    """One thing of one case as two readers have it."""

    case: str
    patient: str
    first_reader: str
    second_reader: str
    agreement: SegmentAgreement

    def document(self) -> dict[str, Plain]:
        """Return the row ready for JSON and CSV: the same keys in every row, None where there is no figure."""
        found, masks, lesions = self.agreement, self.agreement.masks, self.agreement.lesions
        row: dict[str, Plain] = {
            "case": self.case,
            "patient": self.patient,
            "segment": found.name,
            "code": None if found.code is None else f"{found.code.scheme}:{found.code.value}",
            "first_reader": self.first_reader,
            "second_reader": self.second_reader,
            "first": found.first.value,
            "second": found.second.value,
        }
        for name in MASK_FIGURES:
            row[name] = None if masks is None else getattr(masks, name)
        for name in ("sensitivity", "precision", "f1"):
            row[f"lesion_{name}"] = None if lesions is None else getattr(lesions, name)
        for name in ("matched", "missed", "extra"):
            row[f"lesions_{name}"] = None if lesions is None else len(getattr(lesions, name))
        return row


MASK_FIGURES = (
    "both_empty",
    "one_empty",
    "dice",
    "iou",
    "surface_dice",
    "tolerance_mm",
    "mean_surface_mm",
    "hd95_mm",
    "hd_mm",
    "first_ml",
    "second_ml",
    "volume_difference_ml",
    "volume_difference_of_first",
    "volume_difference_of_mean",
    "first_voxels",
    "second_voxels",
    "common_voxels",
    "left_out",
)
"""Of ``MaskAgreement``, as columns."""


def case_rows(
    case: CaseReadings,
    pairs: Sequence[tuple[str, str]] | None = None,
    conventions: Conventions = Conventions(),
    context: JobContext | None = None,
) -> list[ReaderRow]:
    """Compare the readers of one case, each with each after it, or the given pairs of those who read it."""
    by_name: Mapping[str, Reading] = {reading.reader: reading for reading in case.readings}
    wanted = list(combinations(by_name, 2)) if pairs is None else [p for p in pairs if set(p) <= set(by_name)]
    rows: list[ReaderRow] = []
    for number, (first, second) in enumerate(wanted):
        part = None if context is None else JobPart(context, number / len(wanted), (number + 1) / len(wanted))
        found = segment_agreement(by_name[first], by_name[second], conventions, part)
        rows += [ReaderRow(case.case, case.patient, first, second, agreement) for agreement in found]
    return rows
