"""Answers about lesions, whose lesion is whose found by where they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from medview.analysis.agreement.reader_answers import CaseAnswers, QuestionAgreement, question_agreement
from medview.analysis.agreement.reader_lesions import LesionLink, lesion_links
from medview.analysis.agreement.reader_rows import CaseReadings
from medview.analysis.agreement.readings import Reading
from medview.analysis.agreement.segments import Conventions
from medview.core.answer import Answer, AnswerKey, Target, Value
from medview.core.box_annotation import BoxAnnotation
from medview.core.form import AnswerKind, Level, Option, Question
from medview.core.marks import Marks
from medview.core.trace import Trace, TraceKind
from medview.core.vector import triple
from tests.analysis.agreement.masks import boxes, grid
from tests.analysis.agreement.readers import reading

GRADES = tuple(Option(f"o{n}", text) for n, text in enumerate(("smooth", "lobulated", "spiculated")))
MARGIN = Question("q1", "Margin?", AnswerKind.ONE, Level.LESION, GRADES)
SIZE = Question("q2", "Size?", AnswerKind.NUMBER, Level.LESION, unit="mm")

Corner = tuple[int, int, int]
Answers = dict[AnswerKey, Answer]


def _piece(reader: str, *corners: Corner) -> Reading:
    """A reading with a piece of 3 x 5 x 5 voxels at each corner, of one segment."""
    cuboids = [tuple((low, low + size) for low, size in zip(corner, (3, 5, 5), strict=True)) for corner in corners]
    return reading(reader, {"Nodule": boxes(*cuboids)})  # type: ignore[arg-type]


def _of_piece(corner: Corner, number: int) -> Target:
    k, j, i = corner
    return Target(Level.LESION, segment_id="Nodule", at_kji=(k + number % 3, j + 2, i + 4), name="Nodule")


def _answers(question: Question, given: dict[Target, Value]) -> Answers:
    said = [Answer(target, question.uid, question.text, value, question.unit) for target, value in given.items()]
    return {one.key: one for one in said}


def _compared(
    question: Question, cases: list[tuple[CaseReadings, dict[str, Answers]]], readers: list[str]
) -> QuestionAgreement:
    links: list[LesionLink] = []
    for case, answers in cases:
        links += lesion_links(case, answers)
    given = [CaseAnswers(case.case, case.patient, answers) for case, answers in cases]
    (found,) = question_agreement(question, given, readers, links)
    return found


def test_pieces_that_overlap_are_one_lesion_whose_answers_have_scikit_learns_kappa() -> None:
    rng = np.random.default_rng(3)
    cases: list[tuple[CaseReadings, dict[str, Answers]]] = []
    ada: list[int] = []
    ben: list[int] = []
    for number in range(8):
        corners = [(1, 2, 3), (1, 20, 30), (8, 5, 25), (8, 28, 4)]
        moved = [(k, j + 1, i - 1) for k, j, i in corners]
        # Listed the other way round, one of hers is missing with him, and he has one of his own.
        readings = _piece("Ada", *corners), _piece("Ben", *reversed(moved[1:]), (1, 30, 40))
        a, b = rng.integers(0, 3, 4), rng.integers(0, 3, 4)
        agree = rng.random(4) < 0.6
        b = np.where(agree, a, b)
        of_ada = {_of_piece(corner, n): (GRADES[a[n]],) for n, corner in enumerate(corners)}
        of_ben = {_of_piece(moved[n], n + 1): (GRADES[b[n]],) for n in (1, 2, 3)}
        of_ben[_of_piece((1, 30, 40), 0)] = (GRADES[0],)
        ada += a[1:].tolist()
        ben += b[1:].tolist()
        case = CaseReadings(f"case {number}", f"patient {number // 2}", readings)
        cases.append((case, {"Ada": _answers(MARGIN, dict(of_ada)), "Ben": _answers(MARGIN, dict(of_ben))}))
    found = _compared(MARGIN, cases, ["Ada", "Ben"])
    (pair,) = found.pairs
    assert pair.categories is not None
    assert pair.kappa is not None
    assert (pair.categories.items, pair.left_out, pair.only_first, pair.only_second) == (24, 0, 8, 8)
    assert pair.categories.kappa == pytest.approx(cohen_kappa_score(ada, ben))
    assert pair.categories.linear_kappa == pytest.approx(cohen_kappa_score(ada, ben, weights="linear"))
    assert (pair.kappa.value, pair.kappa.patients) == (pytest.approx(pair.categories.kappa), 4)
    assert found.things == 24 + 16
    assert found.raters is not None
    assert found.raters.items == 24
    assert found.flat()[0]["only_second"] == 8


def test_a_lesion_both_have_and_one_answered_about_is_left_out_and_no_missed_one() -> None:
    case = CaseReadings("c", "p", (_piece("Ada", (1, 2, 3), (8, 20, 20)), _piece("Ben", (1, 2, 3))))
    told = {"Ada": _answers(SIZE, {_of_piece((1, 2, 3), 0): 4.0, _of_piece((8, 20, 20), 0): 9.0}), "Ben": {}}
    found = _compared(SIZE, [(case, told)], ["Ada", "Ben"])
    (pair,) = found.pairs
    assert pair.numbers is not None
    assert (pair.numbers.things, pair.left_out, pair.only_first, pair.only_second) == (0, 1, 1, 0)
    assert found.things == 2


@pytest.mark.parametrize("kind", ["piece", "box", "point"])
def test_a_lesion_on_a_slice_the_other_has_not_done_is_left_out_and_none_that_only_one_has(kind: str) -> None:
    corner = (8, 20, 20)
    if kind == "piece":
        ada, target = _piece("Ada", corner), _of_piece(corner, 0)
    else:
        target = Target(Level.LESION, annotation_id="a", name="Nodule")
        ada = reading("Ada", {})
        if kind == "box":
            ada = replace(ada, boxes=(BoxAnnotation.on_grid("a", "Nodule", grid(), corner, (11, 25, 25)),))
        else:
            at = triple(grid().point_lps_mm((9, 22, 22)))
            ada = replace(ada, traces=(Trace("a", TraceKind.POINT, (at,), "Nodule"),))
    told = {"Ada": _answers(SIZE, {target: 9.0}), "Ben": {}}

    def pair(done: frozenset[int]) -> tuple[int, int, int]:
        case = CaseReadings("c", "p", (ada, replace(reading("Ben", {}), marks=Marks(done))))
        (one,) = _compared(SIZE, [(case, told)], ["Ada", "Ben"]).pairs
        return one.left_out, one.only_first, one.only_second

    assert pair(frozenset(range(6))) == (1, 0, 0)
    assert pair(frozenset(range(10))) == (0, 1, 0)
    assert pair(frozenset()) == (0, 1, 0)


def test_answers_about_lesions_that_are_gone_or_still_to_be_drawn_do_not_count() -> None:
    gone = _of_piece((8, 30, 30), 0)
    case = CaseReadings("c", "p", (_piece("Ada", (1, 2, 3)), _piece("Ben", (1, 2, 3))))
    assert lesion_links(case, {"Ada": _answers(SIZE, {gone: 4.0})}) == []
    to_do = reading("Ben", {"Nodule": None}, to_do=("Nodule",))
    case = CaseReadings("c", "p", (_piece("Ada", (1, 2, 3)), to_do))
    assert lesion_links(case, {"Ada": _answers(SIZE, {_of_piece((1, 2, 3), 0): 4.0})}) == []


def test_of_a_lesion_that_was_asked_about_twice_the_later_answer_counts() -> None:
    case = CaseReadings("c", "p", (_piece("Ada", (1, 2, 3)), _piece("Ben", (1, 2, 3))))
    first, later = _of_piece((1, 2, 3), 0), _of_piece((1, 2, 3), 1)
    ada = _answers(SIZE, {later: 7.0, first: 4.0})
    key = later.key, SIZE.uid
    ada[key] = replace(ada[key], answered_utc="2026-11-30")
    told = {"Ada": ada, "Ben": _answers(SIZE, {first: 5.0})}
    (pair,) = _compared(SIZE, [(case, told)], ["Ada", "Ben"]).pairs
    assert pair.numbers is not None
    assert (pair.numbers.things, pair.numbers.mean_difference) == (1, -2.0)


def _box(number: str, low: tuple[float, float, float], label: str = "Nodule") -> BoxAnnotation:
    return BoxAnnotation.on_grid(number, label, grid(), low, (low[0] + 3, low[1] + 10, low[2] + 10))


def test_boxes_go_together_by_their_iou_and_only_with_those_of_their_label() -> None:
    ada = replace(reading("Ada", {}), boxes=(_box("a", (1, 2, 3)), _box("b", (8, 20, 20)), _box("c", (2, 25, 5))))
    ben = replace(
        reading("Ben", {}), boxes=(_box("x", (8, 22, 21)), _box("y", (1, 1, 5), "NODULE "), _box("z", (2, 25, 5), "Cyst"))
    )
    case = CaseReadings("c", "p", (ada, ben))

    def on(number: str) -> Target:
        return Target(Level.LESION, annotation_id=number)

    told = {
        "Ada": _answers(SIZE, {on("a"): 10.0, on("b"): 20.0, on("c"): 30.0}),
        "Ben": _answers(SIZE, {on("x"): 22.0, on("y"): 11.0, on("z"): 33.0}),
    }
    (pair,) = _compared(SIZE, [(case, told)], ["Ada", "Ben"]).pairs
    assert pair.numbers is not None
    assert (pair.numbers.things, pair.numbers.mean_difference) == (2, 1.5)
    assert (pair.only_first, pair.only_second) == (1, 1)


def test_marks_go_together_by_the_distance_of_their_middles_in_millimetres() -> None:
    def point(number: str, at_kji: tuple[float, float, float], label: str = "Nodule") -> Trace:
        return Trace(number, TraceKind.POINT, (triple(grid().point_lps_mm(at_kji)),), label)

    # 5.0 x 0.9 x 0.6 mm: two slices are as far as eleven rows.
    line = Trace("l", TraceKind.OPEN, tuple(triple(p) for p in grid().point_lps_mm([(3, 10, 6), (3, 10, 14)])), "Nodule")
    ada = replace(reading("Ada", {}), traces=(point("a", (3, 10, 10)), point("b", (10, 30, 40))))
    ben = replace(reading("Ben", {}), traces=(point("x", (3, 18, 10)), line, point("y", (12, 31, 40))))
    case = CaseReadings("c", "p", (ada, ben))
    told = {"Ada": _answers(SIZE, {Target(Level.LESION, annotation_id=n): 1.0 for n in ("a", "b")})}
    links = lesion_links(case, told)
    assert [(link.first, link.both) for link in links] == [(("drawn a",), True), (("drawn b",), False)]
    told["Ben"] = _answers(SIZE, {Target(Level.LESION, annotation_id=n): 2.0 for n in ("x", "l", "y")})
    pairs = {(link.first, link.second) for link in lesion_links(case, told) if link.both}
    # The line lies right on the first point, so the point eight rows off is another lesion.
    assert pairs == {(("drawn a",), ("drawn l",))}
    far = lesion_links(case, told, conventions=Conventions(distance_mm=11.0))
    assert {(link.first, link.second) for link in far if link.both} == {
        (("drawn a",), ("drawn l",)),
        (("drawn b",), ("drawn y",)),
    }


def test_of_three_readers_each_pair_is_compared_and_a_lesion_counts_once() -> None:
    corners = [(1, 2, 3), (8, 20, 20)]
    case = CaseReadings("c", "p", (_piece("Ada", *corners), _piece("Ben", *corners), _piece("Cleo", corners[0])))
    told = {
        "Ada": _answers(SIZE, {_of_piece(corner, 0): 1.0 for corner in corners}),
        "Ben": _answers(SIZE, {_of_piece(corner, 1): 2.0 for corner in corners}),
        "Cleo": _answers(SIZE, {_of_piece(corners[0], 2): 4.0}),
    }
    found = _compared(SIZE, [(case, told)], ["Ada", "Ben", "Cleo"])
    assert found.things == 2
    assert [(pair.numbers.things if pair.numbers else 0, pair.only_first) for pair in found.pairs] == [
        (2, 0),
        (1, 1),
        (1, 1),
    ]
    assert found.correlation is None
