"""Readings are approved, sent back with a comment at a place, and edited by a reviewer beside the reader's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.core.changes import Command, SegmentChange
from medview.core.errors import StoreError
from medview.edit.copied import copied as labels_copied
from medview.edit.segments import new_segment
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus, Role
from medview.store.review_book import Pin
from tests.store.copies import copied, merged
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint

PIN = Pin((-12.5, 30.0, -200.25), (4, 20, 33))


@pytest.fixture
def read(tmp_path: Path) -> tuple[Path, Painter]:
    """A project in which Ada has labelled a case."""
    path = tmp_path / "p.medview"
    with Project.create(path, reader="Ada") as project:
        painter = Painter(project)
        painter.add_segment()
        painter.paint((1, 5, 5), (6, 30, 40))
    return path, painter


def test_what_is_sent_back_says_why_and_where_and_is_approved_later(read: tuple[Path, Painter]) -> None:
    path, ada = read
    with Project.open(path, reader="Grace") as project:
        project.review.comment(ada.reading_id, "Nice start")
        project.review.send_back(ada.reading_id, " Spills into the vessel ", PIN)
        assert project.cases()[0].status is ReadingStatus.RETURNED
        nice, back = project.review.comments(1)
        assert (nice.kind, nice.who, nice.text, nice.pin) == ("commented", "Grace", "Nice start", None)
        assert (back.kind, back.text, back.pin, back.reading_id) == (
            "sent back",
            "Spills into the vessel",
            PIN,
            ada.reading_id,
        )
        with pytest.raises(StoreError, match="Say what"):
            project.review.send_back(ada.reading_id, "  ")
        project.review.approve(ada.reading_id)
        assert project.cases()[0].status is ReadingStatus.APPROVED
        assert project.review.comments(2) == []


def test_a_reviewer_edits_labels_that_begin_as_the_readers_and_those_stay(read: tuple[Path, Painter]) -> None:
    path, ada = read
    with Project.open(path, reader="Grace") as project:
        review, fresh = project.review.begin_review(ada.reading_id)
        assert fresh
        assert (review.reader, review.state.role, review.case_id) == ("Grace", Role.REVIEW, 1)
        theirs = project.load_reading(ada.reading_id, beside=True).labels
        command = Command("Labels of Ada", tuple(labels_copied(theirs)), "review")
        project.journal.append(review.reading_id, Entry(EntryKind.DO, command))
        assert project.journal.flush()
        mine = project.load_reading(review.reading_id).labels
        assert mine.segmentation.segments == theirs.segmentation.segments
        assert (mine.segmentation.layer(0).voxels == theirs.segmentation.layer(0).voxels).all()
        # A second time it goes on with the same one.
        again, fresh = project.review.begin_review(ada.reading_id)
        assert (again.reading_id, fresh) == (review.reading_id, False)
        assert stored_fingerprint(project, ada.reading_id) == live_fingerprint(ada)
        # It is no reading of Grace's own.
        assert Painter(project).reading_id not in (review.reading_id, ada.reading_id)
        assert project.verify().problems == ()


def test_there_is_one_consensus_of_a_case_whoever_asks(read: tuple[Path, Painter]) -> None:
    path, _ada = read
    numbers = []
    for reader in ("Grace", "Ada"):
        with Project.open(path, reader=reader) as project:
            numbers.append(project.review.begin_consensus(1).reading_id)
            assert project.cases()[0].consensus is not None
            with pytest.raises(StoreError, match="Nobody has labelled"):
                project.review.begin_consensus(7)
    assert numbers[0] == numbers[1]


def test_reviews_and_comments_come_along_when_copies_are_merged(read: tuple[Path, Painter]) -> None:
    path, ada = read
    other = copied(path, "other.medview")
    with Project.open(path, reader="Eve") as project:
        Painter(project).add_segment()
    with Project.open(other, reader="Grace") as project:
        painter = Painter(project)
        painter.add_segment()
        for of in (ada.reading_id, painter.reading_id):
            review, _fresh = project.review.begin_review(of)
            labels = project.load_reading(of, beside=True).labels
            entry = Entry(EntryKind.DO, Command("Labels", tuple(labels_copied(labels)), "review"))
            project.journal.append(review.reading_id, entry)
        project.review.send_back(ada.reading_id, "Again", PIN)
    (report,) = merged(path, other)
    assert report["conflicts"] == []
    with Project.open(path, reader="Grace") as project:
        (case,) = project.cases()
        roles = [(one.reader, one.role, one.copy) for one in case.readings]
        assert roles[-2:] == [("Grace", Role.REVIEW, 0), ("Grace", Role.REVIEW, 1)]
        (comment,) = project.review.comments(case.case_id)
        assert (comment.who, comment.pin) == ("Grace", PIN)
        review, fresh = project.review.begin_review(ada.reading_id)
        assert (review.state.copy, fresh) == (0, False)


def _review_of(project: Project, of: int) -> int:
    """Begin a review with the reader's labels in it, and one stroke more."""
    review, fresh = project.review.begin_review(of)
    assert fresh
    labels = project.load_reading(of, beside=True).labels
    changes = tuple(labels_copied(labels))
    project.journal.append(review.reading_id, Entry(EntryKind.DO, Command("Labels", changes, "review")))
    assert project.journal.flush()
    return review.reading_id


def test_three_readers_are_sent_back_work_on_and_are_approved_and_what_changes_later_is_not(tmp_path: Path) -> None:
    path, readings = tmp_path / "p.medview", {}
    for reader in ("Ada", "Grace", "Eve"):
        with Project.open(path, reader=reader) if path.exists() else Project.create(path, reader=reader) as project:
            painter = Painter(project)
            painter.add_segment()
            painter.paint((1, 5, 5), (6, 30, 40))
            project.set_status(painter.reading_id, ReadingStatus.DONE)
            readings[reader] = painter.reading_id
    with Project.open(path, reader="Rosa") as project:
        project.review.send_back(readings["Ada"], "Spills", PIN)
        project.review.approve(readings["Grace"])
        project.review.approve(readings["Eve"])
        assert project.cases()[0].status is ReadingStatus.RETURNED
    with Project.open(path, reader="Ada") as project:
        painter = Painter(project)
        painter.paint((0, 0, 0), (2, 2, 2))
        assert project.journal.flush()
        # It stays sent back until the reader says that it is done.
        assert project.cases()[0].of("Ada").status is ReadingStatus.RETURNED  # type: ignore[union-attr]
        project.set_status(readings["Ada"], ReadingStatus.DONE)
    with Project.open(path, reader="Rosa") as project:
        project.review.approve(readings["Ada"])
        assert project.cases()[0].status is ReadingStatus.APPROVED
        project.worklist.exclude([1], "motion")
        project.worklist.include([1])
        assert project.cases()[0].status is ReadingStatus.APPROVED
    with Project.open(path, reader="Grace") as project:
        painter = Painter(project)
        painter.paint((0, 0, 0), (2, 2, 2))
        assert project.journal.flush()
        states = {state.reader: state.status for state in project.cases()[0].readings}
        assert states == {"Ada": ReadingStatus.APPROVED, "Grace": ReadingStatus.IN_WORK, "Eve": ReadingStatus.APPROVED}
        lapsed = project.activity.entries()[-1]
        assert (lapsed.who, lapsed.kind, lapsed.reading_id) == ("Grace", "status", readings["Grace"])
        assert lapsed.details == {"status": "in work", "lapsed": "approved"}
        assert project.verify().problems == ()


def test_an_edit_that_is_approved_approves_the_readers_labels_with_it(read: tuple[Path, Painter]) -> None:
    path, ada = read
    with Project.open(path, reader="Grace") as project:
        review = _review_of(project, ada.reading_id)
        assert project.review.reviewed() == {review: ada.reading_id}
        project.review.approve(review, "with fewer vessels")
        assert {state.status for state in project.cases()[0].readings} == {ReadingStatus.APPROVED}
        (said,) = project.review.comments(1)
        assert (said.reading_id, said.text, said.with_edit) == (ada.reading_id, "with fewer vessels", True)


def test_a_review_of_what_was_done_in_another_copy_is_another_review_after_a_merge(read: tuple[Path, Painter]) -> None:
    path, ada = read
    other = copied(path, "other.medview")
    with Project.open(path, reader="Ada") as project:
        Painter(project).paint((0, 0, 0), (2, 2, 2))
    with Project.open(other, reader="Ada") as project:
        Painter(project).paint((3, 3, 3), (5, 5, 5))
    with Project.open(other, reader="Grace") as project:
        _review_of(project, ada.reading_id)
    merged(path, other)
    with Project.open(path, reader="Grace") as project:
        (beside,) = [one for one in project.cases()[0].readings if one.copy and one.role is Role.READER]
        (review,) = project.review.reviewed()
        assert project.review.reviewed() == {review: beside.reading_id}
        again, fresh = project.review.begin_review(beside.reading_id)
        assert (again.reading_id, fresh) == (review, False)
        new, fresh = project.review.begin_review(ada.reading_id)
        assert (new.reading_id != review, fresh) == (True, True)


def test_a_consensus_says_who_went_on_since_until_somebody_works_on_it_again(read: tuple[Path, Painter]) -> None:
    path, _ada = read

    def opened(*, change: bool) -> int:
        with Project.open(path, reader="Eve") as project:
            consensus = project.review.begin_consensus(1)
            if change:
                labels = project.load_reading(consensus.reading_id).labels
                added = SegmentChange(None, new_segment(labels.segmentation, "Liver"), len(labels.segmentation.segments))
                project.journal.append(consensus.reading_id, Entry(EntryKind.DO, Command("Add", (added,), "segments")))
                assert project.journal.flush()
            return consensus.reading_id

    def gone_on() -> dict[int, list[str]]:
        with Project.open(path, read_only=True) as project:
            return project.review.gone_on(1)

    number = opened(change=False)
    with Project.open(path, reader="Ada") as project:
        assert project.cases()[0].agreed is None
        assert project.cases()[0].status is ReadingStatus.IN_WORK
        Painter(project).paint((0, 0, 0), (2, 2, 2))
    # Only opened: there is nothing that could be out of date.
    assert gone_on() == {}
    assert opened(change=True) == number
    assert gone_on() == {}
    with Project.open(path, reader="Ada") as project:
        Painter(project).paint((0, 0, 0), (3, 3, 3))
    with Project.open(path, reader="Grace") as project:
        Painter(project).add_segment()
    assert gone_on() == {number: ["Ada", "Grace"]}
    # Looked at, and nothing done about it: still so.
    opened(change=False)
    assert gone_on() == {number: ["Ada", "Grace"]}
    with Project.open(path, reader="Eve") as project:
        project.set_status(number, ReadingStatus.DONE)
        assert project.review.gone_on() == {}
        assert project.cases()[0].agreed is not None


def test_who_went_on_in_another_copy_is_known_after_a_merge_whatever_the_clocks_say(read: tuple[Path, Painter]) -> None:
    path, _ada = read
    other = copied(path, "other.medview")
    with Project.open(other, reader="Ada") as project:
        Painter(project).paint((0, 0, 0), (2, 2, 2))
    with Project.open(path, reader="Eve") as project:
        consensus = project.review.begin_consensus(1)
        labels = project.load_reading(consensus.reading_id).labels
        added = SegmentChange(None, new_segment(labels.segmentation, "Liver"), 0)
        project.journal.append(consensus.reading_id, Entry(EntryKind.DO, Command("Add", (added,), "segments")))
    back = copied(path, "back.medview")
    merged(path, other)
    merged(other, back)
    for place in (path, other):
        with Project.open(place, read_only=True) as project:
            (row,) = project.cases()
            assert row.agreed is not None
            assert project.review.gone_on() == {row.agreed.reading_id: ["Ada"]}


def test_two_consensuses_of_two_copies_are_both_kept_and_it_is_said(read: tuple[Path, Painter]) -> None:
    path, _ada = read
    other = copied(path, "other.medview")
    for place, reader in ((path, "Eve"), (other, "Grace")):
        with Project.open(place, reader=reader) as project:
            project.review.begin_consensus(1)
    with Project.open(other, reader="Grace") as project:
        project.set_status(project.review.begin_consensus(1).reading_id, ReadingStatus.DONE)
    (report,) = merged(path, other)
    assert report["conflicts"] == [
        "Case 1 has a consensus here and another one in other.medview; "
        "both are kept, and the one that was worked on last counts."
    ]
    assert merged(path, other)[0]["changed"] is False


@pytest.mark.parametrize("here", [True, False])
def test_what_was_approved_in_one_copy_while_the_reader_went_on_in_another_is_not_approved(
    read: tuple[Path, Painter], here: bool
) -> None:
    path, ada = read
    other = copied(path, "other.medview")
    goes_on, approves = (other, path) if here else (path, other)
    with Project.open(goes_on, reader="Ada") as project:
        Painter(project).paint((0, 0, 0), (2, 2, 2))
        project.set_status(ada.reading_id, ReadingStatus.DONE)
    with Project.open(approves, reader="Grace") as project:
        project.review.approve(ada.reading_id)
    (report,) = merged(path, other)
    assert report["conflicts"][-1] == (  # type: ignore[index]
        "Case 1 of Ada was approved before all of its labels came together here, so it is “done” again."
    )
    assert [one["changed"] for one in merged(path, other)] == [False]
    with Project.open(path, read_only=True) as project:
        assert project.cases()[0].status is ReadingStatus.DONE
    merged(other, path)
    with Project.open(other, read_only=True) as project:
        assert project.cases()[0].status is ReadingStatus.DONE
    merged(path, other)
    # What is left to bring is that they were merged.
    assert [one["changed"] for one in (*merged(other, path), *merged(path, other))] == [False, False]
