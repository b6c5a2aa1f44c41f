"""Readers over all cases: means with intervals by patient, for every thing and pair of readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.bootstrap import Interval, mean_interval, ratio_interval
from medview.analysis.agreement.lesions import LesionAgreement
from medview.analysis.agreement.masks import MaskAgreement
from medview.analysis.agreement.numbers import (
    IntraclassCorrelation,
    LimitsOfAgreement,
    intraclass_correlation,
    limits_of_agreement,
)
from medview.analysis.agreement.reader_rows import ReaderRow
from medview.analysis.agreement.things import folded

MEANS: dict[str, Callable[[MaskAgreement], float | None]] = {
    "dice": lambda masks: masks.dice,
    "iou": lambda masks: masks.iou,
    "surface_dice": lambda masks: masks.surface_dice,
    "mean_surface_mm": lambda masks: masks.mean_surface_mm,
    "hd95_mm": lambda masks: masks.hd95_mm,
    "volume_difference_ml": lambda masks: masks.volume_difference_ml,
    "volume_difference_of_mean": lambda masks: masks.volume_difference_of_mean,
}
"""Figures of which the mean over cases is told."""

LESION_PARTS: dict[str, Callable[[LesionAgreement], tuple[int, int]]] = {
    "lesion_sensitivity": lambda found: (len(found.matched), len(found.matched) + len(found.missed)),
    "lesion_precision": lambda found: (len(found.matched), len(found.matched) + len(found.extra)),
    "lesion_f1": lambda found: (
        2 * len(found.matched),
        2 * len(found.matched) + len(found.missed) + len(found.extra),
    ),
}
"""Figures pooled over the lesions of all cases: above and below the line."""

DIRECTED = frozenset({"volume_difference_ml", "volume_difference_of_mean", "lesion_sensitivity", "lesion_precision"})
"""Figures that are others when first and second change places; the rest stays the same."""


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One thing over all cases of one pair of readers, or of all pairs.

    Attributes
    ----------
    first_reader, second_reader : str
        Empty for all pairs together.
    cases, patients : int
        In which the thing was compared.
    both_empty : int
        Comparisons that are in no mean, since both say that there is nothing.
    one_empty : int
        Comparisons with a Dice of 0, since one of them says so; they have no distances.
    not_compared : int
        Comparisons for which a reader has the thing still to draw.
    lesions_matched, lesions_missed, lesions_extra : int
        In all cases; 0 where lesions were not compared. Missed and extra are None where neither is the first.
    figures : tuple of (str, Interval)
        By name, see ``MEANS`` and ``LESION_PARTS``. Those of ``DIRECTED`` have no value where neither is the first: for all
        pairs of which none is the reference.
    volumes_ml : LimitsOfAgreement
        Of the volumes of both, empty ones included unless both are; of none where neither is the first.
    volume_correlation : IntraclassCorrelation
        Of the same volumes; where neither is the first, of the cases of which the volumes of all readers are known.
    """

    segment: str
    first_reader: str
    second_reader: str
    cases: int
    patients: int
    both_empty: int
    one_empty: int
    not_compared: int
    lesions_matched: int
    lesions_missed: int | None
    lesions_extra: int | None
    figures: tuple[tuple[str, Interval], ...]
    volumes_ml: LimitsOfAgreement
    volume_correlation: IntraclassCorrelation

    @property
    def directed(self) -> bool:
        """Whether it is known who is the first of the two."""
        return self.lesions_missed is not None

    def figure(self, name: str) -> Interval:
        """Return a figure. Raises KeyError when there is none of the name."""
        return dict(self.figures)[name]

    def document(self) -> dict[str, object]:
        """Return the row ready for JSON, each figure with its interval."""
        return {
            **self._facts(),
            "figures": {name: asdict(interval) for name, interval in self.figures},
            "volumes_ml": asdict(self.volumes_ml),
            "volume_correlation": asdict(self.volume_correlation),
        }

    def flat(self) -> dict[str, str | int | float | None]:
        """Return the row ready for CSV: of each figure the value, both ends of its interval and from how many items."""
        row: dict[str, str | int | float | None] = dict(self._facts())
        for name, interval in self.figures:
            row |= interval.columns(name)
        row["volume_lower_limit_ml"], row["volume_upper_limit_ml"] = self.volumes_ml.lower, self.volumes_ml.upper
        row["volume_icc"] = self.volume_correlation.icc
        return row

    def _facts(self) -> dict[str, str | int | None]:
        return {
            "segment": self.segment,
            "first_reader": self.first_reader,
            "second_reader": self.second_reader,
            "cases": self.cases,
            "patients": self.patients,
            "both_empty": self.both_empty,
            "one_empty": self.one_empty,
            "not_compared": self.not_compared,
            "lesions_matched": self.lesions_matched,
            "lesions_missed": self.lesions_missed,
            "lesions_extra": self.lesions_extra,
        }


def reader_summary(rows: Iterable[ReaderRow], *, first_is_reference: bool = False) -> tuple[SummaryRow, ...]:
    """Return a line for every thing and pair of readers, and, where there are several pairs, one for all of them.

    Things are the same over cases when their names are, but for case and blanks. Things come in the order of the rows.

    Parameters
    ----------
    first_is_reference : bool
        Whether the first of each pair is what the second is measured by. Otherwise it is as good as the second, and what
        hangs on which is which is told of single pairs only.
    """
    things: dict[str, dict[tuple[str, str], list[ReaderRow]]] = {}
    for row in rows:
        pairs = things.setdefault(folded(row.agreement.name), {})
        pairs.setdefault((row.first_reader, row.second_reader), []).append(row)
    found: list[SummaryRow] = []
    for pairs in things.values():
        found += [_line(of_pair, *pair) for pair, of_pair in pairs.items()]
        if len(pairs) > 1:
            every = [row for of_pair in pairs.values() for row in of_pair]
            found.append(_line(every, "", "", directed=first_is_reference))
    return tuple(found)


def _line(rows: Sequence[ReaderRow], first_reader: str, second_reader: str, *, directed: bool = True) -> SummaryRow:
    compared = [(row, row.agreement.masks) for row in rows if row.agreement.masks is not None]
    patients = [row.patient for row, _ in compared]
    figures = [(name, mean_interval([of(masks) for _, masks in compared], patients)) for name, of in MEANS.items()]
    lesions = [(row.patient, row.agreement.lesions) for row in rows if row.agreement.lesions is not None]
    for name, parts in LESION_PARTS.items():
        counts = [parts(of_row) for _, of_row in lesions]
        of_patients = [patient for patient, _ in lesions]
        figures.append((name, ratio_interval([a for a, _ in counts], [b for _, b in counts], of_patients)))
    volumes = np.array(
        [(masks.first_ml, masks.second_ml) for _, masks in compared if not masks.both_empty], dtype=np.float64
    ).reshape(-1, 2)
    limits = limits_of_agreement(volumes[:, 0], volumes[:, 1])
    if not directed:
        figures = [(name, mean_interval([], []) if name in DIRECTED else figure) for name, figure in figures]
        limits, volumes = limits_of_agreement([], []), _volumes_by_reader(rows)
    return SummaryRow(
        rows[0].agreement.name,
        first_reader,
        second_reader,
        len({row.case for row, _ in compared}),
        len(set(patients)),
        sum(masks.both_empty for _, masks in compared),
        sum(masks.one_empty for _, masks in compared),
        len(rows) - len(compared),
        sum(len(found.matched) for _, found in lesions),
        sum(len(found.missed) for _, found in lesions) if directed else None,
        sum(len(found.extra) for _, found in lesions) if directed else None,
        tuple(figures),
        limits,
        intraclass_correlation(volumes),
    )


def _volumes_by_reader(rows: Sequence[ReaderRow]) -> npt.NDArray[np.float64]:
    """Return volumes in mL, shape (cases, readers); NaN where a reader has it still to draw or did not read the case.

    Cases in which all volumes are 0 are left out. Of a reader whose volume is another beside each of the others, since not
    all of them know the same slices, none is known.
    """
    readers = dict.fromkeys(name for row in rows for name in (row.first_reader, row.second_reader))
    of_case: dict[str, dict[str, set[float | None]]] = {}
    for row in rows:
        masks = row.agreement.masks
        if masks is not None:
            known = of_case.setdefault(row.case, {})
            known.setdefault(row.first_reader, set()).add(masks.first_ml)
            known.setdefault(row.second_reader, set()).add(masks.second_ml)
    table = [
        [next(iter(known[name])) if len(known.get(name, ())) == 1 else None for name in readers]
        for known in of_case.values()
    ]
    return np.array([line for line in table if any(line)], dtype=np.float64).reshape(-1, len(readers))
