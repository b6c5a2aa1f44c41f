"""Labels of other readers are looked at, reviewed and brought to a consensus; nobody's own are touched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.changes import Command
from medview.core.errors import StoreError
from medview.core.job import Inline
from medview.core.label_patch import LabelPatch
from medview.core.label_set import LabelEntry, LabelSet
from medview.core.prompt import Prompt, PromptKind
from medview.core.reading_rule import ReadingRule
from medview.core.reading_status import ReadingStatus, Role
from medview.core.source import SourceKind
from medview.edit.rules import LabelWriter
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.actions import action
from medview.workspace.counting import counting
from medview.workspace.events import Message
from medview.workspace.export_selection import ExportRun, select_cases
from medview.workspace.jobs import InlineRunner, Job, Outcome, Request
from medview.workspace.label_sets import apply_label_set
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels, segments
from medview.workspace.operations.open import open_series
from medview.workspace.operations.predict import RunModel, run_model
from medview.workspace.project_agreement import project_agreement
from medview.workspace.project_export import export_project
from medview.workspace.requests_prompt import FindObject
from medview.workspace.review_words import overtaken_text, reading_text
from medview.workspace.workspace import Workspace
from tests.workspace.queued import add_small_model, queue_workspace, scanned, write_small_ct

ADA_BOX, GRACE_BOX = Box((2, 3, 4), (7, 12, 13)), Box((3, 3, 4), (8, 12, 13))


class Desk:
    """A person at a project, with the one series open."""

    def __init__(self, folder: Path, reader: str) -> None:
        path = folder / "p.medview"
        self.project = Project.open(path, reader=reader) if path.exists() else Project.create(path, reader=reader)
        self.workspace: Workspace = queue_workspace(folder, InlineRunner(), self.project)
        self.heard: list[str] = []
        self.workspace.message.connect(self._hear)
        series, entry = scanned(folder / "images" / "s1")
        open_series(self.workspace, series, entry)

    def _hear(self, message: Message) -> None:
        self.heard.append(message.text)

    @property
    def case(self) -> OpenCase:
        assert self.workspace.active is not None
        return self.workspace.active

    def draw(self, name: str, box: Box, value: int = 1) -> None:
        """Draw a box of one segment."""
        segment = labels.add_segment(self.case, name)
        assert segment is not None
        layer = self.case.labels.segmentation.layer(segment.layer_id)
        patch = LabelPatch.between(layer, box, np.full(box.shape_kji, segment.value, np.uint8))
        assert patch is not None
        assert self.case.do(Command("Box", (patch,), "brush"))

    def reading_of(self, reader: str) -> int:
        """Return the number of a reader's reading."""
        state = self.workspace.reviewing.state
        assert state is not None
        return next(one.reading_id for one in state.readings if one.reader == reader and one.role is Role.READER)

    def done(self) -> None:
        """Say that one's own labels are done."""
        assert self.case.reading_id is not None
        self.project.set_status(self.case.reading_id, ReadingStatus.DONE)
        self.workspace.reviewing.refresh()

    def held(self, name: str) -> int:
        """Voxels of all segments of a name."""
        segmentation = self.case.labels.segmentation
        return sum(segmentation.count(segment) for segment in segmentation.segments if segment.name == name)

    def close(self) -> None:
        self.project.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project in which Ada and Grace have each drawn a liver, and said that they are done."""
    write_small_ct(tmp_path / "images", "s1")
    for reader, box in (("Ada", ADA_BOX), ("Grace", GRACE_BOX)):
        desk = Desk(tmp_path, reader)
        desk.draw("Liver", box)
        desk.done()
        desk.close()
    return tmp_path


@pytest.fixture
def eve(folder: Path) -> Iterator[Desk]:
    """Eve, who has labelled nothing."""
    desk = Desk(folder, "Eve")
    yield desk
    desk.close()


def test_others_labels_are_shown_and_cannot_be_changed_and_ones_own_come_back(eve: Desk) -> None:
    own = eve.case.reading_id
    eve.draw("Spleen", Box((0, 0, 0), (2, 2, 2)))
    eve.done()
    eve.workspace.reviewing.look_at(eve.reading_of("Ada"))
    assert [segment.name for segment in eve.case.labels.segmentation.segments] == ["Liver"]
    assert eve.held("Liver") == ADA_BOX.size
    assert "Ada" in eve.case.read_only
    assert labels.add_segment(eve.case, "Mine") is None
    action("review.own").run(eve.workspace)
    assert (eve.case.reading_id, eve.case.read_only, eve.held("Spleen")) == (own, "", 8)
    assert eve.case.undo() is not None
    assert eve.project.journal.flush()
    assert eve.project.verify().problems == ()
    opened = [entry for entry in eve.project.activity.entries() if entry.details.get("beside")]
    assert [(entry.who, entry.kind) for entry in opened] == [("Eve", "opened")]


def test_while_ones_own_labels_are_not_done_nothing_of_others_is_seen_unless_the_rule_is_open(eve: Desk) -> None:
    eve.draw("Spleen", Box((0, 0, 0), (2, 2, 2)))
    for _time in range(2):
        # The first time the list of readings does not know yet that something was drawn.
        eve.workspace.reviewing.look_at(eve.reading_of("Ada"))
        eve.workspace.reviewing.adjudicate()
        assert (eve.held("Liver"), eve.held("Spleen")) == (0, 8)
        assert "marked as done" in eve.heard[-1]
        eve.workspace.reviewing.refresh()
    eve.project.worklist.keep_reading_rule(ReadingRule(blinded=False))
    eve.workspace.reviewing.refresh()
    eve.workspace.reviewing.look_at(eve.reading_of("Ada"))
    assert eve.held("Liver") == ADA_BOX.size


def test_labels_are_sent_back_with_a_comment_where_the_crosshair_is_and_approved(eve: Desk, folder: Path) -> None:
    reviewing = eve.workspace.reviewing
    reviewing.approve()
    assert eve.heard[-1] == "Look at the labels of another reader first."
    reviewing.look_at(eve.reading_of("Ada"))
    eve.case.view.crosshair_kji = (5, 6, 7)
    reviewing.send_back("Spills over")
    assert reviewing.state is not None
    (comment,) = reviewing.state.comments
    assert comment.pin is not None
    assert (comment.text, comment.who, comment.pin.index_kji) == ("Spills over", "Eve", (5, 6, 7))
    assert comment.pin.point_lps_mm == pytest.approx(eve.case.volume.geometry.point_lps_mm((5, 6, 7)))
    reviewing.look_at(eve.reading_of("Grace"))
    action("review.approve").run(eve.workspace)
    eve.close()
    ada = Desk(folder, "Ada")
    state = ada.workspace.reviewing.state
    assert state is not None
    assert [(one.reader, one.status) for one in state.readings if one.role is Role.READER] == [
        ("Ada", ReadingStatus.RETURNED),
        ("Grace", ReadingStatus.APPROVED),
    ]
    ada.workspace.reviewing.go_to(state.comments[0])
    assert ada.case.view.crosshair_kji == (5, 6, 7)
    ada.close()
    eve.project = Project.open(folder / "p.medview", reader="Eve")


def test_a_reviewer_goes_on_from_the_readers_labels_and_theirs_stay(eve: Desk) -> None:
    reviewing = eve.workspace.reviewing
    reviewing.look_at(eve.reading_of("Ada"))
    action("review.edit").run(eve.workspace)
    shown = reviewing.shown
    assert shown is not None
    assert (shown.reader, shown.role, eve.held("Liver")) == ("Eve", Role.REVIEW, ADA_BOX.size)
    assert len(eve.case.history.next_undos(5)) == 1
    eve.draw("Vessel", Box((0, 0, 0), (1, 5, 5)))
    reviewing.look_at(eve.reading_of("Ada"))
    assert [segment.name for segment in eve.case.labels.segmentation.segments] == ["Liver"]
    reviewing.edit()
    assert eve.held("Vessel") == 25
    assert eve.project.verify().problems == ()


def test_the_consensus_is_picked_from_what_readers_drew_and_what_most_of_them_did(eve: Desk) -> None:
    reviewing = eve.workspace.reviewing
    action("review.consensus").run(eve.workspace)
    assert reviewing.shown is not None
    assert reviewing.shown.role is Role.CONSENSUS
    proposals = {one.prediction.model_name: one for one in eve.case.labels.proposals.values()}
    assert set(proposals) == {"Ada", "Grace"}
    assert labels.accept(eve.case, proposals["Grace"].proposal_id)
    (liver,) = eve.case.labels.segmentation.segments
    assert (liver.name, liver.source.kind, liver.source.model_id) == ("Liver", SourceKind.READER, "Grace")
    assert eve.held("Liver") == GRACE_BOX.size
    assert not labels.stale(eve.case, proposals["Ada"])
    # It is no model whose corrections are counted.
    assert eve.case.labels.efforts == {}
    action("review.majority").run(eve.workspace)
    majority = next(one for one in eve.case.labels.proposals.values() if one.prediction.model_name.startswith("Majority"))
    assert majority.prediction.mask is not None
    assert majority.prediction.mask.counts() == {1: ADA_BOX.intersection(GRACE_BOX).size}
    action("review.staple").run(eve.workspace)
    assert any(one.prediction.model_name.startswith("STAPLE") for one in eve.case.labels.proposals.values())
    action("review.own").run(eve.workspace)
    assert eve.held("Liver") == 0
    # Opened again it is as it was, with what is still to be decided beside it.
    reviewing.adjudicate()
    assert eve.held("Liver") == GRACE_BOX.size
    assert {one.prediction.model_name for one in eve.case.labels.proposals.values()} >= {"Ada"}
    assert eve.project.journal.flush()
    assert eve.project.verify().problems == ()
    (row,) = eve.project.cases()
    assert row.consensus is not None
    assert row.consensus.reader == "Eve"


def test_a_reader_whose_labels_went_another_way_in_a_copy_has_one_vote(folder: Path) -> None:
    shutil.copytree(folder / "p.medview", folder / "copy.medview")
    for place, box in ((folder, Box((2, 3, 4), (3, 4, 5))), (folder / "b", ADA_BOX)):
        if place != folder:
            place.mkdir()
            (folder / "copy.medview").rename(place / "p.medview")
            (place / "images").symlink_to(folder / "images")
        ada = Desk(place, "Ada")
        ada.draw("Cyst", box)
        ada.done()
        ada.close()
    with Project.open(folder / "p.medview", reader="Eve") as project:
        assert len(project.merge(folder / "b" / "p.medview").conflicts) == 1
    eve = Desk(folder, "Eve")
    action("review.consensus").run(eve.workspace)
    proposals = {one.prediction.model_name for one in eve.case.labels.proposals.values()}
    assert proposals == {"Ada", "Ada (2)", "Grace"}
    action("review.majority").run(eve.workspace)
    majority = next(one for one in eve.case.labels.proposals.values() if one.prediction.model_name.startswith("Majority"))
    assert majority.prediction.mask is not None
    counts = majority.prediction.mask.counts()
    eve.close()
    # Ada's liver stands in both of her readings; what most readers drew is still only what Grace drew, too.
    assert counts[1] == ADA_BOX.intersection(GRACE_BOX).size


def test_what_was_drawn_meanwhile_is_not_put_aside(eve: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = eve.workspace.runner
    submit = runner.submit

    def begin(request: object, outcome: object) -> object:
        # The hand draws between the wish and its result.
        done = outcome.done  # type: ignore[attr-defined]

        def later(value: object) -> None:
            eve.draw("Spleen", Box((0, 0, 0), (2, 2, 2)))
            monkeypatch.undo()
            done(value)

        return submit(request, type(outcome)(later, failed=outcome.failed))  # type: ignore[attr-defined,arg-type]

    monkeypatch.setattr(runner, "submit", begin)
    eve.workspace.reviewing.look_at(eve.reading_of("Ada"))
    assert eve.held("Spleen") == 8
    assert "drew meanwhile" in eve.heard[-1]


def test_readers_stand_side_by_side_with_their_labels_and_go_with_the_case(eve: Desk) -> None:
    own = eve.case
    eve.workspace.reviewing.adjudicate()
    action("review.side_by_side").run(eve.workspace)
    layout = eve.workspace.bench.layout
    shown = [eve.workspace.case_in(cell.pane_id) for cell in layout.slices]
    assert [one.reader for one in shown if one is not None] == ["", "Ada", "Grace"]
    assert eve.workspace.active is own
    assert eve.workspace.bench.links.scroll
    ada = shown[1]
    assert ada is not None
    assert ada.labels.segmentation.count(ada.labels.segmentation.segments[0]) == ADA_BOX.size
    assert ada.volume is own.volume
    assert labels.add_segment(ada, "Mine") is None
    # What is said of a pane that stands beside is said of its reader, at its crosshair.
    eve.workspace.choose(layout.slices[1].pane_id)
    ada.view.crosshair_kji = (1, 2, 3)
    eve.workspace.reviewing.send_back("Look")
    state = eve.workspace.reviewing.state
    assert state is not None
    (comment,) = state.comments
    assert comment.pin is not None
    assert (state.reading(comment.reading_id).reader, comment.pin.index_kji) == ("Ada", (1, 2, 3))  # type: ignore[union-attr]
    # Asked again, nobody stands there twice.
    action("review.side_by_side").run(eve.workspace)
    assert len(eve.workspace.cases) == 3
    eve.workspace.close_case(own.key)
    assert eve.workspace.cases == {}


def _accept_of(desk: Desk, reader: str) -> None:
    proposal_id = next(key for key, one in desk.case.labels.proposals.items() if one.prediction.model_name == reader)
    labels.accept_and_say(desk.workspace, desk.case, proposal_id, None, "Accepted.")


def test_in_the_consensus_what_two_readers_call_the_same_goes_into_one_segment(eve: Desk) -> None:
    eve.workspace.reviewing.adjudicate()
    _accept_of(eve, "Ada")
    _accept_of(eve, "Grace")
    (liver,) = eve.case.labels.segmentation.segments
    assert eve.case.labels.segmentation.count(liver) == Box.union_of((ADA_BOX, GRACE_BOX)).size  # type: ignore[union-attr]
    assert (liver.source.kind, liver.source.model_id) == (SourceKind.READER, "Ada, Grace")
    assert eve.heard[-1] == "Accepted. Liver was there already and holds both now."
    assert eve.case.undo() is not None
    (liver,) = eve.case.labels.segmentation.segments
    assert (liver.source.model_id, eve.held("Liver")) == ("Ada", ADA_BOX.size)
    # One that is still to be drawn, as label sets add it, is filled; a locked one is told of and left alone.
    assert eve.case.undo() is not None
    assert eve.case.labels.segmentation.segments == []
    empty = labels.add_segment(eve.case, "LIVER")
    assert empty is not None
    _accept_of(eve, "Grace")
    (liver,) = eve.case.labels.segmentation.segments
    assert (liver.segment_id, liver.name, liver.source.model_id) == (empty.segment_id, "LIVER", "Grace")
    segments.set_locked(eve.case, [liver.segment_id], locked=True)
    _accept_of(eve, "Ada")
    assert eve.held("LIVER") == GRACE_BOX.size
    assert "locked" in eve.heard[-1]
    assert {one.prediction.model_name for one in eve.case.labels.proposals.values()} == {"Ada"}
    assert eve.project.journal.flush()
    assert eve.project.verify().problems == ()


def test_an_edit_is_approved_with_the_readers_labels_and_says_who_drew_and_who_corrected(eve: Desk) -> None:
    reviewing = eve.workspace.reviewing
    ada = eve.reading_of("Ada")
    reviewing.look_at(ada)
    reviewing.edit()
    (liver,) = eve.case.labels.segmentation.segments
    assert (liver.source.kind, liver.source.model_id, liver.source.corrected) == (SourceKind.READER, "Ada", False)
    layer = eve.case.labels.segmentation.layer(liver.layer_id)
    writer = LabelWriter(eve.case.labels.segmentation, Box((0, 0, 0), (2, 2, 2)))
    writer.add(liver, np.ones((2, 2, 2), dtype=np.bool_))
    assert eve.case.do(Command("Brush", tuple(writer.changes()), "brush"))
    (liver,) = eve.case.labels.segmentation.segments
    assert liver.source.title == "Ada, corrected"
    assert layer.voxels.any()
    assert action("review.approve").enabled(eve.workspace)
    action("review.approve").run(eve.workspace)
    assert reviewing.state is not None
    status = {one.reading_id: one.status for one in reviewing.state.readings}
    assert reviewing.shown is not None
    assert status[ada] is status[reviewing.shown.reading_id] is ReadingStatus.APPROVED
    (row,) = eve.project.cases()
    counts = counting(row, "", eve.project.review.reviewed())
    assert counts is not None
    assert (counts.drawn_by, counts.corrected_by) == ("Ada", "Eve")
    # Drawn on once more, it is the reader's own that is approved.
    eve.draw("Vessel", Box((0, 0, 0), (1, 5, 5)))
    assert "have to be approved again" in " ".join(eve.heard)
    assert reviewing.shown.status is ReadingStatus.IN_WORK
    (row,) = eve.project.cases()
    counts = counting(row, "", eve.project.review.reviewed())
    assert counts is not None
    assert (counts.state.reading_id, counts.corrected_by) == (ada, "")


def test_a_consensus_that_labels_moved_on_from_is_said_to_be_older(eve: Desk, folder: Path) -> None:
    eve.workspace.reviewing.adjudicate()
    _accept_of(eve, "Ada")
    eve.close()
    grace = Desk(folder, "Grace")
    grace.draw("Vessel", Box((0, 0, 0), (1, 5, 5)))
    grace.done()
    grace.close()
    eve.project = Project.open(folder / "p.medview", reader="Eve")
    eve.workspace.services = replace(eve.workspace.services, project=eve.project)
    eve.workspace.reviewing.refresh()
    state = eve.workspace.reviewing.state
    assert state is not None
    (names,) = state.gone_on.values()
    assert names == ["Grace"]
    agreed = next(one for one in state.readings if one.role is Role.CONSENSUS)
    assert reading_text(agreed, state) == "Consensus · In work · out of date"
    assert overtaken_text(agreed, state).startswith("Labels of Grace changed after this was last worked on")


def test_who_only_opened_a_case_of_a_project_with_a_label_set_sees_others_and_counts_as_no_reader(
    eve: Desk, folder: Path
) -> None:
    assert apply_label_set(eve.case, LabelSet("Study", (LabelEntry("Tumour"),)), by_itself=True) == 1
    assert eve.project.journal.flush()
    reviewing = eve.workspace.reviewing
    reviewing.refresh()
    reviewing.look_at(eve.reading_of("Ada"))
    assert eve.held("Liver") == ADA_BOX.size
    reviewing.adjudicate()
    assert {one.prediction.model_name for one in eve.case.labels.proposals.values()} == {"Ada", "Grace"}
    assert eve.project.journal.flush()
    assert project_agreement(eve.project.path, None, Inline()).readers == ("Ada", "Grace")
    # Nor does a consensus in which nothing was decided yet.
    with pytest.raises(StoreError, match="was read by Ada, Grace and has no consensus"):
        select_cases(ExportRun("seg"), eve.project, Inline(), InlinePool())
    document = export_project(eve.project.path, folder / "out", None, Inline(), overwrite=False)
    assert [one["reader"] for one in document["cases"]] == ["Ada", "Grace"]


class ModelsLater(InlineRunner):
    """Does everything at once, but what asks a model or looks for an object when it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[Request, Outcome]] = []

    def submit(self, request: Request, outcome: Outcome) -> Job:
        if not isinstance(request, RunModel | FindObject):
            return super().submit(request, outcome)
        self.waiting.append((request, outcome))
        return Job(request.title, request.lane)

    def finish(self) -> None:
        """Do what waits."""
        while self.waiting:
            super().submit(*self.waiting.pop(0))


@pytest.fixture
def later(eve: Desk) -> ModelsLater:
    runner = eve.workspace.runner = ModelsLater()
    return runner


@pytest.mark.parametrize("back", [False, True], ids=["others are shown", "her own are shown again"])
def test_what_a_model_finds_goes_to_no_other_labels_than_those_it_was_started_on(
    folder: Path, eve: Desk, later: ModelsLater, back: bool
) -> None:
    key, reviewing = add_small_model(folder), eve.workspace.reviewing
    assert run_model(eve.workspace, eve.workspace.services.registry.get(key)) is not None
    reviewing.look_at(eve.reading_of("Ada"))
    reviewing.edit()
    if back:
        action("review.own").run(eve.workspace)
    (_one,) = later.waiting
    later.finish()
    if back:
        assert [one.prediction.source.kind for one in eve.case.labels.proposals.values()] == [SourceKind.MODEL]
        return
    assert eve.case.labels.proposals == {}
    assert eve.heard[-1].startswith("Other labels are shown now than when ")
    action("review.own").run(eve.workspace)
    assert eve.case.labels.proposals == {}


def test_what_was_started_before_labels_were_kept_comes_up_on_them_once_they_are(
    folder: Path, eve: Desk, later: ModelsLater
) -> None:
    key, kept = add_small_model(folder), eve.case.reading_id
    eve.case.reading_id = None
    assert run_model(eve.workspace, eve.workspace.services.registry.get(key)) is not None
    eve.case.reading_id = kept
    later.finish()
    assert [one.prediction.source.kind for one in eve.case.labels.proposals.values()] == [SourceKind.MODEL]


def test_an_object_found_for_ones_own_labels_is_not_drawn_into_a_review(eve: Desk, later: ModelsLater) -> None:
    x, y, z = (float(n) for n in eve.case.volume.geometry.point_lps_mm((4, 9, 11)))
    prompt = Prompt("p", PromptKind.POINT, True, ((x, y, z),), (0.0, 0.0, 1.0), 3.0)
    eve.workspace.prompting.add(eve.case, prompt)
    eve.workspace.prompting.add(eve.case, replace(prompt, prompt_id="q"))
    reviewing = eve.workspace.reviewing
    reviewing.look_at(eve.reading_of("Ada"))
    reviewing.edit()
    undos = len(eve.case.history.next_undos(9))
    later.finish()
    assert not eve.workspace.prompting.going_on
    assert eve.heard[-1].startswith("Other labels are shown now than when the prompt was set")
    assert (eve.held("Liver"), len(eve.case.history.next_undos(9))) == (ADA_BOX.size, undos)
    assert [segment.name for segment in eve.case.labels.segmentation.segments] == ["Liver"]
