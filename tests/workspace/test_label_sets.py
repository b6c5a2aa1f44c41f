"""Label sets that are kept, put to use and made of segments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medview.core.changes import Command, SegmentChange
from medview.core.label_set import LabelEntry, LabelSet
from medview.core.segmentation import Code, Segment, SegmentRole, SegmentStatus
from medview.workspace.label_sets import apply_label_set, keep, label_sets, own_folder, remove
from medview.workspace.open_case import OpenCase
from tests.workspace.conftest import make_case

LUNG = Code("39607008", "SCT", "Lung")
SET = LabelSet(
    "Chest",
    (
        LabelEntry("Left lung", (1, 2, 3), "Lungs", LUNG),
        LabelEntry("Right lung", None, "Lungs", LUNG),
        LabelEntry("Unsure", (9, 9, 9), unsure=True),
    ),
)


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDVIEW_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def case() -> OpenCase:
    return make_case()


def test_a_set_brings_segments_that_are_still_to_be_drawn(case: OpenCase) -> None:
    assert apply_label_set(case, SET) == 3
    left, right, unsure = case.labels.segmentation.segments
    assert (left.name, left.colour, left.group, left.code) == ("Left lung", (1, 2, 3), "Lungs", LUNG)
    assert right.colour not in (left.colour, unsure.colour)
    assert {s.status for s in (left, right, unsure)} == {SegmentStatus.TO_DO}
    assert [s.role for s in (left, right, unsure)] == [SegmentRole.STRUCTURE, SegmentRole.STRUCTURE, SegmentRole.IGNORE]
    assert len({(s.layer_id, s.value) for s in (left, right, unsure)}) == 3
    assert case.view.active_segment_id == left.segment_id
    assert case.history.names == ("Label set Chest",)
    case.undo()
    assert case.labels.segmentation.segments == []


def test_what_is_there_stays_as_it_is(case: OpenCase) -> None:
    mine = Segment("s1", "LEFT LUNG", (7, 7, 7), 0, 1)
    case.do(Command("Add", (SegmentChange(None, mine, 0),)))
    case.view.active_segment_id = "s1"
    assert apply_label_set(case, SET) == 2
    assert case.labels.segmentation.segments[0] == mine
    assert case.view.active_segment_id == "s1"
    steps = len(case.history.names)
    assert apply_label_set(case, SET) == 0
    assert len(case.history.names) == steps


def test_a_set_of_300_labels_fills_two_layers(case: OpenCase) -> None:
    many = LabelSet("Many", tuple(LabelEntry(f"L{n}") for n in range(300)))
    assert apply_label_set(case, many) == 300
    assert {s.layer_id for s in case.labels.segmentation.segments} == {0, 1}


def test_a_read_only_case_gets_no_segments(case: OpenCase) -> None:
    case.read_only = "Another window is writing."
    assert apply_label_set(case, SET) == 0
    assert case.labels.segmentation.segments == []


def test_sets_are_kept_replaced_and_removed(config: Path) -> None:
    shipped = [k.label_set.name for k in label_sets()]
    assert shipped == ["Abdomen CT", "Brain MR", "Chest CT", "Chest radiograph", "Lesions"]
    kept = keep(SET)
    assert kept.path.parent == own_folder() == config / "label_sets"
    assert next((k.label_set.name, k.own) for k in label_sets()) == ("Chest", True)
    keep(LabelSet("Chest", SET.entries[:1]))
    own = [k for k in label_sets() if k.own]
    assert [len(k.label_set.entries) for k in own] == [1]
    remove(own[0])
    assert [k.label_set.name for k in label_sets()] == shipped
    remove(label_sets()[0])
    assert [k.label_set.name for k in label_sets()] == shipped, "those that come with the program stay"


@pytest.mark.parametrize("name", ["../../away", "C:\\x", "...", "Ärzte / München", "a" * 90])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    kept = keep(LabelSet(name, SET.entries))
    assert kept.path.parent == own_folder()
    assert [k.label_set.name for k in label_sets() if k.own] == [name]


def test_two_names_that_would_be_one_file_are_two_sets() -> None:
    for name in ("A b", "A-b", "A_b"):
        keep(LabelSet(name, SET.entries))
    assert sorted(k.label_set.name for k in label_sets() if k.own) == ["A b", "A-b", "A_b"]


def test_a_damaged_set_is_left_out_and_the_others_are_listed(caplog: pytest.LogCaptureFixture) -> None:
    keep(SET)
    (own_folder() / "broken.json").write_text("{", encoding="utf-8")
    (own_folder() / "other.json").write_text(json.dumps({"name": "X"}), encoding="utf-8")
    assert [k.label_set.name for k in label_sets() if k.own] == ["Chest"]
    assert "broken.json is no label set" in caplog.text
