"""Classes of a model are found again by code, by name, or as somebody says; what is not found is new or gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from medview.core.errors import AmbiguousError
from medview.core.prediction import PredictedSegment
from medview.core.segmentation import Code
from medview.ml.examples import TrainingClass
from medview.ml.lineage.class_map import ClassMap, How, map_classes
from medview.ml.outputs import SegmentationOutput
from medview.ml.spec import ModelSpec
from tests.ml.lineage.models import segmenter

LIVER, SPLEEN = Code("10200004", "SCT", "Liver"), Code("78961009", "SCT", "Spleen")


def with_labels(*labels: tuple[str, Code | None]) -> ModelSpec:
    made = tuple(PredictedSegment(n, name, (1, 2, 3), code) for n, (name, code) in enumerate(labels, 1))
    return replace(segmenter(), output=SegmentationOutput(made))


def learnt(name: str, code: Code | None = None) -> TrainingClass:
    said = None if code is None else {"value": code.value, "scheme": code.scheme, "meaning": code.meaning}
    return TrainingClass(name, code=said)


def places(found: ClassMap) -> list[int | None]:
    return [one.old for one in found.classes]


def test_names_are_found_whatever_their_case_and_blanks() -> None:
    found = map_classes(with_labels(("Left  kidney", None), ("Spleen", None)), [learnt("spleen"), learnt("left kidney ")])
    assert places(found) == [1, 0]
    assert {one.how for one in found.classes} == {How.SAME}
    assert not found.unchanged
    assert found.sentence_parts() == []


def test_a_name_that_a_pack_holds_a_part_of_is_found() -> None:
    long = "left " * 20
    assert places(map_classes(with_labels((long[:64], None)), [learnt(long)])) == [0]


def test_a_code_speaks_before_the_name() -> None:
    found = map_classes(with_labels(("a", LIVER), ("b", SPLEEN)), [learnt("b", LIVER), learnt("milt", SPLEEN)])
    assert places(found) == [0, 1]
    assert found.named(How.RENAMED) == ("a as b", "b as milt")
    assert found.unchanged


def test_a_code_of_several_classes_speaks_for_none() -> None:
    found = map_classes(with_labels(("left", LIVER), ("right", LIVER)), [learnt("right", LIVER), learnt("other", LIVER)])
    assert places(found) == [1, None]


def test_what_is_not_found_is_new_and_what_nobody_wants_is_gone() -> None:
    found = map_classes(with_labels(("a", None), ("b", None)), [learnt("b"), learnt("c")])
    assert found.sentence_parts() == ["new: c", "gone: a"]
    assert found.document() == [{"name": "b", "from": "b", "how": "same"}, {"name": "c", "from": None, "how": "new"}]
    assert ClassMap.of_document(found.whole_document()) == found


def test_somebody_may_say_what_a_class_is_called_now() -> None:
    model = with_labels(("a", LIVER), ("b", None))
    found = map_classes(model, [learnt("lesion"), learnt("b"), learnt("x", LIVER)], {" A": "Lesion"})
    assert places(found) == [0, 1, None]


@pytest.mark.parametrize(
    ("renames", "said"),
    [
        ({"q": "b"}, "has no class q; there are: a, b"),
        ({"a": "q"}, "called q; there are: b, c"),
        ({"a": "c", "b": "c"}, "renamed twice"),
    ],
)
def test_names_that_are_none_are_refused(renames: dict[str, str], said: str) -> None:
    with pytest.raises(AmbiguousError, match=said):
        map_classes(with_labels(("a", None), ("b", None)), [learnt("b"), learnt("c")], renames)
