"""The table of readers, its summary, and that both are plain values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from medview.analysis.agreement.bootstrap import mean_interval
from medview.analysis.agreement.numbers import intraclass_correlation, limits_of_agreement
from medview.analysis.agreement.reader_rows import CaseReadings, ReaderRow, case_rows
from medview.analysis.agreement.reader_summary import SummaryRow, reader_summary
from medview.analysis.agreement.report import agreement_report
from medview.analysis.agreement.segments import Conventions
from medview.core.errors import CancelledError
from medview.core.job import Inline
from tests.analysis.agreement.masks import ball, boxes, grid
from tests.analysis.agreement.readers import KIDNEY, reading, segment


def _cases(count: int = 6) -> list[CaseReadings]:
    cases = []
    for n in range(count):
        first = ball(grid(), (6, 18, 24), 9.0 + n)
        second = ball(grid(), (6, 18, 24 + n), 10.0)
        third = ball(grid(), (6, 19, 24), 10.0)
        cyst = boxes(((2, 4), (5, 8), (5, 8))) if n == 0 else None
        readings = (
            reading("Ada", {segment("Kidney", KIDNEY): first, "Cyst": cyst, "Node": first}),
            reading("Ben", {segment("Kidney", KIDNEY): second, "Node": None}, to_do=("Node",)),
            reading("Cleo", {"kidney": third, "Cyst": cyst}),
        )
        cases.append(CaseReadings(f"case {n}", f"patient {n // 2}", readings))
    return cases


def _rows(count: int = 6, conventions: Conventions = Conventions()) -> list[ReaderRow]:
    return [row for case in _cases(count) for row in case_rows(case, conventions=conventions)]


def test_a_row_for_every_case_thing_and_pair_with_the_same_plain_columns() -> None:
    rows = _rows(2, Conventions(tolerance_mm=1.0))
    documents = [row.document() for row in rows]
    assert len({tuple(document) for document in documents}) == 1
    assert json.loads(json.dumps(documents, allow_nan=False)) == documents
    keys = ("case", "segment", "first_reader", "second_reader", "first", "second")
    table = [tuple(document[key] for key in keys) for document in documents if document["case"] == "case 0"]
    assert table == [
        ("case 0", "Kidney", "Ada", "Ben", "drawn", "drawn"),
        ("case 0", "Cyst", "Ada", "Ben", "drawn", "missing"),
        ("case 0", "Node", "Ada", "Ben", "drawn", "to do"),
        ("case 0", "Kidney", "Ada", "Cleo", "drawn", "drawn"),
        ("case 0", "Cyst", "Ada", "Cleo", "drawn", "drawn"),
        ("case 0", "Node", "Ada", "Cleo", "drawn", "missing"),
        ("case 0", "Kidney", "Ben", "Cleo", "drawn", "drawn"),
        ("case 0", "Node", "Ben", "Cleo", "to do", "missing"),
        ("case 0", "Cyst", "Ben", "Cleo", "missing", "drawn"),
    ]
    kidney, cyst, node = documents[:3]
    assert kidney["code"] == "SCT:64033007"
    assert kidney["tolerance_mm"] == 1.0
    assert 0.8 < float(kidney["dice"] or 0.0) < 1.0
    assert (cyst["dice"], cyst["hd95_mm"], cyst["one_empty"], cyst["lesions_missed"]) == (0.0, None, True, 1)
    assert (node["dice"], node["first_ml"], node["lesion_f1"]) == (None, None, None)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(kidney))
    writer.writeheader()
    writer.writerows(documents)
    assert len(out.getvalue().splitlines()) == len(documents) + 1


def test_the_summary_counts_what_is_in_no_mean_and_has_intervals_by_patient() -> None:
    rows = _rows()
    summary = {(line.segment, line.first_reader, line.second_reader): line for line in reader_summary(rows)}
    kidney = summary["Kidney", "Ada", "Cleo"]
    values = [r.agreement.masks for r in rows if (r.agreement.name, r.second_reader) == ("Kidney", "Cleo")]
    ada = [masks.dice for masks in values[::2] if masks is not None]
    assert kidney.figure("dice") == mean_interval(ada, [f"patient {n // 2}" for n in range(6)])
    assert (kidney.cases, kidney.patients, kidney.both_empty, kidney.one_empty) == (6, 3, 0, 0)
    cyst = summary["Cyst", "Ada", "Cleo"]
    assert (cyst.both_empty, cyst.one_empty, cyst.figure("dice").items) == (5, 0, 1)
    # Where both list it without drawing it they agree that there is none; where neither lists it there is no row.
    alone = summary["Cyst", "Ada", "Ben"]
    assert (alone.one_empty, alone.both_empty, alone.figure("dice").value) == (1, 5, 0.0)
    assert summary["Node", "Ada", "Ben"].not_compared == 6
    assert summary["Node", "Ada", "Ben"].figure("dice").value is None
    ml = np.array([(m.first_ml, m.second_ml) for m in values[::2] if m is not None])
    assert kidney.volumes_ml == limits_of_agreement(ml[:, 0], ml[:, 1])
    assert (kidney.volume_correlation.things, cyst.volumes_ml.things) == (6, 1)
    assert kidney.flat()["volume_upper_limit_ml"] == kidney.volumes_ml.upper
    every = summary["Kidney", "", ""]
    assert (every.cases, every.figure("dice").items, every.figure("dice").patients) == (6, 18, 3)
    assert summary["Cyst", "Ada", "Cleo"].figure("lesion_f1").value == 1.0
    assert (cyst.lesions_matched, cyst.lesions_missed, cyst.lesions_extra) == (1, 0, 0)
    assert (alone.lesions_matched, alone.lesions_missed, alone.lesions_extra) == (0, 1, 0)
    assert np.isfinite(every.figure("hd95_mm").low or np.nan)


def _all_pairs(order: tuple[int, ...]) -> SummaryRow:
    cases = [replace(case, readings=tuple(case.readings[n] for n in order)) for case in _cases(4)]
    rows = [row for case in cases for row in case_rows(case)]
    return next(one for one in reader_summary(rows) if one.segment.lower() == "kidney" and not one.first_reader)


def test_the_line_of_all_pairs_is_the_same_whichever_order_readers_come_in() -> None:
    one, *others = [_all_pairs(order) for order in permutations(range(3))]
    assert one.figure("lesion_f1").value is not None
    for other in others:
        for name, figure in one.figures:
            again = other.figure(name)
            assert (again.items, again.value) == (figure.items, pytest.approx(figure.value))
            assert (again.low, again.high) == (pytest.approx(figure.low), pytest.approx(figure.high))
        assert other.volume_correlation.icc == pytest.approx(one.volume_correlation.icc)
        plain = replace(other, figures=one.figures, volume_correlation=one.volume_correlation, segment=one.segment)
        assert plain == one
    directed = {name for name, figure in one.figures if figure.value is None}
    assert directed == {"volume_difference_ml", "volume_difference_of_mean", "lesion_sensitivity", "lesion_precision"}
    assert (one.volumes_ml.mean_difference, one.volumes_ml.lower, one.lesions_missed, one.lesions_extra) == (None,) * 4
    flat, document = one.flat(), one.document()
    assert (flat["volume_difference_ml"], flat["lesion_precision"], flat["volume_lower_limit_ml"]) == (None, None, None)
    assert json.loads(json.dumps(document, allow_nan=False))["volumes_ml"]["mean_difference"] is None


def test_volumes_of_all_readers_correlate_over_the_cases_that_all_of_them_have() -> None:
    cases = _cases()
    cases[0] = replace(cases[0], readings=cases[0].readings[:2])
    rows = [row for case in cases for row in case_rows(case)]
    every = next(one for one in reader_summary(rows) if one.segment == "Kidney" and not one.first_reader)
    voxel_ml = 5.0 * 0.9 * 0.6 / 1000
    drawn = [[(reading.segmentation, reading.segmentation.segments[0]) for reading in case.readings] for case in cases[1:]]
    ml = [[segmentation.count(segment) * voxel_ml for segmentation, segment in of_case] for of_case in drawn]
    judge = intraclass_correlation(ml)
    assert every.volume_correlation.icc == pytest.approx(judge.icc)
    assert every.volume_correlation.ci95 == pytest.approx(judge.ci95)
    found = every.volume_correlation
    assert (found.things, found.readers, found.left_out) == (5, 3, 1)


def test_pairs_of_a_reference_keep_what_hangs_on_which_is_the_first() -> None:
    rows = [row for case in _cases() for row in case_rows(case, pairs=[("Ada", "Ben"), ("Ada", "Cleo")])]
    every = next(
        one for one in reader_summary(rows, first_is_reference=True) if one.segment == "Kidney" and not one.first_reader
    )
    assert every.volumes_ml.things == every.figure("volume_difference_ml").items == 12
    assert every.figure("lesion_sensitivity").value is not None
    report = agreement_report(iter(_cases()), 6, Inline(), [("Ada", "Ben"), ("Ada", "Cleo")])
    assert every in report.segments


def test_the_summary_is_plain_too() -> None:
    lines = reader_summary(_rows(3))
    documents = json.loads(json.dumps([line.document() for line in lines], allow_nan=False))
    assert documents[0]["figures"]["dice"]["value"] == lines[0].figure("dice").value
    flat = [line.flat() for line in lines]
    assert len({tuple(row) for row in flat}) == 1
    assert {"dice", "dice_low", "dice_high", "dice_items", "lesion_f1"} <= set(flat[0])
    with pytest.raises(KeyError):
        lines[0].figure("beauty")


def test_pairs_can_be_chosen_and_are_compared_in_the_order_given() -> None:
    (case, *_) = _cases(1)
    rows = case_rows(case, pairs=[("Cleo", "Ada"), ("Ada", "Dan")])
    assert {(row.first_reader, row.second_reader) for row in rows} == {("Cleo", "Ada")}


def test_the_report_asks_for_one_case_at_a_time_says_how_far_it_is_and_can_be_cancelled() -> None:
    asked: list[str] = []

    class Context(Inline):
        def __init__(self, last: str) -> None:
            super().__init__()
            self.last, self.fractions = last, [0.0]

        def progress(self, fraction: float, text: str) -> None:
            assert fraction >= self.fractions[-1]
            self.fractions.append(fraction)
            if asked[-1] == self.last:
                self.cancel()

    def cases() -> Iterator[CaseReadings]:
        for case in _cases(3):
            asked.append(case.case)
            yield case

    whole = Context("none")
    report = agreement_report(cases(), 3, whole)
    assert (report.cases, report.patients) == (("case 0", "case 1", "case 2"), ("patient 0", "patient 1"))
    assert [row.document() for row in report.rows] == [row.document() for row in _rows(3)]
    assert report.segments == reader_summary(report.rows)
    assert whole.fractions[-1] > 0.9
    assert json.dumps(report.document(), allow_nan=False)
    asked.clear()
    with pytest.raises(CancelledError):
        agreement_report(cases(), 3, Context("case 1"))
    assert asked == ["case 0", "case 1"]
