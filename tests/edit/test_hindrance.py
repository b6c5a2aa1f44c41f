from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.segmentation import Segment, Segmentation
from medview.core.volume import Volume
from medview.edit.hindrance import Hindrance, hindrances
from medview.edit.rules import Area, EditRules, LabelWriter, Overlap
from tests.edit.grids import SHAPE_KJI, grid, segment, segmentation
from tests.helpers.strokes import fill_layer

BOX = Box((2, 3, 4), (5, 8, 9))
ALL = np.ones(BOX.shape_kji, dtype=bool)
A, B = segment(1, name="Liver"), segment(2, name="Spleen")
CT = Volume(np.full(SHAPE_KJI, 40, dtype=np.int16), grid("oblique"), modality="CT", unit="HU")


def labels(*segments: Segment, everywhere: int = 0) -> Segmentation:
    made = segmentation("oblique", *segments)
    fill_layer(made, 0, everywhere)
    return made


CASES = {
    "locked": (labels(replace(A, locked=True)), EditRules(), False, [Hindrance.SEGMENT_LOCKED]),
    "absent": (labels(replace(A, absent=True)), EditRules(), False, [Hindrance.SEGMENT_ABSENT]),
    "area": (labels(A, B), EditRules(Area.INSIDE, "Spleen"), False, [Hindrance.AREA]),
    "outside": (labels(A, B, everywhere=2), EditRules(Area.OUTSIDE), False, [Hindrance.AREA]),
    "values": (labels(A), EditRules(value_range=(50, 90)), False, [Hindrance.VALUES]),
    "no value at all": (labels(A), EditRules(value_range=(50, 30)), False, [Hindrance.VALUES]),
    "kept": (labels(A, B, everywhere=2), EditRules(overlap=Overlap.KEEP), False, [Hindrance.OTHERS_KEPT]),
    "two": (
        labels(A, B, everywhere=2),
        EditRules(value_range=(50, 90), overlap=Overlap.KEEP),
        False,
        [Hindrance.VALUES, Hindrance.OTHERS_KEPT],
    ),
    "two of three": (
        labels(A, B, everywhere=2),
        EditRules(Area.INSIDE, "Spleen", value_range=(50, 90), overlap=Overlap.KEEP),
        False,
        [Hindrance.VALUES, Hindrance.OTHERS_KEPT],
    ),
    "one of two": (labels(A), EditRules(value_range=(50, 90), overlap=Overlap.KEEP), False, [Hindrance.VALUES]),
    "other locked": (labels(A, replace(B, locked=True), everywhere=2), EditRules(), False, [Hindrance.OTHER_LOCKED]),
    "erase": (labels(A, everywhere=1), EditRules(value_range=(50, 90)), True, [Hindrance.VALUES]),
    "nothing to erase": (labels(A), EditRules(value_range=(50, 90)), True, []),
    "there already": (labels(A, everywhere=1), EditRules(overlap=Overlap.KEEP), False, []),
}


@pytest.mark.parametrize("name", CASES)
def test_the_rule_that_kept_a_stroke_from_changing_anything_is_found(name: str) -> None:
    made, rules, erase, wanted = CASES[name]
    writer = LabelWriter(made, BOX, rules, CT)
    (writer.erase if erase else writer.add)(made.segments[0], ALL)
    assert writer.changes() == []
    assert hindrances(made, made.segments[0], BOX, ALL, rules, CT, erase=erase) == wanted
