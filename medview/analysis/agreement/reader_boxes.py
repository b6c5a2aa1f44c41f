"""Boxes of readers over cases: one row per case, label and pair of readers, and a summary with intervals by patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np

from medview.analysis.agreement.bootstrap import Interval, ratio_interval
from medview.analysis.agreement.boxes import OVERLAP, BoolArray, BoxAgreement, Boxes, box_agreement
from medview.analysis.agreement.reader_rows import CaseReadings, Plain
from medview.analysis.agreement.readings import Reading, common_grid, known_at
from medview.analysis.agreement.things import folded
from medview.core.box_annotation import BoxAnnotation


@dataclass(frozen=True, slots=True)
class BoxRow:
    """Boxes of one label in one case as two readers drew them."""

    case: str
    patient: str
    label: str
    first_reader: str
    second_reader: str
    agreement: BoxAgreement

    def document(self) -> dict[str, Plain]:
        """Return the row ready for JSON and CSV: the same keys in every row, None where there is no figure."""
        found = self.agreement
        return {
            "case": self.case,
            "patient": self.patient,
            "label": self.label,
            "first_reader": self.first_reader,
            "second_reader": self.second_reader,
            "first_boxes": found.first_count,
            "second_boxes": found.second_count,
            "left_out": found.left_out,
            "pairs": len(found.pairs),
            "overlap": found.overlap,
            "sensitivity": found.sensitivity,
            "precision": found.precision,
            "f1": found.f1,
            "mean_iou": found.mean_iou,
        }


@dataclass(frozen=True, slots=True)
class BoxSummary:
    """Boxes of one label over all cases of one pair of readers.

    Attributes
    ----------
    cases : int
        In which any of the two drew one.
    left_out : int
        Boxes of both that lie where one of them does not know what is there; they are in no figure.
    sensitivity, precision, f1 : Interval
        Pooled over the boxes of all cases.
    mean_iou : Interval
        Over all pairs of boxes.
    """

    label: str
    first_reader: str
    second_reader: str
    cases: int
    first_boxes: int
    second_boxes: int
    sensitivity: Interval
    precision: Interval
    f1: Interval
    mean_iou: Interval
    left_out: int = 0

    def document(self) -> dict[str, object]:
        """Return it ready for JSON."""
        return asdict(self)

    def flat(self) -> dict[str, Plain]:
        """Return it ready for CSV: of each figure the value, both ends of its interval and from how many items."""
        row: dict[str, Plain] = {
            "label": self.label,
            "first_reader": self.first_reader,
            "second_reader": self.second_reader,
            "cases": self.cases,
            "first_boxes": self.first_boxes,
            "second_boxes": self.second_boxes,
            "left_out": self.left_out,
        }
        for name in ("sensitivity", "precision", "f1", "mean_iou"):
            row |= getattr(self, name).columns(name)
        return row


def box_rows(case: CaseReadings, pairs: Sequence[tuple[str, str]] | None = None, overlap: float = OVERLAP) -> list[BoxRow]:
    """Compare the boxes of the readers of one case, each with each after it, or the given pairs of those who read it.

    Labels are the same when they are, but for case and blanks. A row for each that either of two readers used. Boxes
    whose middle lies on a slice that one of the two has not done, or under what one is unsure of, are left out.
    """
    by_name = {reading.reader: reading for reading in case.readings}
    wanted = list(combinations(by_name, 2)) if pairs is None else [p for p in pairs if set(p) <= set(by_name)]
    rows: list[BoxRow] = []
    for names in wanted:
        first, second = (by_name[name] for name in names)
        grid = common_grid((first, second))
        labels = {folded(box.label): box.label for box in (*second.boxes, *first.boxes)}
        for key, label in sorted(labels.items()):
            a, b = Boxes.on_grid(_of(first, key), grid), Boxes.on_grid(_of(second, key), grid)
            known = _known(a, (first, second)), _known(b, (first, second))
            rows.append(BoxRow(case.case, case.patient, label, *names, box_agreement(a, b, overlap, known)))
    return rows


def box_summary(rows: Iterable[BoxRow]) -> tuple[BoxSummary, ...]:
    """Return a line for every label and pair of readers, in the order of the rows."""
    groups: dict[tuple[str, str, str], list[BoxRow]] = {}
    for row in rows:
        groups.setdefault((folded(row.label), row.first_reader, row.second_reader), []).append(row)
    found: list[BoxSummary] = []
    for (_, first_reader, second_reader), of_pair in groups.items():
        patients = [row.patient for row in of_pair]
        every = [row.agreement for row in of_pair]
        pairs = [len(agreement.pairs) for agreement in every]
        firsts, seconds = [a.first_count for a in every], [a.second_count for a in every]
        doubled, both = [2 * n for n in pairs], [a + b for a, b in zip(firsts, seconds, strict=True)]
        found.append(
            BoxSummary(
                of_pair[0].label,
                first_reader,
                second_reader,
                len({row.case for row in of_pair}),
                sum(firsts),
                sum(seconds),
                ratio_interval(pairs, firsts, patients),
                ratio_interval(pairs, seconds, patients),
                ratio_interval(doubled, both, patients),
                ratio_interval([float(a.ious.sum()) for a in every], pairs, patients),
                sum(a.left_out for a in every),
            )
        )
    return tuple(found)


def _known(boxes: Boxes, readings: Sequence[Reading]) -> BoolArray:
    return np.array([known_at(middle, readings) for middle in boxes.middles], dtype=np.bool_)


def _of(reading: Reading, key: str) -> Iterator[BoxAnnotation]:
    return (box for box in reading.boxes if folded(box.label) == key)
