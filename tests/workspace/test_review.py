"""Which segment of a consensus is the same label as one that a reader drew."""

from __future__ import annotations

from dataclasses import replace

from medview.core.prediction import PredictedSegment
from medview.core.segmentation import Code, Segment
from medview.core.source import Source, SourceKind
from medview.workspace.review import same_label

KIDNEY = Code("64033007", "SCT", "Kidney")
LIVER = Code("10200004", "SCT", "Liver")
READER = Source(SourceKind.READER, "Ada", job_id="reading-1-7")


def _segment(name: str, code: Code | None = None, source: Source = Source()) -> Segment:
    return Segment(name, name, (1, 2, 3), 0, 1, code, source=source)


def _found(segments: list[Segment], name: str, code: Code | None, *others: PredictedSegment) -> str | None:
    one = PredictedSegment(1, name, (1, 2, 3), code)
    found = same_label(segments, one, (one, *others), READER)
    return None if found is None else found.name


def test_code_and_name_come_before_the_name_and_that_before_the_code_alone() -> None:
    segments = [_segment("Liver"), _segment("liver ", LIVER), _segment("Hepar", LIVER)]
    assert _found(segments, "Liver", LIVER) == "liver "
    assert _found(segments[:1] + segments[2:], "LIVER", LIVER) == "Liver"
    assert _found(segments[2:], "Liver", LIVER) == "Hepar"
    assert _found(segments[2:], "Spleen", None) is None


def test_left_and_right_that_share_a_code_are_not_taken_for_each_other() -> None:
    left, right = _segment("Left kidney", KIDNEY), _segment("Right kidney", KIDNEY)
    assert _found([left, right], "Right kidney", KIDNEY) == "Right kidney"
    # The reader drew both.
    other = PredictedSegment(2, "Left kidney", (1, 2, 3), KIDNEY)
    assert _found([left], "Right kidney", KIDNEY, other) is None
    # The other one was taken from this very reading before.
    assert _found([replace(left, source=READER)], "Right kidney", KIDNEY) is None


def test_instances_of_a_thing_stay_instances() -> None:
    nodule = Code("27925004", "SCT", "Nodule")
    assert _found([_segment("Nodule", nodule)], "Nodule 2", nodule) is None
    assert _found([_segment("Nodule", nodule), _segment("Nodule 2", nodule)], "nodule 2", nodule) == "Nodule 2"
