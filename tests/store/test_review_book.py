"""Readings are approved, sent back with a comment at a place, and edited by a reviewer beside the reader's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.core.changes import Command
from medview.core.errors import StoreError
from medview.edit.copied import copied as labels_copied
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
