"""Questions of a case: what they are about, how they are answered, what is missing, what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation
from medview.core.answer import SERIES, Standing
from medview.core.box import Box
from medview.core.changes import AnnotationChange, AnswerChange, Command, SegmentChange
from medview.core.errors import StoreError
from medview.core.form import Form, Level
from medview.core.label_patch import LabelPatch
from medview.core.label_set import LabelEntry, LabelSet
from medview.core.segmentation import Segment
from medview.core.study import Series
from medview.store.project import Project
from medview.workspace.answering import give, go_to_missing, takes
from medview.workspace.asked import Asked, asked_now, kept_answers, lesion_segments, missing_now
from medview.workspace.editing import Step
from medview.workspace.events import LabelsChanged
from medview.workspace.keeping import keep, load_stored
from medview.workspace.lesions import PieceIndex
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.figures import want_figures
from medview.workspace.workspace import Workspace
from tests.gui.windows import bare_workspace
from tests.helpers.forms import BAD, COMMENT, FORM, GOOD, LEFT, MARGIN, MOTION, PRIOR, QUALITY, RIGHT, SIDES, SURE, answer
from tests.workspace.conftest import make_case

NODULE = Segment("s1", "Nodule", (86, 180, 233), 0, 1)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path / "p.medview", reader="Ada")
    yield made
    made.close(discard=True)


@pytest.fixture
def workspace(tmp_path: Path, project: Project, case: OpenCase) -> Workspace:
    made = bare_workspace(tmp_path)
    made.services.project = project
    made.forms.use((FORM,))
    made.add_case(case)
    return made


def rows(workspace: Workspace, case: OpenCase) -> dict[str, Asked]:
    return {row.question.text: row for group in asked_now(workspace, case) for row in group.asked}


def titles(workspace: Workspace, case: OpenCase) -> list[str]:
    return [group.title for group in asked_now(workspace, case)]


def missing(workspace: Workspace, case: OpenCase) -> list[tuple[str, str]]:
    return [(row.target.key, row.question.text) for row in missing_now(workspace, case)]


def draw(case: OpenCase, *boxes: Box, segment: Segment = NODULE) -> None:
    """Draw boxes of voxels of a segment."""
    if case.labels.segmentation.find(segment.segment_id) is None:
        case.do(Command("Add", (SegmentChange(None, segment, len(case.labels.segmentation.segments)),)))
    layer = case.labels.segmentation.layer(segment.layer_id)
    for box in boxes:
        patch = LabelPatch.between(layer, box, np.full(box.shape_kji, segment.value, dtype=np.uint8))
        assert patch is not None
        case.do(Command("Brush", (patch,)))
    case.view.active_segment_id = segment.segment_id


def add_box(case: OpenCase, label: str, low: tuple[int, int, int], high: tuple[int, int, int]) -> BoxAnnotation:
    box = BoxAnnotation.on_grid(f"box {label}", label, case.volume.geometry, low, high)
    case.do(Command("Box", (AnnotationChange(None, box),)))
    case.view.active_annotation_id = box.annotation_id
    case.view.look_at(np.add(low, high) / 2, case.volume.geometry.shape_kji)
    return box


# ---------------------------------------------------------------------------------------- answers


def test_an_answer_is_one_step_of_the_history_with_reader_and_time(workspace: Workspace, case: OpenCase) -> None:
    steps: list[Step] = []
    case.record = steps.append
    assert give(workspace, rows(workspace, case)["Quality"], (BAD,))
    given = case.labels.answers[SERIES.key, QUALITY.uid]
    assert (given.words, given.reader, given.form_version) == ("Bad", "Ada", 1)
    assert given.answered_utc.startswith("20")
    assert [(step.kind, step.command.name, step.command.tool) for step in steps] == [("do", "Answer: Quality", "form")]
    case.undo()
    assert case.labels.answers == {}
    case.redo()
    assert rows(workspace, case)["Quality"].answer == given


def test_the_same_answer_again_is_no_step(workspace: Workspace, case: OpenCase) -> None:
    assert give(workspace, rows(workspace, case)["Confidence"], 40.0)
    assert not give(workspace, rows(workspace, case)["Confidence"], 40.0)
    assert give(workspace, rows(workspace, case)["Confidence"], None)
    assert not give(workspace, rows(workspace, case)["Confidence"], None)
    assert len(case.history.next_undos(9)) == 2


def test_what_a_question_does_not_take_is_refused(workspace: Workspace, case: OpenCase) -> None:
    row = rows(workspace, case)["Confidence"]
    assert takes(row, 100.0)
    assert not takes(row, 100.5)
    with pytest.raises(ValueError, match="does not answer"):
        give(workspace, row, 100.5)


def test_a_case_that_cannot_be_changed_takes_no_answer(workspace: Workspace, case: OpenCase) -> None:
    case.read_only = "It is only read."
    assert not give(workspace, rows(workspace, case)["Quality"], (BAD,))
    assert case.labels.answers == {}


def test_answers_redraw_no_labels() -> None:
    case = make_case()
    heard: list[LabelsChanged] = []
    case.labels_changed.connect(heard.append)
    case.do(Command("Answer", (AnswerChange(None, answer(QUALITY, (GOOD,))),)))
    assert heard[0].only_figures
    assert not heard[0].only_voxels


# ---------------------------------------------------------------------------------------- what it is about


def test_slices_are_asked_about_one_by_one(workspace: Workspace, case: OpenCase) -> None:
    case.view.set_slice(0, 4)
    assert titles(workspace, case)[2] == "Slice 5"
    assert give(workspace, rows(workspace, case)["Motion"], (BAD,))
    case.view.set_slice(0, 7)
    assert rows(workspace, case)["Motion"].answer is None
    case.view.set_slice(0, 4)
    given = rows(workspace, case)["Motion"].answer
    assert given is not None
    assert (given.words, given.target.k) == ("Bad", 4)


def test_a_piece_keeps_its_answer_when_it_is_drawn_on_and_is_no_longer_the_largest(
    workspace: Workspace, case: OpenCase
) -> None:
    draw(case, Box((1, 2, 2), (3, 6, 9)), Box((8, 12, 20), (10, 15, 24)))
    case.view.crosshair_kji = (1, 3, 3)
    want_figures(workspace, case, NODULE)
    assert titles(workspace, case)[3] == "Nodule, piece 1 of 2"
    assert give(workspace, rows(workspace, case)["Margin"], (BAD,))
    case.view.crosshair_kji = (9, 13, 21)
    assert rows(workspace, case)["Margin"].answer is None
    assert give(workspace, rows(workspace, case)["Margin"], (GOOD,))
    draw(case, Box((7, 12, 18), (11, 18, 28)))
    want_figures(workspace, case, NODULE)
    assert titles(workspace, case)[3] == "Nodule, piece 1 of 2"
    assert rows(workspace, case)["Margin"].answer.words == "Good"  # type: ignore[union-attr]
    case.view.crosshair_kji = (2, 5, 8)
    assert titles(workspace, case)[3] == "Nodule, piece 2 of 2"
    assert rows(workspace, case)["Margin"].answer.words == "Bad"  # type: ignore[union-attr]


def test_pieces_whose_boxes_overlap_are_told_apart(workspace: Workspace, case: OpenCase) -> None:
    # An L around a small block: the block lies inside the box of the L.
    draw(case, Box((2, 2, 2), (3, 16, 4)), Box((2, 14, 4), (3, 16, 20)), Box((2, 4, 8), (3, 8, 12)))
    want_figures(workspace, case, NODULE)
    pieces = PieceIndex()
    found = [pieces.at(case, NODULE, at) for at in ((2, 3, 3), (2, 15, 18), (2, 6, 9), (2, 10, 10), (0, 0, 0))]
    assert [None if piece is None else piece.number for piece in found] == [1, 1, 2, None, None]


def test_a_question_that_names_lesions_is_asked_of_no_others(workspace: Workspace, case: OpenCase) -> None:
    add_box(case, "Liver", (2, 3, 4), (4, 8, 9))
    group = asked_now(workspace, case)[3]
    assert (group.asked, group.level) == ((), Level.LESION)
    assert "Nodule" in group.hint
    box = add_box(case, "Nodule 2", (6, 3, 4), (8, 8, 9))
    assert give(workspace, rows(workspace, case)["Margin"], (GOOD,))
    assert [one.target.annotation_id for one in case.labels.answers.values()] == [box.annotation_id]


def test_a_chosen_box_gives_way_to_the_piece_one_goes_to(workspace: Workspace, case: OpenCase) -> None:
    draw(case, Box((8, 12, 20), (10, 15, 24)))
    want_figures(workspace, case, NODULE)
    add_box(case, "Nodule", (2, 3, 4), (4, 8, 9))
    assert rows(workspace, case)["Margin"].target.annotation_id
    case.view.crosshair_kji = (9, 13, 21)
    assert rows(workspace, case)["Margin"].target.segment_id == NODULE.segment_id


def test_pieces_are_measured_for_questions_that_name_them_and_for_the_active_segment(
    workspace: Workspace, case: OpenCase
) -> None:
    liver = replace(NODULE, segment_id="s2", name="Liver", value=2)
    draw(case, Box((1, 2, 2), (3, 6, 9)))
    draw(case, Box((8, 12, 20), (10, 15, 24)), segment=liver)
    assert lesion_segments(workspace, case) == [NODULE]
    workspace.forms.use((FORM.changed(questions=(replace(MARGIN, lesions=()),)),))
    assert lesion_segments(workspace, case) == [liver]


def test_what_is_said_of_a_study_is_said_of_all_its_open_series(workspace: Workspace, case: OpenCase) -> None:
    assert give(workspace, rows(workspace, case)["Compared with before"], "Larger")
    other = make_case()
    other.series = Series("1.2.3.9", "1.2.3.3", modality="CT", description="Coronal")
    stranger = make_case()
    stranger.series = Series("9.9", "9.8", modality="CT")
    stranger.volume = replace(stranger.volume, study_uid="9.8")
    case.series = replace(case.series, description="Axial")
    workspace.add_case(other)
    workspace.add_case(stranger)
    row = rows(workspace, other)["Compared with before"]
    assert (row.standing, row.note) == (Standing.ANSWERED, "Answered on Axial")
    assert rows(workspace, stranger)["Compared with before"].answer is None
    assert give(workspace, row, "Smaller")
    assert rows(workspace, case)["Compared with before"].answer.words == "Smaller"  # type: ignore[union-attr]


def test_what_was_said_of_a_study_on_a_series_that_is_closed_is_looked_up(tmp_path: Path, project: Project) -> None:
    workspace = bare_workspace(tmp_path)
    workspace.services.project = project
    workspace.forms.use((FORM,))
    first, second = make_case(), make_case()
    second.series = Series("1.2.3.9", "1.2.3.3", modality="CT")
    second.volume = replace(second.volume, series_uid="1.2.3.9")
    for one in (first, second):
        keep(one, project, load_stored(project, one.series, one.entry, one.volume))
    workspace.add_case(first)
    give(workspace, rows(workspace, first)["Compared with before"], "Larger")
    workspace.close_case(first.key)
    workspace.add_case(second)
    workspace.forms.look_up(second)
    row = rows(workspace, second)["Compared with before"]
    assert row.answer is not None
    assert (row.answer.words, row.missing, row.note) == ("Larger", False, "Answered on another series")
    assert give(workspace, row, "Smaller")
    assert rows(workspace, second)["Compared with before"].note == ""
    workspace.close_case(second.key)
    path = project.path
    project.close()
    with Project.open(path, reader="Bea") as hers:
        workspace.services.project = hers
        workspace.add_case(first)
        first.labels.answers.clear()
        workspace.forms.look_up(first)
        assert rows(workspace, first)["Compared with before"].answer is None, "readers do not see each other's answers"


# ---------------------------------------------------------------------------------------- what is missing


def test_required_questions_are_missing_until_they_are_answered(workspace: Workspace, case: OpenCase) -> None:
    assert missing(workspace, case) == [("study", "Compared with before"), ("series", "Quality"), ("series", "Confidence")]
    give(workspace, rows(workspace, case)["Quality"], (GOOD,))
    give(workspace, rows(workspace, case)["Sides"], (LEFT, RIGHT))
    assert missing(workspace, case) == [("study", "Compared with before"), ("series", "Confidence")]


def test_every_lesion_that_a_question_names_is_missing_an_answer(workspace: Workspace, case: OpenCase) -> None:
    workspace.forms.use((Form("f", "Lesions", (MARGIN,)),))
    draw(case, Box((1, 2, 2), (3, 6, 9)), Box((8, 12, 20), (10, 15, 24)))
    want_figures(workspace, case, NODULE)
    box = add_box(case, "Nodule", (5, 3, 4), (6, 8, 9))
    add_box(case, "Liver", (5, 3, 4), (6, 8, 9))
    assert len(missing_now(workspace, case)) == 3
    assert go_to_missing(workspace)
    asked: list[tuple[str, str]] = []
    workspace.forms.wanted.connect(lambda target, question: asked.append((target, question)))
    for _turn in range(3):
        workspace.forms.at = asked[-1] if asked else ("", "")
        assert go_to_missing(workspace)
        give(workspace, rows(workspace, case)["Margin"], (GOOD,))
    assert missing_now(workspace, case) == []
    assert {one.target.annotation_id for one in case.labels.answers.values()} == {box.annotation_id, ""}
    assert not go_to_missing(workspace)


def test_a_slice_that_was_begun_is_missing_the_rest_and_can_be_gone_to(workspace: Workspace, case: OpenCase) -> None:
    noise = replace(MOTION, uid="q.noise", text="Noise")
    workspace.forms.use((Form("f", "Slices", (MOTION, noise)),))
    assert missing_now(workspace, case) == []
    case.view.set_slice(0, 9)
    give(workspace, rows(workspace, case)["Motion"], (GOOD,))
    case.view.set_slice(0, 2)
    give(workspace, rows(workspace, case)["Noise"], (BAD,))
    assert missing(workspace, case) == [("slice 2", "Motion"), ("slice 9", "Noise")]
    workspace.forms.at = ("slice 2", MOTION.uid)
    assert go_to_missing(workspace)
    assert case.view.crosshair_kji[0] == 9


# ---------------------------------------------------------------------------------------- changed forms


def test_a_changed_form_keeps_answers_and_asks_again_where_they_do_not_stand(workspace: Workspace, case: OpenCase) -> None:
    for text, value in (("Quality", (BAD,)), ("Confidence", 80.0), ("Comment", "Rotated"), ("Compared with before", "No")):
        assert give(workspace, rows(workspace, case)[text], value)
    assert missing(workspace, case) == []
    before = dict(case.labels.answers)
    fewer = replace(QUALITY, options=(GOOD,))
    workspace.forms.use((FORM.changed(questions=(PRIOR, fewer, replace(SURE, most=50.0), SIDES)),))
    assert case.labels.answers == before
    assert missing(workspace, case) == [("series", "Quality"), ("series", "Confidence")]
    assert rows(workspace, case)["Quality"].note == "Was: Bad, which is no longer to choose"
    assert rows(workspace, case)["Confidence"].note == "Was: 80 %, outside of the range now"
    assert [(where, one.words) for where, one in kept_answers(workspace, case)] == [("This series", "Rotated")]
    workspace.forms.use((FORM,))
    assert missing(workspace, case) == []
    assert kept_answers(workspace, case) == []


def test_an_answer_about_a_box_that_was_deleted_is_kept(workspace: Workspace, case: OpenCase) -> None:
    box = add_box(case, "Nodule", (2, 3, 4), (4, 8, 9))
    give(workspace, rows(workspace, case)["Margin"], (BAD,))
    case.do(Command("Delete", (AnnotationChange(box, None),)))
    assert [(where, one.words) for where, one in kept_answers(workspace, case)] == [("Nodule, no longer there", "Bad")]
    case.undo()
    assert kept_answers(workspace, case) == []


# ---------------------------------------------------------------------------------------- the project


def test_forms_belong_to_the_project_and_come_back_with_it(tmp_path: Path, workspace: Workspace, project: Project) -> None:
    workspace.forms.use((FORM, Form("f.two", "Second", (replace(COMMENT, uid="other"),))))
    path = project.path
    project.close()
    fresh = bare_workspace(tmp_path)
    assert fresh.forms.forms == ()
    with Project.open(path) as again:
        fresh.services.project = again
        assert [form.name for form in fresh.forms.forms] == ["Chest", "Second"]
    with Project.open(path, read_only=True) as copy:
        fresh.services.project = copy
        with pytest.raises(StoreError, match="reading only"):
            fresh.forms.use(())
        assert len(fresh.forms.forms) == 2


def test_a_label_set_is_added_to_that_of_the_project(workspace: Workspace) -> None:
    heard: list[None] = []
    workspace.forms.changed.connect(lambda: heard.append(None))
    newer = FORM.changed(name="Chest, second edition")
    lung, liver = LabelEntry("Lung", (1, 2, 3)), LabelEntry("Liver")
    assert workspace.forms.adopt(LabelSet("One", (lung, liver), forms=(newer, Form("f.two", "Second")))) == 2
    assert workspace.forms.adopt(LabelSet("Two", (LabelEntry("lung"), LabelEntry("Spleen")), forms=(FORM,))) == 0
    assert [form.name for form in workspace.forms.forms] == ["Chest, second edition", "Second"]
    assert [(entry.name, entry.colour) for entry in workspace.forms.label_set.entries] == [
        ("Lung", (1, 2, 3)),
        ("Liver", None),
        ("Spleen", None),
    ]
    assert len(heard) == 1


def test_a_damaged_label_set_is_told_and_asks_nothing(
    workspace: Workspace, project: Project, tmp_path: Path, case: OpenCase
) -> None:
    project.label_set.keep('{"name": "x", "forms": [{"name": ""}]}')
    fresh = bare_workspace(tmp_path)
    said: list[str] = []
    fresh.message.connect(lambda message: said.append(message.text))
    fresh.services.project = project
    assert fresh.forms.forms == ()
    assert fresh.forms.forms == ()
    assert said == ["The label set is damaged: a form has no words."]


def test_forms_for_other_modalities_are_not_asked(workspace: Workspace, case: OpenCase) -> None:
    workspace.forms.use((replace(FORM, modalities=("DX",)),))
    assert asked_now(workspace, case) == ()
    assert missing_now(workspace, case) == []
