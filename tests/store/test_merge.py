"""People label copies of a project; merging them loses nothing, whatever was done and in whatever order."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from medview.core.changes import Command, SegmentChange
from medview.core.errors import StoreError
from medview.core.segmentation import Segment
from medview.store import reader_uid
from medview.store.activity import ActivityKind
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from tests.store.conftest import StillClock
from tests.store.copies import copied, drawn, journals, merged, painter_of, row_hashes
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A project in which Ada has drawn on the first of two cases."""
    path = tmp_path / "base.medview"
    with Project.create(path, "Study", reader="Ada") as project:
        painter_of(project, 1).paint((0, 0, 0), (2, 4, 4))
        painter_of(project, 2)
    return path


def test_labels_of_two_readers_on_two_copies_come_together_row_by_row(base: Path) -> None:
    ada, grace = copied(base, "ada.medview"), copied(base, "grace.medview")
    mine = drawn(ada, "Ada", 1, 5, seed=1)
    hers = drawn(grace, "Grace", 1, 4, seed=2)
    also = drawn(grace, "Grace", 3, 3, seed=3)
    before = row_hashes(base) | row_hashes(ada) | row_hashes(grace)
    of_ada, of_grace = merged(base, ada, grace)
    assert (of_ada["readings"], of_ada["continued"], of_ada["gestures"], of_ada["conflicts"]) == (0, 1, 5, [])
    counts = of_grace["cases"], of_grace["patients"], of_grace["readers"], of_grace["readings"], of_grace["gestures"]
    assert counts == (1, 1, 1, 2, 9)
    # As they are: every row has the hash it was written with.
    assert row_hashes(base) == before
    with Project.open(base, read_only=True) as project:
        first, second, third = project.cases()
        assert [one.reader for one in first.readings] == ["Ada", "Grace"]
        assert (third.patient, third.position, third.readings[0].gestures) == ("P0003", 3, 4)
        assert second.readings[0].gestures == 1
        found = [(first.of("Ada"), mine), (first.of("Grace"), hers), (third.of("Grace"), also)]
        for state, painter in found:
            assert state is not None
            assert stored_fingerprint(project, state.reading_id) == live_fingerprint(painter)


def test_merging_again_and_merging_an_older_copy_changes_nothing(base: Path) -> None:
    old, ada = copied(base, "old.medview"), copied(base, "ada.medview")
    drawn(ada, "Ada", 1, 5)
    merged(base, ada)
    whole, database = journals(base), (base / "project.db").read_bytes()
    again, older = merged(base, ada, old)
    assert (again["changed"], older["changed"]) == (False, False)
    assert journals(base) == whole
    assert len((base / "project.db").read_bytes()) == len(database)
    with Project.open(base, read_only=True) as project:
        assert [entry.kind for entry in project.activity.entries()].count("merged") == 1


def test_copies_merged_to_and_fro_come_to_rest(base: Path) -> None:
    other = copied(base, "other.medview")
    drawn(other, "Grace", 2, 3)
    reports = [merged(*pair)[0]["changed"] for pair in [(base, other), (other, base), (base, other), (other, base)]]
    # The second brings the note of the first, the third nothing more.
    assert reports == [True, True, False, False]
    assert journals(base) == journals(other)


def test_what_one_reader_did_on_two_copies_is_kept_side_by_side(base: Path) -> None:
    left, right = copied(base, "left.medview"), copied(base, "right.medview")
    on_left, on_right = drawn(left, "Ada", 1, 4, seed=4), drawn(right, "Ada", 1, 6, seed=5)
    drawn(right, "Ada", 2, 2, seed=6)
    (report,) = merged(left, right)
    assert report["conflicts"] == [
        "Ada went on with case 1 in both copies; what was done in right.medview is kept beside, as copy 1."
    ]
    # Only the case on which both went on stands twice.
    assert (report["readings"], report["continued"]) == (1, 1)
    with Project.open(left, reader="Ada") as project:
        own, beside = project.cases()[0].readings
        assert (own.copy, beside.copy) == (0, 1)
        assert stored_fingerprint(project, own.reading_id) == live_fingerprint(on_left)
        assert stored_fingerprint(project, beside.reading_id) == live_fingerprint(on_right)
        # Going on means one's own.
        assert painter_of(project, 1).reading_id == own.reading_id


def test_two_ways_of_one_reader_keep_their_numbers_where_nothing_of_them_was_known(base: Path) -> None:
    left = copied(base, "left.medview")
    drawn(left, "Grace", 2, 1)
    right = copied(left, "right.medview")
    drawn(left, "Grace", 2, 3, seed=1)
    drawn(right, "Grace", 2, 4, seed=2)
    merged(left, right)
    (report,) = merged(base, left)
    assert report["conflicts"] == []
    with Project.open(base, read_only=True) as project:
        states = [(one.reader, one.copy) for one in project.cases()[1].readings]
        assert len(states) == len(set(states)) == 3


def test_both_ways_give_the_same_readings_and_go_on_from_there(base: Path) -> None:
    left, right = copied(base, "left.medview"), copied(base, "right.medview")
    drawn(left, "Ada", 1, 3, seed=7)
    drawn(right, "Ada", 1, 3, seed=8)
    before = copied(left, "before.medview")
    merged(left, right)
    merged(right, before)
    assert journals(left) == journals(right)
    # Each goes on with what is their own; the next merge finds it again, though the chains of hashes differ by now.
    drawn(left, "Ada", 1, 2, seed=9)
    drawn(right, "Ada", 2, 2, seed=10)
    (report,) = merged(left, right)
    assert (report["readings"], report["continued"], report["conflicts"]) == (0, 1, [])
    merged(right, left)
    assert journals(left) == journals(right)
    assert merged(left, right)[0]["gestures"] == 0


@pytest.mark.parametrize("seed", range(3))
def test_random_histories_of_three_copies_merged_in_any_order_lose_no_row(base: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    copies = [copied(base, f"{name}.medview") for name in ("a", "b", "c")]
    for step in range(7):
        copy = copies[rng.integers(3)]
        if rng.random() < 0.2:
            merged(copy, copies[rng.integers(1, 3) + copies.index(copy) - 3])
        else:
            reader = ("Ada", "Grace")[rng.integers(2)]
            drawn(copy, reader, int(rng.integers(1, 4)), int(rng.integers(1, 4)), seed=100 * seed + step)
    begun = [journals(copy) for copy in copies]
    results = []
    for number, order in enumerate(list(itertools.permutations(copies))[:3]):
        target = copied(order[0], f"merged-{number}.medview")
        merged(target, *order[1:])
        results.append(journals(target))
        assert merged(target, *order)[-1]["changed"] is False
    for result in results:
        for key in itertools.chain(*begun):
            assert any(one[:3] == key[:3] and one[3][: len(key[3])] == key[3] for one in result)
        assert set(result) == set(results[0])


def test_readers_of_one_name_and_different_logins_are_kept_apart(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = copied(base, "one.medview"), copied(base, "two.medview")
    drawn(one, "Grace", 1, 2, seed=1)
    with monkeypatch.context() as other:
        other.setattr(reader_uid, "user_name", lambda: "grace.h")
        drawn(two, "Grace", 1, 3, seed=2)
    (report,) = merged(one, two)
    assert report["notes"] == ["Another Grace labelled two.medview; they are called Grace (2) here."]
    with Project.open(one, read_only=True) as project:
        assert [(state.reader, state.gestures) for state in project.cases()[0].readings] == [
            ("Ada", 2),
            ("Grace", 3),
            ("Grace (2)", 4),
        ]
    assert merged(one, two)[0]["changed"] is False


def test_a_case_that_was_only_opened_here_does_not_hide_what_was_done_in_the_other_copy(base: Path) -> None:
    one, two = copied(base, "one.medview"), copied(base, "two.medview")
    # Opened from the list: the label set brings its segments by itself.
    with Project.open(one, reader="Grace") as project:
        row = next(row for row in project.readings() if row.case_id == 1)
        own = project.reading(row.key, row.geometry, row.sources)
        segment = Segment("waits", "Liver", (9, 99, 200), 0, 1)
        command = Command("Label set", (SegmentChange(None, segment, 0),), "segments")
        project.journal.append(own.reading_id, Entry(EntryKind.NOTE, command, 1))
        assert project.journal.flush()
    done = drawn(two, "Grace", 1, 4, seed=5)
    (report,) = merged(one, two)
    assert report["conflicts"] == []
    with Project.open(one, reader="Grace") as project:
        state = project.cases()[0].of("Grace")
        assert state is not None
        assert state.worked_on
        assert stored_fingerprint(project, state.reading_id) == live_fingerprint(done)
        found = project.find_reading(row.key, row.geometry)
        assert found is not None
        assert found.reading_id == state.reading_id, "it opens with what was done"
    assert merged(one, two)[0]["changed"] is False


def test_who_is_new_in_two_fresh_copies_is_one_reader_and_two_ways_of_one_case_stand_side_by_side(base: Path) -> None:
    one, two = copied(base, "one.medview"), copied(base, "two.medview")
    mine = drawn(one, "Grace", 1, 2, seed=1)
    drawn(two, "Grace", 2, 3, seed=2)
    # Opened there too, and nothing done: all that was done here goes on from it.
    with Project.open(two, reader="Grace") as project:
        row = next(row for row in project.readings() if row.case_id == 1)
        project.reading(row.key, row.geometry, row.sources)
    (report,) = merged(two, one)
    assert (report["readers"], report["notes"], report["conflicts"], report["readings"]) == (0, [], [], 0)
    with Project.open(two, read_only=True) as project:
        first, second = project.cases()
        assert [(state.reader, state.gestures) for state in first.readings] == [("Ada", 2), ("Grace", 3)]
        assert [(state.reader, state.gestures) for state in second.readings] == [("Ada", 1), ("Grace", 4)]
        assert sorted(project.info()["readers"]) == ["Ada", "Eve", "Grace"]
        state = first.of("Grace")
        assert state is not None
        assert stored_fingerprint(project, state.reading_id) == live_fingerprint(mine)
    three = copied(base, "three.medview")
    drawn(three, "Grace", 1, 4, seed=3)
    (report,) = merged(two, three)
    assert report["conflicts"] == [
        "Grace went on with case 1 in both copies; what was done in three.medview is kept beside, as copy 1."
    ]
    assert report["notes"] == []


@pytest.mark.parametrize("seed", range(2))
def test_one_person_on_fresh_copies_is_one_reader_in_whatever_order_they_are_merged(base: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    copies = [copied(base, f"{name}.medview") for name in ("a", "b", "c")]
    # Each case is hers in one copy only, so nothing can be in the way of anything.
    for step in range(6):
        series = int(rng.integers(1, 7))
        drawn(copies[series % 3], "Grace", series, int(rng.integers(1, 4)), seed=100 * seed + step)
    begun = sum((journals(copy) - journals(base) for copy in copies), start=journals(base))
    for number, order in enumerate(list(itertools.permutations(copies))[::2]):
        target = copied(order[0], f"merged-{number}.medview")
        reports = merged(target, *order[1:])
        assert all(report["conflicts"] == report["notes"] == [] for report in reports)
        assert journals(target) == begun
        assert [report["changed"] for report in merged(target, *order)] == [False, False, False]
        with Project.open(target, read_only=True) as project:
            assert {name for name in project.info()["readers"] if name != "Eve"} == {"Ada", "Grace"}


def test_a_patient_keeps_the_pseudonym_of_the_project_and_who_is_new_gets_the_next(base: Path) -> None:
    other = copied(base, "other.medview")
    drawn(base, "Ada", 3, 1)
    drawn(other, "Ada", 4, 1)
    drawn(other, "Ada", 3, 1)
    (report,) = merged(base, other)
    assert report["pseudonyms"] == {"P0003": "P0004", "P0004": "P0003"}
    with Project.open(base, read_only=True) as project:
        assert [(case.description, case.patient) for case in project.cases()] == [
            ("Series 1", "P0001"),
            ("Series 2", "P0002"),
            ("Series 3", "P0003"),
            ("Series 4", "P0004"),
        ]


def _decide(path: Path, clock: StillClock, **step: float) -> Project:
    clock.forward(**step)
    return Project.open(path, reader="Ada", clock=clock)


def test_of_two_statuses_the_one_said_later_counts(base: Path, clock: StillClock) -> None:
    left, right = copied(base, "left.medview"), copied(base, "right.medview")
    with _decide(right, clock, hours=1) as project:
        project.set_status(1, ReadingStatus.FLAGGED)
        project.add_time(1, 70)
    with _decide(left, clock, hours=1) as project:
        project.set_status(1, ReadingStatus.DONE)
    with _decide(right, clock, hours=1) as project:
        project.set_status(2, ReadingStatus.DONE)
    (report,) = merged(left, right)
    assert report["conflicts"] == [
        "Case 1 of Ada is “done” here and “flagged” in right.medview; “done” was said later and counts."
    ]
    merged(right, left)
    for path in (left, right):
        with Project.open(path, read_only=True) as project:
            first, second = project.cases()
            assert [first.status, second.status] == [ReadingStatus.DONE, ReadingStatus.DONE]
            assert first.seconds == 70
            said = [entry for entry in project.activity.entries() if entry.kind == "status"]
            assert [(entry.reading_id, entry.details["status"]) for entry in said] == [
                (1, "flagged"),
                (1, "done"),
                (2, "done"),
            ]


def test_the_label_set_that_only_one_changed_is_taken_and_of_two_that_of_the_project_stays(base: Path) -> None:
    left, right = copied(base, "left.medview"), copied(base, "right.medview")
    with Project.open(right) as project:
        project.label_set.keep('{"name": "R"}')
    assert merged(left, right)[0]["settled"] == 1
    with Project.open(left) as project:
        assert project.label_set.text() == '{"name": "R"}'
        project.label_set.keep('{"name": "L"}')
    assert merged(left, right)[0]["conflicts"] == []
    with Project.open(right) as project:
        project.label_set.keep('{"name": "R2"}')
    (report,) = merged(left, right)
    assert report["conflicts"] == ["The label set of right.medview is another; that of this project is kept."]
    with Project.open(left, read_only=True) as project:
        assert project.label_set.text() == '{"name": "L"}'


def test_large_masks_come_along_and_one_that_is_gone_there_stops_the_merge(base: Path) -> None:
    other = copied(base, "other.medview")
    with Project.open(other, reader="Grace") as project:
        painter = Painter(project)
        voxels = np.random.default_rng(0).integers(0, 3, (21, 70, 90), dtype=np.uint8)
        painter.accept(painter.propose(voxels))
        assert project.journal.flush()
        (digest,) = list(project._blobs)
    merged(base, other)
    with Project.open(base, reader="Grace") as project:
        assert live_fingerprint(Painter(project)) == live_fingerprint(painter)
    target = copied(other, "target.medview")
    with Project.open(other, reader="Grace") as project:
        painter = Painter(project)
        painter.propose(2 - voxels)
        assert project.journal.flush()
        (new,) = set(project._blobs) - {digest}
    (other / "blobs" / new[:2] / new).unlink()
    before = journals(target)
    with Project.open(target) as project, pytest.raises(StoreError, match="missing"):
        project.merge(other)
    assert journals(target) == before


def test_other_projects_damaged_copies_and_the_project_itself_are_refused(base: Path, tmp_path: Path) -> None:
    with Project.create(tmp_path / "foreign.medview"):
        pass
    damaged, short = copied(base, "damaged.medview"), copied(base, "short.medview")
    drawn(damaged, "Ada", 1, 3)
    for path, statement in (
        (damaged, "UPDATE journal SET payload = x'00' WHERE row_id = 5"),
        (short, "DELETE FROM journal WHERE row_id = 3"),
    ):
        with sqlite3.connect(path / "project.db") as connection:
            connection.execute(statement)
        connection.close()
    before = journals(base)
    with Project.open(base) as project:
        for other, sentence in (
            (tmp_path / "foreign.medview", "another project"),
            (damaged, "damaged.medview is damaged"),
            (short, "short.medview is damaged"),
            (base, "this very project"),
            (tmp_path, "not a MedView project"),
        ):
            with pytest.raises(StoreError, match=sentence):
                project.merge(other)
    assert journals(base) == before


def test_labels_made_on_other_voxels_are_kept_beside_and_not_mixed(base: Path) -> None:
    left, right = copied(base, "left.medview"), copied(base, "right.medview")
    for path, digest in ((left, "a" * 64), (right, "b" * 64)):
        with Project.open(path, reader="Ada") as project:
            project.attach_pixels(2, digest)
    drawn(right, "Ada", 2, 3)
    (report,) = merged(left, right)
    assert report["readings"] == 1
    with Project.open(left, read_only=True) as project:
        assert [(row.case_id, row.state.copy, row.pixels_sha256[:1]) for row in project.readings()[1:]] == [
            (2, 0, "a"),
            (2, 1, "b"),
        ]
    assert merged(left, right)[0]["changed"] is False


def test_what_is_drawn_after_a_merge_in_an_open_project_goes_on_from_the_merged_rows(base: Path) -> None:
    ada = copied(base, "ada.medview")
    drawn(ada, "Ada", 1, 4)
    with Project.open(base, reader="Ada") as project:
        painter_of(project, 1)
        assert len(project.merge(ada).extended) == 1
        painter = painter_of(project, 1)
        painter.paint((1, 1, 1), (2, 3, 3), 0)
        assert project.journal.flush()
        assert project.verify().problems == ()
        assert stored_fingerprint(project, painter.reading_id) == live_fingerprint(painter)


@pytest.mark.parametrize("rows", [0, 3, 11])
def test_a_merge_that_is_killed_leaves_the_project_as_it_was(base: Path, rows: int) -> None:
    other = copied(base, "other.medview")
    drawn(other, "Ada", 1, 6)
    drawn(other, "Grace", 3, 6)
    before = journals(base)
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from medview.store.project import Project

        seen = []

        def progress(fraction):
            seen.append(fraction)
            if len(seen) > int(sys.argv[3]):
                os.kill(os.getpid(), signal.SIGKILL)

        with Project.open(Path(sys.argv[1]), reader="Ada") as project:
            project.merge(Path(sys.argv[2]), progress)
        """
    )
    ran = subprocess.run([sys.executable, "-c", script, str(base), str(other), str(rows)], env=os.environ, check=False)
    assert ran.returncode == -signal.SIGKILL
    assert journals(base) == before
    merged(base, other)
    assert sum(journals(base).values()) == 3


def test_activity_comes_along_and_is_about_the_same_things(base: Path) -> None:
    other = copied(base, "other.medview")
    drawn(base, "Grace", 3, 1)
    drawn(other, "Ada", 4, 1)
    with Project.open(other, reader="Ada") as project:
        reading = project.readings()[-1].reading_id
        project.activity.add(ActivityKind.COMMENTED, reading_id=reading, text="Look", point_lps_mm=[1.0, 2.0, 3.0])
    merged(base, other)
    with Project.open(base, read_only=True) as project:
        said = next(entry for entry in project.activity.entries() if entry.kind == "commented")
        row = next(row for row in project.readings() if row.reading_id == said.reading_id)
        assert (row.sources.description, row.case_id, said.who) == ("Series 4", said.case_id, "Ada")
        told = project.activity.entries()[-1]
        assert (told.kind, told.who, told.details["other"], told.details["cases"]) == ("merged", "Eve", "other.medview", 1)
